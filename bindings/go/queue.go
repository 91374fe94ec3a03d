package blockqueue

// #include <stdlib.h>
// #include "blockqueue.h"
//
// #cgo nocallback bq_abi_check
// #cgo nocallback bq_queue_open
// #cgo nocallback bq_queue_shutdown
// #cgo nocallback bq_queue_free
import "C"

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Durability says how safe an answered write is.
type Durability int32

const (
	// DurabilityFull: on disk before the answer.
	DurabilityFull Durability = C.BQ_DURABILITY_FULL
	// DurabilityBalanced: survives a crash of the process; a power cut may take the newest commits.
	DurabilityBalanced Durability = C.BQ_DURABILITY_BALANCED
)

// OpenOptions are how to open a queue. Zero means the default.
type OpenOptions struct {
	// Largest payload of one message, in bytes. Default 1 MiB, at most 64 MiB.
	PayloadBytesMax int
	// How safe an answered write is. Default: on disk before the answer.
	Durability Durability
	// Refuse to create a file that does not exist.
	MustExist bool
}

// Queue is an open queue. Any number of goroutines may use it at once.
//
// Its methods look at their context before they begin, and while they wait for something: for deliveries, for a
// result, or for a thread of the operating system to be free. A write that was handed over is waited for, so that
// it is never in doubt whether it was done: that takes as long as the disk does.
type Queue struct {
	handle *C.bq_queue
	// Each call that may block has a thread of the operating system for itself meanwhile. These are the
	// places of those that may be under way at once; the others wait as goroutines.
	places chan struct{}
	// Transactions that are open, so that calls need not look for them in their contexts.
	transactions atomic.Int32

	starting sync.Mutex
	waits    *waits
	closed   bool
}

// callsMax bounds the threads that calls of one queue hold at once. As many writes share one commit.
const callsMax = 64

// Open opens the queue in this file, and creates the file if there is none; ":memory:" is a queue that lives and dies
// with the handle. Options may be nil. A file that this process has open already is opened again for little: the
// handles share its engine.
func Open(ctx context.Context, path string, options *OpenOptions) (*Queue, error) {
	given, err := openOptions(ctx, options)
	if err != nil {
		return nil, err
	}
	var handle *C.bq_queue
	var refused *C.bq_error
	status := C.bq_queue_open(chars(path), length(path), &given, &handle, &refused)
	if status != 0 {
		return nil, failure(status, refused)
	}
	return newQueue(handle), nil
}

func openOptions(ctx context.Context, options *OpenOptions) (C.bq_open_options, error) {
	var given C.bq_open_options
	if err := ctx.Err(); err != nil {
		return given, err
	}
	var refused *C.bq_error
	if status := C.bq_abi_check(C.BQ_ABI_VERSION, &refused); status != 0 {
		return given, failure(status, refused)
	}
	if options == nil {
		options = &OpenOptions{}
	}
	given.size = C.size_t(unsafe.Sizeof(given))
	given.payload_bytes_max = C.size_t(options.PayloadBytesMax)
	given.durability = C.int32_t(options.Durability)
	given.must_exist = C.bool(options.MustExist)
	return given, nil
}

func newQueue(handle *C.bq_queue) *Queue {
	queue := &Queue{handle: handle, places: make(chan struct{}, callsMax)}
	// The handle outlives Close, so that a late call is told that the queue was shut down.
	runtime.AddCleanup(queue, func(handle *C.bq_queue) { C.bq_queue_free(handle) }, handle)
	return queue
}

// Close finishes what was handed over, answers waiting calls with [ErrShutdown], and closes the file. A second Close
// succeeds.
func (q *Queue) Close() error {
	q.starting.Lock()
	q.closed = true
	waits := q.waits
	q.waits = nil
	q.starting.Unlock()

	var refused *C.bq_error
	status := C.bq_queue_shutdown(q.handle, &refused)
	if waits != nil {
		waits.stop()
	}
	runtime.KeepAlive(q)
	return failure(status, refused)
}

// enter waits for a place for a call that may block.
func (q *Queue) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if q.transactions.Load() > 0 && isInTransaction(ctx, q) {
		return &Error{Code: ErrInTransaction, Detail: "this is a context of an open transaction of the queue", Index: -1}
	}
	select {
	case q.places <- struct{}{}:
		return nil
	default:
	}
	select {
	case q.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leave gives the place back. It keeps the queue, and so its handle, until here.
func (q *Queue) leave() { <-q.places }

// call carries out what may block.
func (q *Queue) call(ctx context.Context, do func(refused **C.bq_error) C.bq_status) error {
	if err := q.enter(ctx); err != nil {
		return err
	}
	defer q.leave()
	var refused *C.bq_error
	return failure(do(&refused), refused)
}

// chars is where a text begins. The library copies what it wants to keep.
func chars(text string) *C.char { return (*C.char)(unsafe.Pointer(unsafe.StringData(text))) }

func length(text string) C.size_t { return C.size_t(len(text)) }

// optional is as chars, for what may be left out: an empty text is none.
func optional(text string) *C.char {
	if text == "" {
		return nil
	}
	return chars(text)
}

func data(payload []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(payload)) }
