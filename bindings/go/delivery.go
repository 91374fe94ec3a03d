package blockqueue

// #include "blockqueue.h"
//
// #cgo noescape bq_deliveries_items
// #cgo nocallback bq_deliveries_items
// #cgo nocallback bq_deliveries_free
import "C"

import (
	"context"
	"time"
	"unsafe"
)

// Delivery is a message leased to this consumer. Settle it before the lease expires, by its methods, or with its
// receipt from anywhere.
type Delivery struct {
	// The topic's name.
	Topic string
	// The subscriber's name.
	Subscriber string
	// The message's id.
	MessageID ID
	// The right to settle this delivery.
	Receipt Receipt
	// The bytes that were published.
	Payload []byte
	// What the payload is; empty if the publisher did not say.
	ContentType string
	// The headers that were published, by name; nil if there are none.
	Headers map[string]string
	// What the publisher tied the message to, or empty.
	CorrelationID string
	// What the message is in order with, or empty.
	OrderingKey string
	// The message's priority.
	Priority int16
	// Which attempt this is, from 1.
	Attempt int
	// Attempts that ended badly so far.
	Failures int
	// When the message became deliverable.
	PublishedAt time.Time
	// When the message expires; zero: never. A delivery that is leased by then may still be settled.
	ExpiresAt time.Time
	// When the lease expires.
	LeaseExpiresAt time.Time

	queue *Queue
}

// Ack settles the delivery: done.
func (d *Delivery) Ack(ctx context.Context) error { return d.queue.Ack(ctx, d.Receipt) }

// AckWithResult settles the delivery, and stores a reply for whoever waits for the message's result.
func (d *Delivery) AckWithResult(ctx context.Context, reply Reply) error {
	return d.queue.AckWithResult(ctx, d.Receipt, reply)
}

// Nack reports a failure: the delivery waits for its next attempt, or becomes a dead letter. Options may be nil.
func (d *Delivery) Nack(ctx context.Context, options *NackOptions) (Nacked, error) {
	return d.queue.Nack(ctx, d.Receipt, options)
}

// Extend makes the lease last until this long after now.
func (d *Delivery) Extend(ctx context.Context, lease time.Duration) error {
	expires, err := d.queue.Extend(ctx, d.Receipt, lease)
	if err == nil {
		d.LeaseExpiresAt = expires
	}
	return err
}

// Defer puts the delivery back for this long, or for others at once if it is 0. The attempt does not count.
func (d *Delivery) Defer(ctx context.Context, delay time.Duration) error {
	_, err := d.queue.Defer(ctx, d.Receipt, delay)
	return err
}

// Cancel ends the delivery for good, as if it had been acked, and keeps the reason, if not empty, with its failures.
func (d *Delivery) Cancel(ctx context.Context, reason string) error {
	return d.queue.Cancel(ctx, d.Receipt, reason)
}

// deliveries copies a batch of the library, and frees it.
func (q *Queue) deliveries(handle *C.bq_deliveries) []*Delivery {
	defer C.bq_deliveries_free(handle)
	var first *C.bq_delivery
	var count C.size_t
	C.bq_deliveries_items(handle, &first, &count, nil)
	if count == 0 {
		return nil
	}
	items := unsafe.Slice(first, int(count))
	all := make([]Delivery, count)
	out := make([]*Delivery, count)
	names := &items[0]
	topic, subscriber := textOf(names.topic), textOf(names.subscriber)
	for at := range items {
		item := &items[at]
		// A claim of one subscriber has one pair of names.
		if !isText(item.topic, topic) || !isText(item.subscriber, subscriber) {
			topic, subscriber = textOf(item.topic), textOf(item.subscriber)
		}
		fillDelivery(&all[at], item)
		all[at].Topic, all[at].Subscriber, all[at].queue = topic, subscriber, q
		out[at] = &all[at]
	}
	return out
}

func fillDelivery(out *Delivery, item *C.bq_delivery) {
	out.MessageID = *(*ID)(unsafe.Pointer(&item.message_id))
	out.Receipt = *(*Receipt)(unsafe.Pointer(&item.receipt))
	out.Payload = append(make([]byte, 0, item.payload.len), bytesOf(item.payload)...)
	out.ContentType = textOf(item.content_type)
	out.Headers = headersOf(item)
	out.CorrelationID = textOf(item.correlation_id)
	out.OrderingKey = textOf(item.ordering_key)
	out.Priority = int16(item.priority)
	out.Attempt = int(item.attempt)
	out.Failures = int(item.failures)
	out.PublishedAt = timeOf(item.published_at_ms)
	out.ExpiresAt = timeOf(item.expires_at_ms)
	out.LeaseExpiresAt = timeOf(item.lease_expires_at_ms)
}

func headersOf(item *C.bq_delivery) map[string]string {
	if item.header_count == 0 {
		return nil
	}
	headers := make(map[string]string, item.header_count)
	for _, header := range unsafe.Slice(item.headers, int(item.header_count)) {
		headers[textOf(header.name)] = textOf(header.value)
	}
	return headers
}

// bytesOf looks at bytes of the library, in place.
func bytesOf(slice C.bq_slice) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(slice.data)), int(slice.len))
}

func textOf(slice C.bq_slice) string { return string(bytesOf(slice)) }

func isText(slice C.bq_slice, text string) bool { return string(bytesOf(slice)) == text }
