package blockqueue

// #include "blockqueue.h"
//
// #cgo nocallback bq_message_get
// #cgo nocallback bq_message_cancel
// #cgo nocallback bq_delivery_cancel
// #cgo nocallback bq_subscriber_peek
import "C"

import (
	"context"
	"time"
)

// State says where a delivery stands.
type State string

const (
	// StatePending: not claimed yet.
	StatePending State = "pending"
	// StateLeased: leased to a consumer.
	StateLeased State = "leased"
	// StateRetrying: waiting for its next attempt, or ready for it.
	StateRetrying State = "retrying"
	// StateParked: waiting behind another delivery of its ordering key.
	StateParked State = "parked"
	// StateDeadLettered: out of attempts, kept for people.
	StateDeadLettered State = "dead_lettered"
	// StateSettled: done: acked, cancelled or skipped.
	StateSettled State = "settled"
)

// MessageView is a message as it is looked at.
type MessageView struct {
	ID             ID
	Payload        []byte
	ContentType    string
	Headers        map[string]string
	CorrelationID  string
	IdempotencyKey string
	OrderingKey    string
	Priority       int16
	// When it was published.
	AcceptedAt time.Time
	// When it becomes, or became, deliverable.
	DeliverAt time.Time
	// When it expires; zero: never.
	ExpiresAt time.Time
}

// DeliveryStatus says where a message stands with a subscriber.
type DeliveryStatus struct {
	Subscriber string
	State      State
	Attempts   int
	Failures   int
	// When it can be claimed again: the end of its lease, or of its wait.
	ReadyAt time.Time
}

// MessageStatus is a message and where it stands with every subscriber.
type MessageStatus struct {
	Message MessageView
	// It is not deliverable yet.
	Delayed    bool
	Deliveries []DeliveryStatus
}

// Peeked is a message that a subscriber has before it or under way.
type Peeked struct {
	Message MessageView
	Status  DeliveryStatus
}

// Message looks a message up, and where it stands with every subscriber.
func (q *Queue) Message(ctx context.Context, topic string, message ID) (MessageStatus, error) {
	return ask[MessageStatus](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_message_get(q.handle, chars(topic), length(topic), message.c(), answer, refused)
	})
}

// CancelMessage ends a message for every subscriber, whatever its state, also before its time. It answers where it
// stood with each.
func (q *Queue) CancelMessage(ctx context.Context, topic string, message ID) ([]DeliveryStatus, error) {
	return ask[[]DeliveryStatus](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_message_cancel(q.handle, chars(topic), length(topic), message.c(), answer, refused)
	})
}

// CancelDelivery ends a message for one subscriber, whatever its state, without a receipt, and keeps the reason, if not
// empty, with its failures.
func (q *Queue) CancelDelivery(ctx context.Context, topic, subscriber string, message ID, reason string) error {
	return q.call(ctx, func(refused **C.bq_error) C.bq_status {
		return C.bq_delivery_cancel(
			q.handle, chars(topic), length(topic), chars(subscriber), length(subscriber), message.c(),
			optional(reason), length(reason), refused)
	})
}

// Peek is a page of what the subscriber has before it or under way, without receipts. It changes nothing. Page may be
// nil.
func (q *Queue) Peek(ctx context.Context, topic, subscriber string, page *Page) (Listed[Peeked], error) {
	at := page.given()
	return ask[Listed[Peeked]](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_subscriber_peek(
			q.handle, chars(topic), length(topic), chars(subscriber), length(subscriber),
			C.size_t(at.Limit), optional(at.After), length(at.After), answer, refused)
	})
}
