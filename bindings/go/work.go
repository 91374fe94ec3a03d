package blockqueue

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// work is a worker that runs: one goroutine that claims, one that extends leases, and the handlers.
//
// Invariant: a delivery that was claimed is in held until it is settled or given back.
type work struct {
	Worker

	mu     sync.Mutex
	held   map[Receipt]struct{}
	report WorkerReport
}

func (w *work) run(ctx context.Context) (WorkerReport, error) {
	w.Logger.Info("worker starts", "concurrency", w.Concurrency)
	// What handlers get: it outlives the context of Run by the time to drain.
	handling, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	beating, rest := context.WithCancel(context.Background())
	var heart sync.WaitGroup
	heart.Add(1)
	go func() { defer heart.Done(); w.beat(beating) }()

	places := make(chan struct{}, w.Concurrency)
	err := w.claimAll(ctx, handling, places)
	w.drain(places, abandon)
	rest()
	heart.Wait()

	report := w.reported()
	w.Logger.Info("worker ends", "acked", report.Acked, "failed", report.Failed, "lost", report.Lost,
		"unfinished", report.Unfinished, "error", err)
	return report, err
}

// claimAll claims and begins until the context ends, which is no error, or the queue says something that will not
// pass.
func (w *work) claimAll(ctx, handling context.Context, places chan struct{}) error {
	pause := pauseMin
	options := ClaimOptions{Limit: w.Batch, Lease: w.Lease, Wait: waitOnce}
	for {
		// A place first, so that nothing is claimed that cannot be begun.
		select {
		case places <- struct{}{}:
			<-places
		case <-ctx.Done():
			return nil
		}
		claimed, err := w.Queue.Claim(ctx, w.Topic, w.Subscriber, &options)
		switch {
		case err == nil:
			pause = pauseMin
			w.beginAll(ctx, handling, claimed, places)
		case ctx.Err() != nil:
			return nil
		case !mayPass(err):
			w.Logger.Error("claim failed", "error", err)
			return err
		default:
			w.Logger.Error("claim failed, and is tried again", "error", err)
			// Not all workers at the same moment.
			sleep(ctx, time.Duration(float64(pause)*(0.5+rand.Float64()/2)))
			pause = min(2*pause, pauseMax)
		}
	}
}

// The first pause after an error that may pass, and the longest.
const (
	pauseMin = 100 * time.Millisecond
	pauseMax = 5 * time.Second
)

func mayPass(err error) bool {
	var failure *Error
	return errors.As(err, &failure) && failure.Code.Retry() != RetryNever
}

func sleep(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// beginAll begins each as soon as there is a place, and gives back what has none when the context ends.
func (w *work) beginAll(ctx, handling context.Context, claimed []*Delivery, places chan struct{}) {
	w.hold(claimed)
	for at, delivery := range claimed {
		if ctx.Err() == nil {
			select {
			case places <- struct{}{}:
				go func() {
					defer func() { <-places }()
					w.handle(handling, delivery)
				}()
				continue
			case <-ctx.Done():
			}
		}
		w.Queue.giveBack(claimed[at:])
		w.release(claimed[at:])
		return
	}
}

// drain waits for the handlers that run. When it is over, those that are left are told by their context, and what
// they hold expires.
func (w *work) drain(places chan struct{}, abandon func()) {
	timer := time.NewTimer(max(w.Drain, 0))
	defer timer.Stop()
	for free := range w.Concurrency {
		select {
		case places <- struct{}{}:
			continue
		default:
		}
		select {
		case places <- struct{}{}:
		case <-timer.C:
			abandon()
			w.mu.Lock()
			w.report.Unfinished = uint64(w.Concurrency - free)
			w.mu.Unlock()
			return
		}
	}
}

// beat extends all leases together at a third of the lease.
func (w *work) beat(ctx context.Context) {
	ticker := time.NewTicker(w.Lease / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		for receipts := w.receipts(); len(receipts) > 0; {
			now := receipts[:min(len(receipts), settleMax)]
			receipts = receipts[len(now):]
			// A lease that is lost shows when its delivery is settled.
			if _, err := w.Queue.ExtendBatch(ctx, now, w.Lease); err != nil && ctx.Err() == nil {
				w.Logger.Error("leases could not be extended", "error", err)
			}
		}
	}
}

func (w *work) hold(deliveries []*Delivery) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, delivery := range deliveries {
		w.held[delivery.Receipt] = struct{}{}
	}
}

func (w *work) release(deliveries []*Delivery) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, delivery := range deliveries {
		delete(w.held, delivery.Receipt)
	}
}

func (w *work) receipts() []Receipt {
	w.mu.Lock()
	defer w.mu.Unlock()
	receipts := make([]Receipt, 0, len(w.held))
	for receipt := range w.held {
		receipts = append(receipts, receipt)
	}
	return receipts
}

func (w *work) reported() WorkerReport {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.report
}
