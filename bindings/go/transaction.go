package blockqueue

// #include "blockqueue.h"
//
// #cgo nocallback bq_transaction_begin
// #cgo nocallback bq_transaction_commit
// #cgo nocallback bq_transaction_free
import "C"

import (
	"context"
	"time"
)

// TransactionOptions are how to run a transaction. Zero means the default.
type TransactionOptions struct {
	// It is rolled back if it is not committed this long after it began: everybody else who writes waits for it.
	// Default 5 s, at most 1 min.
	Deadline time.Duration
}

// Transaction holds statements of your own and verbs of the queue: all of it happens, or nothing. For programs that
// keep their tables in the queue's file. From [Queue.Transaction].
//
// A method that fails has changed nothing and the transaction goes on, unless it says [ErrTransactionEnded]: then it
// was rolled back, because its deadline passed or a statement ended it. One goroutine at a time uses it; which thread
// of the operating system that runs on does not matter.
type Transaction struct {
	handle *C.bq_transaction
	queue  *Queue
}

// transactionKey finds the queue whose transaction is open in a context.
type transactionKey struct{ queue *Queue }

func isInTransaction(ctx context.Context, q *Queue) bool {
	return ctx.Value(transactionKey{q}) != nil
}

// Transaction begins a transaction, runs this function, and commits if it returns nil; if it returns an error, or
// panics, it is as if nothing had been done. Options may be nil.
//
// Everybody else who writes to the file waits meanwhile, so keep it short, and wait for nothing else in it. Methods of
// the queue itself would wait for the transaction, too: with the context that the function gets they fail with
// [ErrInTransaction], and with another one they wait until the deadline.
func (q *Queue) Transaction(
	ctx context.Context, options *TransactionOptions, do func(context.Context, *Transaction) error,
) error {
	// The place is kept to the end, so that those who wait for the transaction cannot take it from its steps.
	if err := q.enter(ctx); err != nil {
		return err
	}
	defer q.leave()
	transaction, err := q.begin(options)
	if err != nil {
		return err
	}
	// Rolls back what is not committed, also when the function panics.
	defer C.bq_transaction_free(transaction.handle)
	q.transactions.Add(1)
	defer q.transactions.Add(-1)
	if err := do(context.WithValue(ctx, transactionKey{q}, true), transaction); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	var refused *C.bq_error
	return failure(C.bq_transaction_commit(transaction.handle, &refused), refused)
}

func (q *Queue) begin(options *TransactionOptions) (*Transaction, error) {
	var deadline C.int64_t
	if options != nil {
		deadline = C.int64_t(milliseconds(options.Deadline))
	}
	transaction := &Transaction{queue: q}
	var refused *C.bq_error
	// Goroutines change their threads, so it belongs to none.
	status := C.bq_transaction_begin(q.handle, deadline, false, &transaction.handle, &refused)
	return transaction, failure(status, refused)
}

// step carries out one method of it.
func (t *Transaction) step(ctx context.Context, do func(refused **C.bq_error) C.bq_status) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var refused *C.bq_error
	return failure(do(&refused), refused)
}
