package blockqueue

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// handlerError is what a handler wants to become of its delivery.
type handlerError struct {
	cause   error
	options NackOptions
}

func (e *handlerError) Error() string { return e.cause.Error() }

func (e *handlerError) Unwrap() error { return e.cause }

// RetryAfter lets a handler say when its delivery is tried again; 0 is at once.
func RetryAfter(delay time.Duration, cause error) error {
	return &handlerError{cause, NackOptions{Delay: delay, Now: delay == 0}}
}

// GiveUp lets a handler say that it will never work: the delivery becomes a dead letter now.
func GiveUp(cause error) error { return &handlerError{cause, NackOptions{GiveUp: true}} }

// handle runs the handler and settles what it leaves, also if the handler ends its goroutine.
func (w *work) handle(ctx context.Context, delivery *Delivery) {
	var reply *Reply
	failed := errors.New("the handler ended its goroutine")
	defer func() { w.finish(delivery, reply, failed) }()
	reply, failed = w.attempt(ctx, delivery)
}

func (w *work) finish(delivery *Delivery, reply *Reply, failed error) {
	logger := w.Logger.With("message_id", delivery.MessageID, "attempt", delivery.Attempt)
	if failed != nil {
		logger.Warn("handler failed", "error", failed)
	}
	settled := w.settle(delivery, reply, failed)
	if failed == nil && reply != nil && errors.Is(settled, ErrLimitExceeded) {
		// A reply that cannot be stored is a failure of the handler.
		failed = settled
		settled = w.settle(delivery, nil, failed)
	}
	if settled != nil {
		logger.Warn("delivery could not be settled", "error", settled)
	}
	w.release([]*Delivery{delivery})
	w.count(failed, settled)
}

func (w *work) count(failed, settled error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case errors.Is(settled, ErrLeaseLost):
		w.report.Lost++
	case failed == nil && settled == nil:
		w.report.Acked++
	default:
		w.report.Failed++
	}
}

// attempt makes an error of a panic.
func (w *work) attempt(ctx context.Context, delivery *Delivery) (reply *Reply, failed error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			failed = fmt.Errorf("panicked: %v", panicked)
			w.Logger.Error("handler panicked", "message_id", delivery.MessageID, "panic", panicked,
				"stack", string(debug.Stack()))
		}
	}()
	return w.ReplyHandler(ctx, delivery)
}

// settle outlives the context of the handler: what was done is written down.
func (w *work) settle(delivery *Delivery, reply *Reply, failed error) error {
	ctx := context.Background()
	switch {
	case failed != nil:
		var wanted *handlerError
		options := NackOptions{}
		if errors.As(failed, &wanted) {
			options = wanted.options
		}
		options.Error = failed.Error()
		_, err := delivery.Nack(ctx, &options)
		return err
	case reply != nil:
		return delivery.AckWithResult(ctx, *reply)
	default:
		return delivery.Ack(ctx)
	}
}
