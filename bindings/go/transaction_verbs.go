package blockqueue

// #include "blockqueue.h"
//
// #cgo nocallback bq_transaction_publish_batch
// #cgo nocallback bq_transaction_ack
// #cgo nocallback bq_transaction_nack
// #cgo nocallback bq_transaction_extend
// #cgo nocallback bq_transaction_defer
// #cgo nocallback bq_transaction_cancel
// #cgo nocallback bq_transaction_message_cancel
import "C"

import (
	"context"
	"runtime"
	"time"
	"unsafe"
)

// Publish publishes a message; its id is known at once.
func (t *Transaction) Publish(ctx context.Context, topic string, message Message) (Published, error) {
	published, err := t.PublishBatch(ctx, topic, []Message{message})
	if err != nil {
		return Published{}, err
	}
	return published[0], nil
}

// PublishBatch publishes 1 to 1,000 messages, all or none, in order.
func (t *Transaction) PublishBatch(ctx context.Context, topic string, messages []Message) ([]Published, error) {
	packed := pack(messages)
	defer packed.release()
	// One more, so that the first is there.
	answers := make([]C.bq_published, len(messages)+1)
	err := t.step(ctx, func(refused **C.bq_error) C.bq_status {
		return C.bq_transaction_publish_batch(
			t.handle, chars(topic), length(topic), unsafe.SliceData(packed.messages), C.size_t(len(messages)),
			&answers[0], refused)
	})
	if err != nil {
		return nil, err
	}
	return publishedAll(answers[:len(messages)]), nil
}

// Ack settles a delivery: done.
func (t *Transaction) Ack(ctx context.Context, receipt Receipt) error {
	return t.step(ctx, func(refused **C.bq_error) C.bq_status {
		return C.bq_transaction_ack(t.handle, receipt.c(), refused)
	})
}

// Nack reports a failure. Options may be nil.
func (t *Transaction) Nack(ctx context.Context, receipt Receipt, options *NackOptions) (Nacked, error) {
	if options == nil {
		options = &NackOptions{}
	}
	var pinner runtime.Pinner
	defer pinner.Unpin()
	given := options.c(&pinner)
	var answer C.bq_settled
	err := t.step(ctx, func(refused **C.bq_error) C.bq_status {
		return C.bq_transaction_nack(t.handle, receipt.c(), &given, &answer, refused)
	})
	return Nacked{State: stateOf(answer.state), ReadyAt: timeOf(answer.at_ms)}, err
}

// Extend makes the lease last until this long after the transaction began. It answers with the new expiry.
func (t *Transaction) Extend(ctx context.Context, receipt Receipt, lease time.Duration) (time.Time, error) {
	var answer C.bq_settled
	err := t.step(ctx, func(refused **C.bq_error) C.bq_status {
		return C.bq_transaction_extend(t.handle, receipt.c(), C.int64_t(milliseconds(lease)), &answer, refused)
	})
	return timeOf(answer.at_ms), err
}

// Defer puts a delivery back for this long. The attempt does not count. It answers when it can be claimed again.
func (t *Transaction) Defer(ctx context.Context, receipt Receipt, delay time.Duration) (time.Time, error) {
	var answer C.bq_settled
	err := t.step(ctx, func(refused **C.bq_error) C.bq_status {
		return C.bq_transaction_defer(t.handle, receipt.c(), C.int64_t(milliseconds(delay)), &answer, refused)
	})
	return timeOf(answer.at_ms), err
}

// Cancel ends a leased delivery for good, and keeps the reason, if not empty, with its failures.
func (t *Transaction) Cancel(ctx context.Context, receipt Receipt, reason string) error {
	return t.step(ctx, func(refused **C.bq_error) C.bq_status {
		return C.bq_transaction_cancel(t.handle, receipt.c(), optional(reason), length(reason), refused)
	})
}

// CancelMessage ends a message for every subscriber.
func (t *Transaction) CancelMessage(ctx context.Context, topic string, message ID) error {
	return t.step(ctx, func(refused **C.bq_error) C.bq_status {
		return C.bq_transaction_message_cancel(t.handle, chars(topic), length(topic), message.c(), refused)
	})
}
