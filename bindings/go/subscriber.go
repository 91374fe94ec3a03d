package blockqueue

// #include "blockqueue.h"
//
// #cgo nocallback bq_subscriber_create
// #cgo nocallback bq_subscriber_get
// #cgo nocallback bq_subscriber_list
// #cgo nocallback bq_subscriber_update
// #cgo nocallback bq_subscriber_delete
// #cgo nocallback bq_subscriber_pause
// #cgo nocallback bq_subscriber_resume
// #cgo nocallback bq_subscriber_seek
import "C"

import (
	"context"
	"iter"
)

// CreateSubscribers creates up to 1,000 subscribers of a topic: all or none.
func (q *Queue) CreateSubscribers(ctx context.Context, topic string, subscribers ...NewSubscriber) ([]Subscriber, error) {
	settings, err := encodeSettings(subscribers)
	if err != nil {
		return nil, err
	}
	return ask[[]Subscriber](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_subscriber_create(
			q.handle, chars(topic), length(topic), chars(settings), length(settings), answer, refused)
	})
}

// Subscriber looks a subscriber up.
func (q *Queue) Subscriber(ctx context.Context, topic, subscriber string) (Subscriber, error) {
	return ask[Subscriber](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_subscriber_get(
			q.handle, chars(topic), length(topic), chars(subscriber), length(subscriber), answer, refused)
	})
}

// Subscribers is a page of the subscribers of a topic, by name. Page may be nil.
func (q *Queue) Subscribers(ctx context.Context, topic string, page *Page) (Listed[Subscriber], error) {
	at := page.given()
	return ask[Listed[Subscriber]](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_subscriber_list(
			q.handle, chars(topic), length(topic),
			C.size_t(at.Limit), optional(at.After), length(at.After), answer, refused)
	})
}

// AllSubscribers is every subscriber of a topic, by name. It ends with the first error.
func (q *Queue) AllSubscribers(ctx context.Context, topic string) iter.Seq2[Subscriber, error] {
	return pages(func(page Page) (Listed[Subscriber], error) { return q.Subscribers(ctx, topic, &page) })
}

// UpdateSubscriber changes settings of a subscriber.
func (q *Queue) UpdateSubscriber(
	ctx context.Context, topic, subscriber string, change SubscriberChange,
) (Subscriber, error) {
	settings, err := encodeSettings(change)
	if err != nil {
		return Subscriber{}, err
	}
	return ask[Subscriber](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_subscriber_update(
			q.handle, chars(topic), length(topic), chars(subscriber), length(subscriber),
			chars(settings), length(settings), answer, refused)
	})
}

// DeleteSubscriber deletes a subscriber with its deliveries. The name is free at once; receipts are lost; waiting
// claims get [ErrUnknownSubscriber].
func (q *Queue) DeleteSubscriber(ctx context.Context, topic, subscriber string) error {
	return q.call(ctx, func(refused **C.bq_error) C.bq_status {
		return C.bq_subscriber_delete(
			q.handle, chars(topic), length(topic), chars(subscriber), length(subscriber), refused)
	})
}

// PauseSubscriber stops claims on the subscriber: they wait as on an empty topic.
func (q *Queue) PauseSubscriber(ctx context.Context, topic, subscriber string) error {
	return q.call(ctx, func(refused **C.bq_error) C.bq_status {
		return C.bq_subscriber_pause(
			q.handle, chars(topic), length(topic), chars(subscriber), length(subscriber), refused)
	})
}

// ResumeSubscriber lets claims go on.
func (q *Queue) ResumeSubscriber(ctx context.Context, topic, subscriber string) error {
	return q.call(ctx, func(refused **C.bq_error) C.bq_status {
		return C.bq_subscriber_resume(
			q.handle, chars(topic), length(topic), chars(subscriber), length(subscriber), refused)
	})
}

// Sought is what moving a subscriber did, or would do.
type Sought struct {
	// The place was before the oldest message that is kept, and the subscriber is there now.
	Clamped bool
	// Deliveries that it gets again.
	ReplayedCount uint64
	// Deliveries that it does not get any more.
	SkippedCount uint64
	// Whether the counts are exact, or bounds.
	Exact bool
}

// Seek moves a subscriber to another place of its topic. Its leased and retrying deliveries end and their receipts
// are lost.
func (q *Queue) Seek(ctx context.Context, topic, subscriber string, to Place) (Sought, error) {
	return q.seek(ctx, topic, subscriber, seek{To: to})
}

// SeekDryRun says what [Queue.Seek] would do, and changes nothing.
func (q *Queue) SeekDryRun(ctx context.Context, topic, subscriber string, to Place) (Sought, error) {
	return q.seek(ctx, topic, subscriber, seek{To: to, DryRun: true})
}

type seek struct {
	To     Place
	DryRun bool
}

func (q *Queue) seek(ctx context.Context, topic, subscriber string, how seek) (Sought, error) {
	to, err := encodeSettings(how)
	if err != nil {
		return Sought{}, err
	}
	return ask[Sought](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_subscriber_seek(
			q.handle, chars(topic), length(topic), chars(subscriber), length(subscriber),
			chars(to), length(to), answer, refused)
	})
}
