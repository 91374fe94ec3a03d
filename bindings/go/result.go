package blockqueue

// #include "blockqueue.h"
//
// #cgo nocallback bq_result_get
// #cgo nocallback bq_result_start
import "C"

import (
	"context"
	"time"
)

// ResultState says what came of a message for one subscriber.
type ResultState string

const (
	// ResultReplied: settled, with a reply.
	ResultReplied ResultState = "replied"
	// ResultSettled: settled without a reply, or the reply is not kept any more.
	ResultSettled ResultState = "settled"
	// ResultDeadLettered: out of attempts.
	ResultDeadLettered ResultState = "dead_lettered"
	// ResultUnsettled: not done yet.
	ResultUnsettled ResultState = "unsettled"
)

// Result is what came of a message for one subscriber.
type Result struct {
	State ResultState
	// The reply; nil unless there is one.
	Payload     []byte
	ContentType string
	RepliedAt   time.Time
	// Until when the reply is kept.
	ExpiresAt time.Time
}

// Result waits up to this long, at most 1 h, until the message is settled for the subscriber, and says what came of
// it. It waits without holding a thread of the operating system, and the end of the context ends it. With no time to
// wait it says what is there now.
func (q *Queue) Result(
	ctx context.Context, topic, subscriber string, message ID, wait time.Duration,
) (Result, error) {
	if wait == 0 {
		return ask[Result](ctx, q, func(answer **C.bq_text, refused **C.bq_error) C.bq_status {
			return C.bq_result_get(
				q.handle, chars(topic), length(topic), chars(subscriber), length(subscriber), message.c(),
				0, nil, answer, refused)
		})
	}
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	answer, err := q.await(ctx, func(to *C.bq_completions, tag C.uint64_t, refused **C.bq_error) C.bq_status {
		return C.bq_result_start(
			q.handle, chars(topic), length(topic), chars(subscriber), length(subscriber), message.c(),
			C.int64_t(milliseconds(wait)), to, tag, refused)
	})
	if err != nil {
		return Result{}, err
	}
	return readText[Result](answer.text)
}
