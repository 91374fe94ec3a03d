package blockqueue

// #include "blockqueue.h"
//
// #cgo noescape bq_queue_claim
// #cgo nocallback bq_queue_claim
// #cgo nocallback bq_queue_claim_start
// #cgo nocallback bq_queue_claim_any_start
// #cgo nocallback bq_deliveries_release
import "C"

import (
	"context"
	"runtime"
	"time"
	"unsafe"
)

// ClaimOptions are how to claim. Zero means the default.
type ClaimOptions struct {
	// At most this many deliveries; up to 1,000. Default: as the subscriber says, which is 10 if nobody said.
	Limit int
	// How long to wait when there is nothing to claim; up to 1 h. Default: not at all. The end of the context ends
	// the wait, too.
	Wait time.Duration
	// How long the deliveries are leased; up to 12 h. Default: as the subscriber says, which is 30 s if nobody
	// said.
	Lease time.Duration
}

// Source is one subscriber of one topic.
type Source struct {
	Topic, Subscriber string
}

// waitMax is as long as a claim may wait. The library refuses more, whether there is something or not.
const waitMax = C.int64_t(time.Hour / time.Millisecond)

// within is as long as a claim waits that is cancelled at the deadline of its context: a little longer than that.
// The library forgets it then, even if nobody publishes.
func within(ctx context.Context, waitMS C.int64_t) C.int64_t {
	if deadline, ok := ctx.Deadline(); ok && waitMS > 0 && waitMS <= waitMax {
		return max(min(waitMS, C.int64_t(milliseconds(time.Until(deadline)+time.Second))), 1)
	}
	return waitMS
}

func (o *ClaimOptions) c() C.bq_claim_options {
	var out C.bq_claim_options
	out.size = C.size_t(unsafe.Sizeof(out))
	if o != nil {
		out.limit = C.size_t(o.Limit)
		out.wait_ms = C.int64_t(milliseconds(o.Wait))
		out.lease_ms = C.int64_t(milliseconds(o.Lease))
	}
	return out
}

// Claim leases deliveries of one subscriber; none is no error. It waits as the options say, without holding a thread
// of the operating system, and is woken by the transaction that publishes: there is no polling.
//
// If the context ends, it returns the context's error at once, and what it got at that very moment is given back, as
// if it had never been claimed.
func (q *Queue) Claim(ctx context.Context, topic, subscriber string, options *ClaimOptions) ([]*Delivery, error) {
	given := options.c()
	if wait := within(ctx, given.wait_ms); wait <= waitMax {
		// What is there already is had for less without waiting.
		given.wait_ms = min(wait, 0)
		claimed, err := q.claimNow(ctx, topic, subscriber, &given)
		if err != nil || len(claimed) > 0 || wait == 0 {
			return claimed, err
		}
		given.wait_ms = wait
	}
	answer, err := q.await(ctx, func(to *C.bq_completions, tag C.uint64_t, refused **C.bq_error) C.bq_status {
		return C.bq_queue_claim_start(
			q.handle, chars(topic), length(topic), chars(subscriber), length(subscriber), &given, to, tag, refused)
	})
	if err != nil {
		return nil, err
	}
	return q.take(ctx, answer)
}

func (q *Queue) claimNow(
	ctx context.Context, topic, subscriber string, given *C.bq_claim_options,
) ([]*Delivery, error) {
	if err := q.enter(ctx); err != nil {
		return nil, err
	}
	defer q.leave()
	var handle *C.bq_deliveries
	var refused *C.bq_error
	status := C.bq_queue_claim(
		q.handle, chars(topic), length(topic), chars(subscriber), length(subscriber), given, nil, &handle, &refused)
	if status != 0 {
		return nil, failure(status, refused)
	}
	return q.deliveries(handle), nil
}

// ClaimAny is as [Queue.Claim], from the first of these subscribers that has any, up to 100. They are looked at in the
// order given, so an earlier one may starve a later one.
func (q *Queue) ClaimAny(ctx context.Context, sources []Source, options *ClaimOptions) ([]*Delivery, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var pinner runtime.Pinner
	defer pinner.Unpin()
	given := options.c()
	places := make([]C.bq_source, len(sources)+1)
	for at, source := range sources {
		places[at].topic = pinned(&pinner, source.Topic)
		places[at].subscriber = pinned(&pinner, source.Subscriber)
	}
	answer, err := q.await(ctx, func(to *C.bq_completions, tag C.uint64_t, refused **C.bq_error) C.bq_status {
		return C.bq_queue_claim_any_start(
			q.handle, &places[0], C.size_t(len(sources)), &given, to, tag, refused)
	})
	if err != nil {
		return nil, err
	}
	return q.take(ctx, answer)
}

func pinned(pinner *runtime.Pinner, text string) C.bq_slice {
	if text == "" {
		return C.bq_slice{}
	}
	pinner.Pin(unsafe.StringData(text))
	return C.bq_slice{data: chars(text), len: length(text)}
}

// take hands out what a claim that waited got, unless nobody wants it any more.
func (q *Queue) take(ctx context.Context, answer C.bq_completion) ([]*Delivery, error) {
	if ctx.Err() == nil {
		return q.deliveries(answer.deliveries), nil
	}
	// If that fails the leases expire.
	C.bq_deliveries_release(q.handle, answer.deliveries, nil)
	C.bq_deliveries_free(answer.deliveries)
	runtime.KeepAlive(q)
	return nil, ctx.Err()
}
