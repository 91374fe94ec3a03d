package blockqueue

// #include "blockqueue.h"
//
// #cgo noescape bq_queue_ack
// #cgo nocallback bq_queue_ack
// #cgo nocallback bq_queue_ack_with_result
// #cgo nocallback bq_queue_nack
// #cgo nocallback bq_queue_extend
// #cgo nocallback bq_queue_defer
// #cgo nocallback bq_queue_cancel
import "C"

import (
	"context"
	"runtime"
	"time"
	"unsafe"
)

// NackOptions are how to report a failure. Zero: as the subscriber's retry policy says.
type NackOptions struct {
	// What went wrong, kept with the delivery; cut at 4 KiB.
	Error string
	// Wait this long before the next attempt, instead of what the retry policy says.
	Delay time.Duration
	// Do not wait before the next attempt.
	Now bool
	// Make it a dead letter now, whatever attempts are left.
	GiveUp bool
}

// Nacked is what a failure led to.
type Nacked struct {
	// StateRetrying or StateDeadLettered.
	State State
	// When it can be claimed again; zero for a dead letter.
	ReadyAt time.Time
	// Why this receipt of a batch was refused: mostly [ErrLeaseLost]. Other members are zero then.
	Err error
}

// Nack is a failure of a batch.
type Nack struct {
	Receipt Receipt
	NackOptions
}

// Deferral is a delivery of a batch to put back.
type Deferral struct {
	Receipt Receipt
	// For how long.
	Delay time.Duration
}

// Settled is the answer to one receipt of a batch.
type Settled struct {
	// When the lease expires now, for an extension; when it can be claimed again, for a deferral.
	At time.Time
	// Why this receipt was refused: mostly [ErrLeaseLost].
	Err error
}

// Reply is what a consumer answers to whoever waits for the message's result.
type Reply struct {
	// Up to 1 MiB.
	Payload []byte
	// What the payload is, for example "application/json".
	ContentType string
	// How long it is kept. Default 1 h, at most 31 days.
	TTL time.Duration
}

// Ack settles a delivery: done.
func (q *Queue) Ack(ctx context.Context, receipt Receipt) error {
	if err := q.enter(ctx); err != nil {
		return err
	}
	var refused *C.bq_error
	status := C.bq_queue_ack(q.handle, receipt.c(), &refused)
	q.leave()
	return failure(status, refused)
}

// AckWithResult settles a delivery, and stores a reply for whoever waits for the message's result.
func (q *Queue) AckWithResult(ctx context.Context, receipt Receipt, reply Reply) error {
	return q.call(ctx, func(refused **C.bq_error) C.bq_status {
		return C.bq_queue_ack_with_result(
			q.handle, receipt.c(), data(reply.Payload), C.size_t(len(reply.Payload)),
			optional(reply.ContentType), length(reply.ContentType), C.int64_t(milliseconds(reply.TTL)), refused)
	})
}

// Nack reports a failure: the delivery waits for its next attempt, or becomes a dead letter. Options may be nil.
func (q *Queue) Nack(ctx context.Context, receipt Receipt, options *NackOptions) (Nacked, error) {
	if options == nil {
		options = &NackOptions{}
	}
	var pinner runtime.Pinner
	defer pinner.Unpin()
	given := options.c(&pinner)
	answer, err := q.settleOne(ctx, func(answer *C.bq_settled, refused **C.bq_error) C.bq_status {
		return C.bq_queue_nack(q.handle, receipt.c(), &given, answer, refused)
	})
	return Nacked{State: stateOf(answer.state), ReadyAt: timeOf(answer.at_ms)}, err
}

// Extend makes the lease last until this long after now: 1 ms to 12 h. It answers with the new expiry.
func (q *Queue) Extend(ctx context.Context, receipt Receipt, lease time.Duration) (time.Time, error) {
	answer, err := q.settleOne(ctx, func(answer *C.bq_settled, refused **C.bq_error) C.bq_status {
		return C.bq_queue_extend(q.handle, receipt.c(), C.int64_t(milliseconds(lease)), answer, refused)
	})
	return timeOf(answer.at_ms), err
}

// Defer puts a delivery back for this long, or for others at once if it is 0. The attempt does not count. It answers
// when it can be claimed again.
func (q *Queue) Defer(ctx context.Context, receipt Receipt, delay time.Duration) (time.Time, error) {
	answer, err := q.settleOne(ctx, func(answer *C.bq_settled, refused **C.bq_error) C.bq_status {
		return C.bq_queue_defer(q.handle, receipt.c(), C.int64_t(milliseconds(delay)), answer, refused)
	})
	return timeOf(answer.at_ms), err
}

// Cancel ends a leased delivery for good, as if it had been acked, and keeps the reason, if not empty, with its
// failures.
func (q *Queue) Cancel(ctx context.Context, receipt Receipt, reason string) error {
	return q.call(ctx, func(refused **C.bq_error) C.bq_status {
		return C.bq_queue_cancel(q.handle, receipt.c(), optional(reason), length(reason), refused)
	})
}

func (q *Queue) settleOne(
	ctx context.Context, do func(answer *C.bq_settled, refused **C.bq_error) C.bq_status,
) (C.bq_settled, error) {
	var answer C.bq_settled
	err := q.call(ctx, func(refused **C.bq_error) C.bq_status { return do(&answer, refused) })
	return answer, err
}

// c is what the library takes; its text is pinned.
func (o *NackOptions) c(pinner *runtime.Pinner) C.bq_nack_options {
	var out C.bq_nack_options
	out.size = C.size_t(unsafe.Sizeof(out))
	out.error = pinned(pinner, o.Error)
	out.delay_ms = C.int64_t(milliseconds(o.Delay))
	out.has_delay = C.bool(o.Now || o.Delay != 0)
	out.give_up = C.bool(o.GiveUp)
	return out
}
