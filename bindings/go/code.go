package blockqueue

// #include "blockqueue.h"
//
// #cgo noescape bq_status_code
// #cgo nocallback bq_status_code
// #cgo noescape bq_status_retry
// #cgo nocallback bq_status_retry
import "C"

// Code says what was refused: the same number and the same word in every language. It is an error, so that
// [errors.Is] finds it in what a method returned.
type Code int32

// Each code, and what to do about it.
const (
	// An argument breaks a documented rule. Fix the call; the text names the argument and the rule.
	ErrInvalidArgument Code = 1
	// Something is over one of the limits. Send less, or open with a larger limit.
	ErrLimitExceeded Code = 2
	// No topic of that name exists. Create it first.
	ErrUnknownTopic Code = 3
	// The topic has no subscriber of that name. Create it first.
	ErrUnknownSubscriber Code = 4
	// The topic has no message of that id, or has it no more.
	ErrUnknownMessage Code = 5
	// A topic of that name exists. Use it, or choose another name.
	ErrTopicExists Code = 6
	// The topic has a subscriber of that name. Use it, or choose another name.
	ErrSubscriberExists Code = 7
	// The receipt's lease is over: drop the work, the delivery is settled or belongs to somebody else now.
	ErrLeaseLost Code = 8
	// This is not a receipt of this queue. Pass receipts on unchanged.
	ErrInvalidReceipt Code = 9
	// The idempotency key was used within its window for a different message. Choose another key.
	ErrIdempotencyConflict Code = 10
	// The topic's backlog limit is reached and its policy is to refuse. Publish later, or consume.
	ErrBacklogFull Code = 11
	// Too much work is waiting to be written. Try again after a pause.
	ErrBusy Code = 12
	// Another program held the file's write lock for too long. Try again; find out who holds it.
	ErrLocked Code = 13
	// The queue was shut down. Open it anew.
	ErrShutdown Code = 14
	// It cannot be known whether the operation is on disk. Repeat under the same idempotency key, or look first.
	ErrOutcomeUnknown Code = 15
	// The disk is full; nothing was written. Free space; the queue recovers by itself.
	ErrDiskFull Code = 16
	// The file or its directory cannot be written. Fix the permissions.
	ErrReadOnly Code = 17
	// The file cannot be opened or created. Check the path and its permissions.
	ErrCannotOpen Code = 18
	// The file exists and is not an SQLite database. It was left untouched.
	ErrNotADatabase Code = 19
	// The file is damaged. It was left untouched; restore a backup.
	ErrCorrupt Code = 20
	// The file was written by a newer release. Update this program.
	ErrNewerSchema Code = 21
	// The operating system reported an error; nothing was written. Look at the text, then try again.
	ErrIO Code = 22
	// A bug in the library. Please report it.
	ErrInternal Code = 23
	// The call was made within a transaction of the same queue, and would wait for itself. Use the transaction's
	// own methods, or end it first.
	ErrInTransaction Code = 24
	// The transaction was rolled back: its deadline passed, or a statement ended it. Begin a new one.
	ErrTransactionEnded Code = 25
	// SQLite refused a statement of yours. Look at the text; the transaction goes on.
	ErrSQLFailed Code = 26
	// The topic has no schedule of that name. Create it first.
	ErrUnknownSchedule Code = 27
	// The topic has a schedule of that name already. Use it, or choose another name.
	ErrScheduleExists Code = 28
	// Somebody changed it since that version. Read it again, and decide anew.
	ErrStaleVersion Code = 29
	// Some subscriber is not done with an earlier message of this unique key. Publish later, or leave it: the
	// work is under way. A dead letter counts as done.
	ErrUniqueConflict Code = 30
	// The handle came here by a fork: its threads are in the parent. Open the queue anew.
	ErrForked Code = 31
	// Another SQLite library in this process has the file open, and on this system the two would destroy it.
	// Close it there, or use it in another process.
	ErrForeignSQLite Code = 32
)

// Retry says whether repeating a failed call can help.
type Retry int32

const (
	// RetryNever: the same call will fail again; change it, or the world, first.
	RetryNever Retry = C.BQ_RETRY_NEVER
	// RetryLater: nothing was done, and the same call may succeed later.
	RetryLater Retry = C.BQ_RETRY_LATER
	// RetryReconcile: nobody knows whether it was done. Repeat it only under the same idempotency key, or look
	// first.
	RetryReconcile Retry = C.BQ_RETRY_RECONCILE
)

// String is the advice in one word.
func (r Retry) String() string {
	switch r {
	case RetryLater:
		return "later"
	case RetryReconcile:
		return "reconcile"
	default:
		return "never"
	}
}

// String is the stable word of the code, such as lease_lost; empty for a number that is none.
func (c Code) String() string {
	return C.GoString(C.bq_status_code(C.bq_status(c)))
}

// Error is the word of the code.
func (c Code) Error() string { return c.String() }

// Retry says whether repeating the call can help.
func (c Code) Retry() Retry { return Retry(C.bq_status_retry(C.bq_status(c))) }
