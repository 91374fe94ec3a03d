package blockqueue

// #include "blockqueue.h"
import "C"

import (
	"runtime"
	"time"
	"unsafe"
)

// Message is what a publisher says. Zero fields are left out.
type Message struct {
	// Any bytes, also none.
	Payload []byte
	// What the payload is, for example "application/json".
	ContentType string
	// What goes with it, by name.
	Headers map[string]string
	// Ties the message to others, for example to a request.
	CorrelationID string
	// A repeat of the key within the topic's window publishes nothing and answers with the first id.
	IdempotencyKey string
	// Messages of one key go to a subscriber that asks for order one at a time.
	OrderingKey string
	// While some subscriber is not done with a message of this key, the topic takes no other of it.
	UniqueKey string
	// Deliver it this long after now. Not together with DeliverAt.
	Delay time.Duration
	// Deliver it at this time; a time in the past means now.
	DeliverAt time.Time
	// It is not delivered any more this long after it was published. Default: as the topic says.
	TTL time.Duration
	// From -1000 to 1000; higher is delivered first, and lower ones may starve.
	Priority int16
}

// Text is a message with this text.
func Text(text string) Message { return Message{Payload: []byte(text)} }

// isPlain says that there is nothing but a payload.
func (m *Message) isPlain() bool {
	return m.ContentType == "" && len(m.Headers) == 0 && m.CorrelationID == "" && m.IdempotencyKey == "" &&
		m.OrderingKey == "" && m.UniqueKey == "" && m.Delay == 0 && m.DeliverAt.IsZero() && m.TTL == 0 &&
		m.Priority == 0
}

// packed are messages as the library takes them. All that they point to is pinned until release.
type packed struct {
	messages []C.bq_message
	options  []C.bq_message_options
	headers  []C.bq_header
	// Every text and payload, one behind the other, so that there is one thing to pin.
	bytes  []byte
	pinner runtime.Pinner
}

func pack(messages []Message) *packed {
	p := &packed{}
	var size, headers int
	for at := range messages {
		size += messages[at].size()
		headers += len(messages[at].Headers)
	}
	// With room for all, so that nothing moves. At least 1, so that an empty text has a place that is not NULL.
	p.bytes = make([]byte, 0, size+1)
	p.headers = make([]C.bq_header, 0, headers)
	p.options = make([]C.bq_message_options, len(messages))
	p.messages = make([]C.bq_message, len(messages))
	p.pinner.Pin(unsafe.SliceData(p.bytes))
	p.pinner.Pin(unsafe.SliceData(p.options))
	if headers > 0 {
		p.pinner.Pin(unsafe.SliceData(p.headers))
	}
	for at := range messages {
		p.fill(&p.messages[at], &p.options[at], &messages[at])
	}
	return p
}

func (p *packed) release() { p.pinner.Unpin() }

// size is how many bytes all its texts and its payload have.
func (m *Message) size() int {
	size := len(m.Payload) + len(m.ContentType) + len(m.CorrelationID) + len(m.IdempotencyKey) +
		len(m.OrderingKey) + len(m.UniqueKey)
	for name, value := range m.Headers {
		size += len(name) + len(value)
	}
	return size
}

func (p *packed) fill(out *C.bq_message, options *C.bq_message_options, message *Message) {
	out.payload = p.slice(len(message.Payload))
	p.bytes = append(p.bytes, message.Payload...)
	out.options = options
	options.size = C.size_t(unsafe.Sizeof(*options))
	options.content_type = p.optional(message.ContentType)
	options.correlation_id = p.optional(message.CorrelationID)
	options.idempotency_key = p.optional(message.IdempotencyKey)
	options.ordering_key = p.optional(message.OrderingKey)
	options.unique_key = p.optional(message.UniqueKey)
	options.delay_ms = C.int64_t(milliseconds(message.Delay))
	options.deliver_at_ms = C.int64_t(instant(message.DeliverAt))
	options.ttl_ms = C.int64_t(milliseconds(message.TTL))
	options.priority = C.int32_t(message.Priority)
	if len(message.Headers) == 0 {
		return
	}
	first := len(p.headers)
	for name, value := range message.Headers {
		p.headers = append(p.headers, C.bq_header{name: p.text(name), value: p.text(value)})
	}
	options.headers = &p.headers[first]
	options.header_count = C.size_t(len(message.Headers))
}

// slice is where the next bytes go.
func (p *packed) slice(length int) C.bq_slice {
	next := unsafe.Add(unsafe.Pointer(unsafe.SliceData(p.bytes)), len(p.bytes))
	return C.bq_slice{data: (*C.char)(next), len: C.size_t(length)}
}

func (p *packed) text(text string) C.bq_slice {
	out := p.slice(len(text))
	p.bytes = append(p.bytes, text...)
	return out
}

func (p *packed) optional(text string) C.bq_slice {
	if text == "" {
		return C.bq_slice{}
	}
	return p.text(text)
}

// instant is in milliseconds since 1970; 0 stands for none.
func instant(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMilli()
}

func timeOf(ms C.int64_t) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(ms)).UTC()
}
