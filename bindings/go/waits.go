package blockqueue

// #include "blockqueue.h"
//
// #cgo nocallback bq_completions_new
// #cgo nocallback bq_completions_descriptor
// #cgo nocallback bq_completions_wait
// #cgo nocallback bq_completions_cancel
// #cgo nocallback bq_completions_free
import "C"

import (
	"context"
	"os"
	"runtime"
	"sync"
	"syscall"
)

// waits are the calls of one queue that wait for something without a thread of the operating system each: one
// goroutine takes the answers of all of them.
//
// Invariant: what was added gets exactly one answer, or its channel is closed because the queue ends.
type waits struct {
	completions *C.bq_completions
	// Readable when there are answers. Go's poller watches it, so not even the one goroutine holds a thread. nil
	// on systems that have no such descriptors.
	news *os.File

	mu      sync.Mutex
	newest  uint64
	waiting map[uint64]chan C.bq_completion
	closed  bool
	// Closed when the goroutine is gone.
	ended chan struct{}
}

func startWaits(withDescriptor bool) (*waits, error) {
	w := &waits{waiting: map[uint64]chan C.bq_completion{}, ended: make(chan struct{})}
	var refused *C.bq_error
	if status := C.bq_completions_new(C.bool(withDescriptor), &w.completions, &refused); status != 0 {
		return nil, failure(status, refused)
	}
	if descriptor := int(C.bq_completions_descriptor(w.completions)); descriptor >= 0 {
		copied, err := duplicate(descriptor)
		if err != nil {
			C.bq_completions_free(w.completions)
			return nil, &Error{Code: ErrIO, Detail: err.Error(), Index: -1}
		}
		w.news = os.NewFile(uintptr(copied), "blockqueue completions")
	}
	go w.run()
	return w, nil
}

// duplicate makes a descriptor that Go may close.
func duplicate(descriptor int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	copied, err := syscall.Dup(descriptor)
	if err == nil {
		syscall.CloseOnExec(copied)
	}
	return copied, err
}

// run hands answers out until there will be none.
func (w *waits) run() {
	defer close(w.ended)
	var answers [64]C.bq_completion
	for {
		count := w.take(answers[:])
		if count == 0 {
			return
		}
		for _, answer := range answers[:count] {
			w.answer(answer)
		}
	}
}

// take waits for answers; 0 at the end.
func (w *waits) take(answers []C.bq_completion) int {
	if w.news == nil {
		count, _ := w.look(-1, answers)
		return count
	}
	events, err := w.news.SyscallConn()
	if err != nil {
		return 0
	}
	var count int
	err = events.Read(func(uintptr) bool {
		var open bool
		count, open = w.look(0, answers)
		return count > 0 || !open
	})
	if err != nil {
		return 0
	}
	return count
}

// look takes what is there within the time; not open means that nothing will come any more.
func (w *waits) look(timeoutMS int64, answers []C.bq_completion) (count int, open bool) {
	var taken C.size_t
	status := C.bq_completions_wait(
		w.completions, C.int64_t(timeoutMS), &answers[0], C.size_t(len(answers)), &taken, nil)
	return int(taken), status == 0
}

func (w *waits) answer(answer C.bq_completion) {
	w.mu.Lock()
	place := w.waiting[uint64(answer.tag)]
	delete(w.waiting, uint64(answer.tag))
	w.mu.Unlock()
	place <- answer
}

// add makes a place for an answer.
func (w *waits) add() (uint64, chan C.bq_completion, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return 0, nil, errShutdown()
	}
	w.newest++
	place := make(chan C.bq_completion, 1)
	w.waiting[w.newest] = place
	return w.newest, place, nil
}

// refuse takes the place back of what could not be started, and says why.
func (w *waits) refuse(tag uint64, why error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.waiting, tag)
	if w.closed {
		return errShutdown()
	}
	return why
}

// stop ends the goroutine. The queue was shut down before, which has answered everybody; who came too late is told
// here.
func (w *waits) stop() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	if w.news != nil {
		w.news.Close()
		<-w.ended
		C.bq_completions_free(w.completions)
	} else {
		// Whoever waits on them is told.
		C.bq_completions_free(w.completions)
		<-w.ended
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, place := range w.waiting {
		close(place)
	}
	w.waiting = nil
}

func errShutdown() error {
	return &Error{Code: ErrShutdown, Detail: "the queue was shut down", Index: -1}
}

// await starts something that waits, and waits for its answer or for the end of the context, which ends it. What it
// returns without an error is a completion of status 0 that was not cancelled.
func (q *Queue) await(
	ctx context.Context,
	start func(completions *C.bq_completions, tag C.uint64_t, refused **C.bq_error) C.bq_status,
) (C.bq_completion, error) {
	// Else the queue could be freed while this waits.
	defer runtime.KeepAlive(q)
	var none C.bq_completion
	waits, err := q.waiting()
	if err != nil {
		return none, err
	}
	tag, place, err := waits.add()
	if err != nil {
		return none, err
	}
	var refused *C.bq_error
	if status := start(waits.completions, C.uint64_t(tag), &refused); status != 0 {
		return none, waits.refuse(tag, failure(status, refused))
	}
	var answer C.bq_completion
	var answered bool
	select {
	case answer, answered = <-place:
	case <-ctx.Done():
		C.bq_completions_cancel(waits.completions, C.uint64_t(tag), nil)
		answer, answered = <-place
	}
	switch {
	case !answered:
		return none, errShutdown()
	case answer.status != 0:
		return none, failure(answer.status, answer.error)
	case bool(answer.cancelled):
		return none, ctx.Err()
	}
	return answer, nil
}

// waiting is where the calls of this queue wait. It is there from the first that does.
func (q *Queue) waiting() (*waits, error) {
	q.starting.Lock()
	defer q.starting.Unlock()
	if q.closed {
		return nil, errShutdown()
	}
	if q.waits == nil {
		started, err := startWaits(true)
		if err != nil {
			return nil, err
		}
		q.waits = started
		runtime.AddCleanup(q, (*waits).stop, started)
	}
	return q.waits, nil
}
