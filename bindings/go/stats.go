package blockqueue

// #include "blockqueue.h"
//
// #cgo nocallback bq_topic_stats
// #cgo nocallback bq_subscriber_stats
// #cgo nocallback bq_queue_stats
// #cgo nocallback bq_queue_diagnose
import "C"

import (
	"context"
	"time"
)

// TopicStats is a topic in numbers.
type TopicStats struct {
	Topic          string
	Paused         bool
	PublishedCount uint64
	DelayedCount   uint64
	RetainedCount  uint64
	RetainedBytes  uint64
	Logs           []LogStats
	Subscribers    []SubscriberStats
}

// LogStats is the messages of one priority in numbers.
type LogStats struct {
	Priority        int16
	LastSequence    uint64
	TrimmedSequence uint64
}

// SubscriberStats is a subscriber in numbers.
type SubscriberStats struct {
	Topic         string
	Subscriber    string
	Paused        bool
	PendingCount  uint64
	PendingBytes  uint64
	ReadyCount    uint64
	LeasedCount   uint64
	RetryingCount uint64
	ParkedCount   uint64
	DeadCount     uint64
	// Whether the counts are exact, or bounds.
	Exact bool
	// How long the oldest of what is pending has been; nil if nothing is.
	OldestAge       *time.Duration
	Cursors         []CursorStats
	ClaimedCount    uint64
	AckedCount      uint64
	NackedCount     uint64
	ExpiredCount    uint64
	TTLExpiredCount uint64
	FilteredCount   uint64
	DroppedCount    uint64
}

// CursorStats says how far a subscriber has read in the messages of one priority.
type CursorStats struct {
	Priority     int16
	Sequence     uint64
	LastSequence uint64
}

// EngineStats is what the engine of this process has done since the queue was opened.
type EngineStats struct {
	Commits       uint64
	Operations    uint64
	FailedCommits uint64
	// How many commits had at most 1, 4, 16, 64, 256, 1,024 and 4,096 operations.
	CommitsBySize []uint64
	// How many commits took at most 1, 4, 16, 64, 256 and 1,024 ms, and how many longer.
	CommitsByDuration []uint64
	CommitTime        time.Duration
	WaitingClaims     uint64
	FileBytes         uint64
	WALBytes          uint64
}

// TopicStats is a topic in numbers, with its subscribers. It costs the same whatever the backlog.
func (q *Queue) TopicStats(ctx context.Context, topic string) (TopicStats, error) {
	return ask[TopicStats](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_topic_stats(q.handle, chars(topic), length(topic), answer, refused)
	})
}

// SubscriberStats is a subscriber in numbers. It costs the same whatever the backlog.
func (q *Queue) SubscriberStats(ctx context.Context, topic, subscriber string) (SubscriberStats, error) {
	return ask[SubscriberStats](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_subscriber_stats(
			q.handle, chars(topic), length(topic), chars(subscriber), length(subscriber), answer, refused)
	})
}

// EngineStats is what the engine of this process has done since the queue was opened.
func (q *Queue) EngineStats(ctx context.Context) (EngineStats, error) {
	return ask[EngineStats](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_queue_stats(q.handle, answer, refused)
	})
}

// Diagnosis is what an examination of the file found.
type Diagnosis struct {
	// The schema version of the file.
	SchemaVersion uint32
	// The SQLite in the library.
	SQLiteVersion string `wire:"sqlite_version"`
	FileBytes     uint64
	WALBytes      uint64
	// Bytes in the file that are free for new messages.
	FreeBytes uint64
	// What is wrong, in words; empty if all is well.
	Problems []string
	// What could be better, in words.
	Advice []string
}

// Diagnose examines the file, and says what is wrong and what could be better. It reads all of the file, and is not
// interrupted by the end of the context.
func (q *Queue) Diagnose(ctx context.Context) (Diagnosis, error) {
	return ask[Diagnosis](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_queue_diagnose(q.handle, answer, refused)
	})
}
