package blockqueue

// #include "blockqueue.h"
//
// extern void blockqueueGoProgress(uint64_t bytes_done, uint64_t bytes_total, void *user);
import "C"

import (
	"context"
	"runtime/cgo"
	"unsafe"
)

// BackupOptions are how to make a backup. Zero means the default.
type BackupOptions struct {
	// Is told several times a second, and at the end, how many bytes of the copy are written, and how many it will
	// have at most. It runs on a thread of the backup and must not use the queue.
	Progress func(bytesDone, bytesTotal uint64)
}

// Backup writes a verified copy of the queue to a new file, while others use it. Options may be nil. It is not
// interrupted by the end of the context. A panic of Progress comes out of here, when the copy is there.
func (q *Queue) Backup(ctx context.Context, path string, options *BackupOptions) error {
	listener := &progress{}
	var callback C.bq_progress
	if options != nil && options.Progress != nil {
		listener.tell = options.Progress
		callback = C.bq_progress(C.blockqueueGoProgress)
	}
	handle := cgo.NewHandle(listener)
	defer handle.Delete()
	err := q.call(ctx, func(refused **C.bq_error) C.bq_status {
		return C.bq_queue_backup(q.handle, chars(path), length(path), callback, unsafe.Pointer(&handle), refused)
	})
	if listener.panicked != nil {
		panic(listener.panicked)
	}
	return err
}

// progress is told by one thread at a time, and looked at when the backup is over.
type progress struct {
	tell     func(bytesDone, bytesTotal uint64)
	panicked any
}

//export blockqueueGoProgress
func blockqueueGoProgress(bytesDone, bytesTotal C.uint64_t, user unsafe.Pointer) {
	listener := (*(*cgo.Handle)(user)).Value().(*progress)
	if listener.panicked != nil {
		return
	}
	// It must not leave through the library.
	defer func() { listener.panicked = recover() }()
	listener.tell(uint64(bytesDone), uint64(bytesTotal))
}
