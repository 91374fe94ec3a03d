package blockqueue

// #include "blockqueue.h"
//
// #cgo noescape bq_queue_publish
// #cgo nocallback bq_queue_publish
// #cgo nocallback bq_queue_publish_batch
// #cgo nocallback bq_queue_publish_packed
import "C"

import (
	"context"
	"time"
	"unsafe"
)

// Published is the answer to a publish.
type Published struct {
	// The message's id, for all its life.
	ID ID
	// When it will become deliverable; zero: now.
	DeliverAt time.Time
	// Subscribers that the topic has now, each of which will get it.
	SubscriberCount int
	// The idempotency key was used before: nothing was published, this is the first message's id.
	Duplicate bool
}

// Publish publishes a message: every subscriber of the topic gets it. It is on disk when this returns.
func (q *Queue) Publish(ctx context.Context, topic string, message Message) (Published, error) {
	if !message.isPlain() {
		published, err := q.PublishBatch(ctx, topic, []Message{message})
		if err != nil {
			return Published{}, err
		}
		return published[0], nil
	}
	if err := q.enter(ctx); err != nil {
		return Published{}, err
	}
	var published C.bq_published
	var refused *C.bq_error
	status := C.bq_queue_publish(
		q.handle, chars(topic), length(topic), data(message.Payload), C.size_t(len(message.Payload)),
		nil, &published, &refused)
	q.leave()
	if status != 0 {
		return Published{}, failure(status, refused)
	}
	return publishedOf(&published), nil
}

// PublishBatch publishes 1 to 1,000 messages, all or none, in order.
func (q *Queue) PublishBatch(ctx context.Context, topic string, messages []Message) ([]Published, error) {
	if err := q.enter(ctx); err != nil {
		return nil, err
	}
	defer q.leave()
	answers := make([]C.bq_published, len(messages)+1)
	var refused *C.bq_error
	var status C.bq_status
	if allPlain(messages) {
		bytes, lengths := concatenate(messages)
		status = C.bq_queue_publish_packed(
			q.handle, chars(topic), length(topic), data(bytes), C.size_t(len(bytes)),
			unsafe.SliceData(lengths), C.size_t(len(lengths)), nil, &answers[0], &refused)
	} else {
		packed := pack(messages)
		defer packed.release()
		status = C.bq_queue_publish_batch(
			q.handle, chars(topic), length(topic),
			unsafe.SliceData(packed.messages), C.size_t(len(messages)), &answers[0], &refused)
	}
	if status != 0 {
		return nil, failure(status, refused)
	}
	return publishedAll(answers[:len(messages)]), nil
}

func allPlain(messages []Message) bool {
	for at := range messages {
		if !messages[at].isPlain() {
			return false
		}
	}
	return true
}

// concatenate puts the payloads one behind the other.
func concatenate(messages []Message) ([]byte, []C.size_t) {
	size := 0
	for at := range messages {
		size += len(messages[at].Payload)
	}
	bytes, lengths := make([]byte, 0, size), make([]C.size_t, len(messages))
	for at := range messages {
		bytes = append(bytes, messages[at].Payload...)
		lengths[at] = C.size_t(len(messages[at].Payload))
	}
	return bytes, lengths
}

func publishedAll(answers []C.bq_published) []Published {
	out := make([]Published, len(answers))
	for at := range answers {
		out[at] = publishedOf(&answers[at])
	}
	return out
}

func publishedOf(answer *C.bq_published) Published {
	return Published{
		ID:              *(*ID)(unsafe.Pointer(&answer.id)),
		DeliverAt:       timeOf(answer.deliver_at_ms),
		SubscriberCount: int(answer.subscriber_count),
		Duplicate:       bool(answer.duplicate),
	}
}
