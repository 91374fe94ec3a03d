package blockqueue

import (
	"context"
	"log/slog"
	"time"
)

// Worker claims deliveries of one subscriber, runs a handler for each, and settles them:
//
//	worker := blockqueue.Worker{Queue: queue, Topic: "orders", Subscriber: "email", Concurrency: 8, Handler: send}
//	err := worker.Run(ctx)
//
// A delivery is acked only after its handler has returned nil. An error is reported with its text, and the delivery is
// tried again as the subscriber's retry policy says, unless the error is from [RetryAfter] or [GiveUp]; so is a
// panic. Leases of everything that the worker holds are extended together, at a third of the lease.
type Worker struct {
	// The queue, the topic and the subscriber.
	Queue             *Queue
	Topic, Subscriber string
	// What is done with a delivery, on a goroutine of its own. Its context ends when the time to drain is over.
	Handler func(context.Context, *Delivery) error
	// As Handler, with a reply that is stored for whoever waits for the message's result; nil is no reply. Give one
	// of the two.
	ReplyHandler func(context.Context, *Delivery) (*Reply, error)
	// How many handlers run at a time; up to 1,000. Default 1.
	Concurrency int
	// How many deliveries are claimed at once; up to 1,000. Default: the concurrency. They wait for a free place
	// under their leases.
	Batch int
	// How long deliveries are leased, at least 3 ms. Default: the subscriber's lease. A worker that dies holds its
	// deliveries back for this long.
	Lease time.Duration
	// How long running handlers may go on when Run is to end. Default 30 s. A negative time: not at all.
	Drain time.Duration
	// Where it says what it does: failures of handlers at Warn, errors of the queue at Error, its start and end at
	// Info. Default: [slog.Default].
	Logger *slog.Logger
}

// WorkerReport is what a worker has done.
type WorkerReport struct {
	// Deliveries whose handler succeeded, and that were acked.
	Acked uint64
	// Deliveries whose handler failed or panicked, or that could not be settled.
	Failed uint64
	// Deliveries whose lease was lost before they could be settled: somebody else has them.
	Lost uint64
	// Handlers that had not returned when the time to drain was over.
	Unfinished uint64
}

const drainDefault = 30 * time.Second

// Run works until the context ends; then it claims nothing more, gives back what was not begun, waits for running
// handlers, and returns nil. It returns early, with an error, when the queue says something that will not pass, such as
// [ErrUnknownSubscriber] or [ErrShutdown].
func (w *Worker) Run(ctx context.Context) error {
	_, err := w.RunReporting(ctx)
	return err
}

// RunReporting is as [Worker.Run], and says what was done.
func (w *Worker) RunReporting(ctx context.Context) (WorkerReport, error) {
	work, err := w.prepare(ctx)
	if err != nil {
		return WorkerReport{}, err
	}
	return work.run(ctx)
}

// prepare checks the settings and fills in the defaults.
func (w *Worker) prepare(ctx context.Context) (*work, error) {
	if w.Queue == nil || (w.Handler == nil) == (w.ReplyHandler == nil) {
		return nil, invalid("a worker has a queue and one handler")
	}
	out := &work{Worker: *w, held: map[Receipt]struct{}{}}
	if out.Concurrency == 0 {
		out.Concurrency = 1
	}
	if out.Batch == 0 {
		out.Batch = out.Concurrency
	}
	if out.Concurrency < 1 || out.Concurrency > settleMax || out.Batch < 1 || out.Batch > settleMax {
		return nil, invalid("the concurrency and the batch of a worker must be 1 to %d", settleMax)
	}
	if out.Drain == 0 {
		out.Drain = drainDefault
	}
	if out.Logger == nil {
		out.Logger = slog.Default()
	}
	out.Logger = out.Logger.With("topic", w.Topic, "subscriber", w.Subscriber)
	subscriber, err := w.Queue.Subscriber(ctx, w.Topic, w.Subscriber)
	if err != nil {
		return nil, err
	}
	if out.Lease == 0 {
		out.Lease = subscriber.Options.Lease
	}
	if out.Lease < 3*time.Millisecond {
		return nil, invalid("the lease of a worker must be at least 3 ms")
	}
	if handler := w.Handler; handler != nil {
		out.ReplyHandler = func(ctx context.Context, delivery *Delivery) (*Reply, error) {
			return nil, handler(ctx, delivery)
		}
	}
	return out, nil
}
