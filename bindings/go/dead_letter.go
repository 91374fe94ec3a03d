package blockqueue

// #include "blockqueue.h"
//
// #cgo nocallback bq_dead_letters_list
// #cgo nocallback bq_dead_letters_redrive
// #cgo nocallback bq_dead_letters_purge
// #cgo nocallback bq_failures_list
import "C"

import (
	"context"
	"iter"
	"time"
)

// DeadLetter is a delivery out of attempts, kept for people.
type DeadLetter struct {
	Message  MessageView
	Attempts int
	Failures int
	// What the last failure said, if it said anything.
	Error  string
	DeadAt time.Time
}

// Failure is one attempt that ended badly.
type Failure struct {
	// Its number, from 1.
	Failure  int
	Error    string
	FailedAt time.Time
}

// Selection says which dead letters: from [All], [Oldest] or [IDs].
type Selection struct{ words any }

// All is every dead letter of the subscriber.
func All() Selection { return Selection{"all"} }

// Oldest is so many of them that have been dead for longest.
func Oldest(count uint64) Selection { return Selection{map[string]any{"oldest": count}} }

// IDs is those of these messages, up to 1,000.
func IDs(ids ...ID) Selection {
	if ids == nil {
		ids = []ID{}
	}
	return Selection{map[string]any{"ids": ids}}
}

func (s Selection) wireOut(map[string]any) any { return s.words }

// RedriveOptions are how to redrive. Zero: all of them, into the topic they came from, at once.
type RedriveOptions struct {
	// Which dead letters. Default: all.
	Which Selection
	// Only those whose message passes. Default: all.
	Filter Filter
	// The topic that gets them as new messages, instead of the subscriber itself.
	To string
	// How many a second become deliverable. Default: all at once.
	Rate float64
	// Only count them.
	DryRun bool
}

// PurgeOptions are how to purge.
type PurgeOptions struct {
	// Only those whose message passes. Default: all.
	Filter Filter
	// Only count them.
	DryRun bool
}

type purge struct {
	Which  Selection
	Filter Filter
	DryRun bool
}

type counted struct{ Count uint64 }

// DeadLetters is a page of the dead letters of a subscriber, oldest first. Page may be nil.
func (q *Queue) DeadLetters(ctx context.Context, topic, subscriber string, page *Page) (Listed[DeadLetter], error) {
	at := page.given()
	return ask[Listed[DeadLetter]](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_dead_letters_list(
			q.handle, chars(topic), length(topic), chars(subscriber), length(subscriber),
			C.size_t(at.Limit), optional(at.After), length(at.After), answer, refused)
	})
}

// AllDeadLetters is every dead letter of a subscriber, oldest first. It ends with the first error.
func (q *Queue) AllDeadLetters(ctx context.Context, topic, subscriber string) iter.Seq2[DeadLetter, error] {
	return pages(func(page Page) (Listed[DeadLetter], error) { return q.DeadLetters(ctx, topic, subscriber, &page) })
}

// Redrive gives dead letters all their attempts again, and answers how many. Options may be nil.
func (q *Queue) Redrive(ctx context.Context, topic, subscriber string, options *RedriveOptions) (uint64, error) {
	if options == nil {
		options = &RedriveOptions{}
	}
	how, err := encodeSettings(options)
	if err != nil {
		return 0, err
	}
	found, err := ask[counted](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_dead_letters_redrive(
			q.handle, chars(topic), length(topic), chars(subscriber), length(subscriber),
			chars(how), length(how), answer, refused)
	})
	return found.Count, err
}

// PurgeDeadLetters deletes dead letters for good, and answers how many. Options may be nil.
func (q *Queue) PurgeDeadLetters(
	ctx context.Context, topic, subscriber string, which Selection, options *PurgeOptions,
) (uint64, error) {
	given := purge{Which: which}
	if options != nil {
		given.Filter, given.DryRun = options.Filter, options.DryRun
	}
	how, err := encodeSettings(given)
	if err != nil {
		return 0, err
	}
	found, err := ask[counted](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_dead_letters_purge(
			q.handle, chars(topic), length(topic), chars(subscriber), length(subscriber),
			chars(how), length(how), answer, refused)
	})
	return found.Count, err
}

// Failures is a page of what went wrong with a message for a subscriber. Page may be nil.
func (q *Queue) Failures(
	ctx context.Context, topic, subscriber string, message ID, page *Page,
) (Listed[Failure], error) {
	at := page.given()
	return ask[Listed[Failure]](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
		return C.bq_failures_list(
			q.handle, chars(topic), length(topic), chars(subscriber), length(subscriber), message.c(),
			C.size_t(at.Limit), optional(at.After), length(at.After), answer, refused)
	})
}
