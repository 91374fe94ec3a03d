//go:build blockqueue_testclock

package blockqueue

// #include "blockqueue.h"
// #include "blockqueue_test.h"
import "C"

import (
	"context"
	"runtime"
	"time"
)

// TestClock is time that a test moves by hand. It is there with the build tag blockqueue_testclock, and wants a
// library that was built for tests (cargo feature test-clock).
type TestClock struct{ handle *C.bq_clock }

// NewTestClock is a clock that stands still at this time.
func NewTestClock(at time.Time) *TestClock {
	clock := &TestClock{}
	C.bq_clock_new(C.int64_t(at.UnixMilli()), &clock.handle, nil)
	runtime.AddCleanup(clock, func(handle *C.bq_clock) { C.bq_clock_free(handle) }, clock.handle)
	return clock
}

// Set moves the clock, perhaps back.
func (c *TestClock) Set(at time.Time) {
	C.bq_clock_set(c.handle, C.int64_t(at.UnixMilli()), nil)
	runtime.KeepAlive(c)
}

// OpenWithClock is as [Open], with time from this clock.
func OpenWithClock(ctx context.Context, path string, options *OpenOptions, clock *TestClock) (*Queue, error) {
	given, err := openOptions(ctx, options)
	if err != nil {
		return nil, err
	}
	var handle *C.bq_queue
	var refused *C.bq_error
	status := C.bq_queue_open_with_clock(chars(path), length(path), &given, clock.handle, &handle, &refused)
	runtime.KeepAlive(clock)
	if status != 0 {
		return nil, failure(status, refused)
	}
	return newQueue(handle), nil
}
