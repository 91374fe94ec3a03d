package blockqueue

// #include "blockqueue.h"
//
// #cgo nocallback bq_queue_ack_batch
// #cgo nocallback bq_queue_nack_batch
// #cgo nocallback bq_queue_extend_batch
// #cgo nocallback bq_queue_defer_batch
// #cgo nocallback bq_queue_cancel_batch
import "C"

import (
	"context"
	"runtime"
	"time"
	"unsafe"
)

// AckBatch settles up to 1,000 deliveries and answers for each: nil, or why it was refused.
func (q *Queue) AckBatch(ctx context.Context, receipts []Receipt) ([]error, error) {
	answers, err := q.settle(ctx, len(receipts), func(answers *C.bq_settled, refused **C.bq_error) C.bq_status {
		return C.bq_queue_ack_batch(q.handle, first(receipts), C.size_t(len(receipts)), answers, refused)
	})
	return errorsOf(answers), err
}

// NackBatch reports up to 1,000 failures and answers for each.
func (q *Queue) NackBatch(ctx context.Context, nacks []Nack) ([]Nacked, error) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	given := nacksOf(&pinner, nacks)
	answers, err := q.settle(ctx, len(nacks), func(answers *C.bq_settled, refused **C.bq_error) C.bq_status {
		return C.bq_queue_nack_batch(q.handle, &given[0], C.size_t(len(nacks)), answers, refused)
	})
	if err != nil {
		return nil, err
	}
	out := make([]Nacked, len(answers))
	for at, answer := range answers {
		out[at] = Nacked{State: stateOf(answer.state), ReadyAt: timeOf(answer.at_ms), Err: refusalOf(answer)}
	}
	return out, nil
}

func nacksOf(pinner *runtime.Pinner, nacks []Nack) []C.bq_nack {
	// One more, so that the first is there.
	given := make([]C.bq_nack, len(nacks)+1)
	options := make([]C.bq_nack_options, len(nacks)+1)
	pinner.Pin(&options[0])
	for at := range nacks {
		options[at] = nacks[at].NackOptions.c(pinner)
		given[at] = C.bq_nack{receipt: *nacks[at].Receipt.c(), options: &options[at]}
	}
	return given
}

// ExtendBatch extends up to 1,000 leases and answers for each.
func (q *Queue) ExtendBatch(ctx context.Context, receipts []Receipt, lease time.Duration) ([]Settled, error) {
	answers, err := q.settle(ctx, len(receipts), func(answers *C.bq_settled, refused **C.bq_error) C.bq_status {
		return C.bq_queue_extend_batch(
			q.handle, first(receipts), C.size_t(len(receipts)), C.int64_t(milliseconds(lease)), answers, refused)
	})
	return settledOf(answers), err
}

// DeferBatch puts up to 1,000 deliveries back and answers for each.
func (q *Queue) DeferBatch(ctx context.Context, deferrals []Deferral) ([]Settled, error) {
	given := make([]C.bq_deferral, len(deferrals)+1)
	for at := range deferrals {
		delay := C.int64_t(milliseconds(deferrals[at].Delay))
		given[at] = C.bq_deferral{receipt: *deferrals[at].Receipt.c(), delay_ms: delay}
	}
	answers, err := q.settle(ctx, len(deferrals), func(answers *C.bq_settled, refused **C.bq_error) C.bq_status {
		return C.bq_queue_defer_batch(q.handle, &given[0], C.size_t(len(deferrals)), answers, refused)
	})
	return settledOf(answers), err
}

// CancelBatch ends up to 1,000 leased deliveries for good and answers for each: nil, or why it was refused.
func (q *Queue) CancelBatch(ctx context.Context, receipts []Receipt, reason string) ([]error, error) {
	answers, err := q.settle(ctx, len(receipts), func(answers *C.bq_settled, refused **C.bq_error) C.bq_status {
		return C.bq_queue_cancel_batch(
			q.handle, first(receipts), C.size_t(len(receipts)), optional(reason), length(reason), answers, refused)
	})
	return errorsOf(answers), err
}

// settle carries out a batch.
func (q *Queue) settle(
	ctx context.Context, count int, do func(answers *C.bq_settled, refused **C.bq_error) C.bq_status,
) ([]C.bq_settled, error) {
	// One more, so that the first is there.
	answers := make([]C.bq_settled, count+1)
	err := q.call(ctx, func(refused **C.bq_error) C.bq_status { return do(&answers[0], refused) })
	if err != nil {
		return nil, err
	}
	return answers[:count], nil
}

func first(receipts []Receipt) *C.bq_receipt {
	return (*C.bq_receipt)(unsafe.Pointer(unsafe.SliceData(receipts)))
}

func errorsOf(answers []C.bq_settled) []error {
	if answers == nil {
		return nil
	}
	out := make([]error, len(answers))
	for at, answer := range answers {
		out[at] = refusalOf(answer)
	}
	return out
}

func settledOf(answers []C.bq_settled) []Settled {
	if answers == nil {
		return nil
	}
	out := make([]Settled, len(answers))
	for at, answer := range answers {
		out[at] = Settled{At: timeOf(answer.at_ms), Err: refusalOf(answer)}
	}
	return out
}

// refusalOf is why one receipt of a batch was refused.
func refusalOf(answer C.bq_settled) error {
	if answer.status == 0 {
		return nil
	}
	code := Code(answer.status)
	return &Error{Code: code, Detail: code.String(), Index: -1}
}

func stateOf(state C.int32_t) State {
	switch state {
	case C.BQ_STATE_RETRYING:
		return StateRetrying
	case C.BQ_STATE_DEAD_LETTERED:
		return StateDeadLettered
	default:
		return ""
	}
}
