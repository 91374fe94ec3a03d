package blockqueue

import (
	"context"
	"iter"
	"time"
)

// ConsumeOptions are how to consume. Zero means the default.
type ConsumeOptions struct {
	// How many deliveries are claimed at once; up to 1,000. Default: as the subscriber says, which is 10 if nobody
	// said.
	Batch int
	// How long deliveries are leased; up to 12 h. Default: as the subscriber says.
	Lease time.Duration
	// Stop when nothing came for this long. Default: go on until the context ends.
	Idle time.Duration
}

// waitOnce is how long one claim waits; the next one follows.
const waitOnce = time.Minute

// Deliveries is what there is to consume, one delivery after the other:
//
//	for delivery, err := range queue.Deliveries(ctx, "orders", "email", nil) {
//		if err != nil {
//			return err
//		}
//		…
//		if err := delivery.Ack(ctx); err != nil { … }
//	}
//
// Each delivery is the loop's to settle. An error ends it, and so does the end of the context, with the context's
// error. When the loop is left, what was claimed and not seen yet is given back, as if it had never been claimed.
// Leases of what waits in the loop are extended before they run out. Options may be nil.
func (q *Queue) Deliveries(
	ctx context.Context, topic, subscriber string, options *ConsumeOptions,
) iter.Seq2[*Delivery, error] {
	if options == nil {
		options = &ConsumeOptions{}
	}
	return func(yield func(*Delivery, error) bool) {
		for {
			claimed, err := q.claimNext(ctx, topic, subscriber, options)
			if err != nil {
				yield(nil, err)
				return
			}
			if len(claimed) == 0 {
				return
			}
			if !q.yieldAll(ctx, claimed, yield) {
				return
			}
		}
	}
}

// claimNext waits for the next deliveries; none when it was idle for too long.
func (q *Queue) claimNext(
	ctx context.Context, topic, subscriber string, options *ConsumeOptions,
) ([]*Delivery, error) {
	claim := ClaimOptions{Limit: options.Batch, Lease: options.Lease, Wait: waitOnce}
	deadline := time.Now().Add(options.Idle)
	for {
		if options.Idle > 0 {
			claim.Wait = max(min(time.Until(deadline), waitOnce), 0)
		}
		claimed, err := q.Claim(ctx, topic, subscriber, &claim)
		if err != nil || len(claimed) > 0 {
			return claimed, err
		}
		if options.Idle > 0 && !time.Now().Before(deadline) {
			return nil, nil
		}
	}
}

// yieldAll hands a batch out; false when the loop was left.
func (q *Queue) yieldAll(ctx context.Context, batch []*Delivery, yield func(*Delivery, error) bool) bool {
	rest := batch
	// Also when the body of the loop panics.
	defer func() { q.giveBack(rest) }()
	keeper := newKeeper(q, batch)
	for len(rest) > 0 {
		if ctx.Err() != nil {
			yield(nil, ctx.Err())
			return false
		}
		rest = keeper.keep(ctx, rest)
		if len(rest) == 0 {
			break
		}
		next := rest[0]
		rest = rest[1:]
		if !yield(next, nil) {
			return false
		}
	}
	return true
}

// giveBack defers deliveries by no time: others can claim them at once. It does so although a context may have ended: that
// is mostly why. What cannot be given back comes back when its lease expires.
func (q *Queue) giveBack(deliveries []*Delivery) {
	for len(deliveries) > 0 {
		now := deliveries[:min(len(deliveries), settleMax)]
		deliveries = deliveries[len(now):]
		deferrals := make([]Deferral, len(now))
		for at, delivery := range now {
			deferrals[at].Receipt = delivery.Receipt
		}
		_, _ = q.DeferBatch(context.Background(), deferrals)
	}
}

// settleMax is as many receipts as one call takes.
const settleMax = 1000

// keeper extends the leases of what waits in a loop.
type keeper struct {
	queue *Queue
	lease time.Duration
	// When half of the lease is over.
	due time.Time
}

func newKeeper(q *Queue, claimed []*Delivery) *keeper {
	// By the clock of the queue the lease has just begun.
	lease := max(time.Until(claimed[0].LeaseExpiresAt), 2*time.Millisecond)
	return &keeper{queue: q, lease: lease, due: time.Now().Add(lease / 2)}
}

// keep extends what waits if half of the lease is over, and leaves out what was lost.
func (k *keeper) keep(ctx context.Context, waiting []*Delivery) []*Delivery {
	if time.Now().Before(k.due) {
		return waiting
	}
	answers, err := k.queue.ExtendBatch(ctx, receiptsOf(waiting), k.lease)
	if err != nil {
		// The receipts say it when they are used.
		return waiting
	}
	k.due = time.Now().Add(k.lease / 2)
	kept := waiting[:0:0]
	for at, delivery := range waiting {
		if answers[at].Err == nil {
			delivery.LeaseExpiresAt = answers[at].At
			kept = append(kept, delivery)
		}
	}
	return kept
}

func receiptsOf(deliveries []*Delivery) []Receipt {
	receipts := make([]Receipt, len(deliveries))
	for at, delivery := range deliveries {
		receipts[at] = delivery.Receipt
	}
	return receipts
}
