// Package blockqueue is a durable fan-out message queue in one file, opened by your program, with nothing to run
// beside it. Each subscriber of a topic gets its own delivery of every message, leased to one consumer at a time,
// retried with back-off, and kept as a dead letter when it is out of attempts.
//
// [Open] a [Queue]; [Queue.CreateTopic] with its subscribers; [Queue.Publish]. To consume, range over
// [Queue.Deliveries], run a [Worker], or [Queue.Claim] and settle each [Delivery] yourself.
//
// # Contexts
//
// Every method takes a context first. A method whose context has ended begins nothing. The end of a context ends
// waiting at once: a claim gives back what it got in that moment, as if it had never been claimed. A write that was
// handed over is waited for, so that it is never in doubt whether it was done.
//
// # Errors
//
// An error of the queue is an [*Error] with a [Code]; use [errors.Is] with the codes, such as [ErrLeaseLost], and
// [errors.As] for the rest. [Code.Retry] says whether repeating the call can help. The error of a context is the
// context's.
//
// # Goroutines and threads
//
// A [Queue] and all that comes from it may be used by any number of goroutines at once, but for a [Transaction],
// which belongs to one at a time. Waiting for deliveries or for a result holds no thread of the operating system:
// ten thousand waiting goroutines are ten thousand goroutines. Other calls have a thread for as long as the disk
// takes, and up to 64 calls of a queue do at once. Writes of many goroutines share one commit, and are much faster
// than one after the other.
//
// # Memory
//
// Everything that is passed in or comes out is copied; nothing must be freed. Close the queue when you are done.
//
// # Linking
//
// The package is cgo over the C library libblockqueue. The README says how to build and to link it, also into one
// static binary.
package blockqueue
