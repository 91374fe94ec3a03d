package blockqueue

// #include "blockqueue.h"
//
// #cgo nocallback bq_topic_create
// #cgo nocallback bq_topic_get
// #cgo nocallback bq_topic_list
// #cgo nocallback bq_topic_update
// #cgo nocallback bq_topic_delete
// #cgo nocallback bq_topic_pause
// #cgo nocallback bq_topic_resume
import "C"

import (
	"context"
	"iter"
	"maps"
	"time"
)

// Retention says which settled messages a topic keeps, so that subscribers can go back to them. Zero: none. At most
// one field is set.
type Retention struct {
	// Those of this last while.
	Duration time.Duration
	// The newest of them.
	Count uint64
	// The newest, up to so many bytes of payload.
	Bytes uint64
}

// BacklogPolicy says what happens to a publish over the limit.
type BacklogPolicy string

const (
	// BacklogRefuse refuses the publish with [ErrBacklogFull]. The default.
	BacklogRefuse BacklogPolicy = "refuse"
	// BacklogDropOldest drops the oldest messages.
	BacklogDropOldest BacklogPolicy = "drop_oldest"
)

// BacklogLimit bounds what waits in a topic. Zero fields are no limit.
type BacklogLimit struct {
	Messages uint64
	Bytes    uint64
	Age      time.Duration
	Policy   BacklogPolicy
}

// TopicOptions are the settings of a topic. Zero means the default.
type TopicOptions struct {
	// Which settled messages are kept. Default: none.
	Retention Retention
	// What may wait. Default: anything.
	BacklogLimit BacklogLimit
	// How long an idempotency key is remembered. Default 24 h.
	IdempotencyWindow time.Duration
	// Messages are not delivered any more this long after they were published. Default: they always are.
	TTL time.Duration
}

// NewTopic says how to create a topic.
type NewTopic struct {
	Options TopicOptions
	// The topic's first subscribers, created with it.
	Subscribers []NewSubscriber
}

// TopicChange are settings to change: what is nil stays as it was. What is zero behind a pointer is taken back.
type TopicChange struct {
	Retention         *Retention
	BacklogLimit      *BacklogLimit
	IdempotencyWindow *time.Duration
	TTL               *time.Duration
}

// Topic is a named stream of messages.
type Topic struct {
	ID        int64
	Name      string
	Paused    bool
	CreatedAt time.Time
	Options   TopicOptions
}

// CreateTopic creates a topic, perhaps with its first subscribers. How may be nil.
func (q *Queue) CreateTopic(ctx context.Context, topic string, how *NewTopic) (Topic, error) {
	if how == nil {
		how = &NewTopic{}
	}
	settings, err := encodeSettings(how)
	if err != nil {
		return Topic{}, err
	}
	return ask[Topic](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_topic_create(
			q.handle, chars(topic), length(topic), chars(settings), length(settings), answer, refused)
	})
}

// Topic looks a topic up.
func (q *Queue) Topic(ctx context.Context, topic string) (Topic, error) {
	return ask[Topic](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_topic_get(q.handle, chars(topic), length(topic), answer, refused)
	})
}

// Topics is a page of topics, by name. Page may be nil.
func (q *Queue) Topics(ctx context.Context, page *Page) (Listed[Topic], error) {
	at := page.given()
	return ask[Listed[Topic]](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_topic_list(q.handle, C.size_t(at.Limit), optional(at.After), length(at.After), answer, refused)
	})
}

// AllTopics is every topic, by name. It ends with the first error.
func (q *Queue) AllTopics(ctx context.Context) iter.Seq2[Topic, error] {
	return pages(func(page Page) (Listed[Topic], error) { return q.Topics(ctx, &page) })
}

// UpdateTopic changes settings of a topic.
func (q *Queue) UpdateTopic(ctx context.Context, topic string, change TopicChange) (Topic, error) {
	settings, err := encodeSettings(change)
	if err != nil {
		return Topic{}, err
	}
	return ask[Topic](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_topic_update(
			q.handle, chars(topic), length(topic), chars(settings), length(settings), answer, refused)
	})
}

// DeleteTopic deletes a topic with its messages, subscribers and schedules. Waiting claims get [ErrUnknownTopic].
func (q *Queue) DeleteTopic(ctx context.Context, topic string) error {
	return q.call(ctx, func(refused **C.bq_error) C.bq_status {
		return C.bq_topic_delete(q.handle, chars(topic), length(topic), refused)
	})
}

// PauseTopic stops claims on all subscribers of a topic: they wait as on an empty one.
func (q *Queue) PauseTopic(ctx context.Context, topic string) error {
	return q.call(ctx, func(refused **C.bq_error) C.bq_status {
		return C.bq_topic_pause(q.handle, chars(topic), length(topic), refused)
	})
}

// ResumeTopic lets claims go on.
func (q *Queue) ResumeTopic(ctx context.Context, topic string) error {
	return q.call(ctx, func(refused **C.bq_error) C.bq_status {
		return C.bq_topic_resume(q.handle, chars(topic), length(topic), refused)
	})
}

func (r Retention) wireOut(members map[string]any) any {
	if r == (Retention{}) {
		return "none"
	}
	// What is zero is not meant, even where zeros are written.
	maps.DeleteFunc(members, func(_ string, value any) bool { return value == int64(0) || value == uint64(0) })
	return members
}

func (r *Retention) wireIn(found any) any {
	if found == "none" {
		return map[string]any{}
	}
	return found
}

func (c TopicChange) wireOut(members map[string]any) any {
	noneIfZero(members, "ttl_ms")
	return members
}

// noneIfZero takes settings back that are there and zero.
func noneIfZero(members map[string]any, words ...string) {
	for _, word := range words {
		switch members[word] {
		case int64(0), uint32(0), "":
			members[word] = "none"
		}
	}
}
