<?php

// One class for each error code, each with what to do about it.

declare(strict_types=1);

namespace BlockQueue;

/**
 * An argument breaks a documented rule. Fix the call; the message of the exception names the argument and
 * the rule.
 */
final class InvalidArgumentException extends BlockQueueException
{
}

/** Something is over one of the limits. Send less, or open with a larger limit. */
final class LimitExceededException extends BlockQueueException
{
}

/** No topic of that name exists. Create it first. */
final class UnknownTopicException extends BlockQueueException
{
}

/** The topic has no subscriber of that name, or it was deleted meanwhile. Create it first. */
final class UnknownSubscriberException extends BlockQueueException
{
}

/** The topic has no such message: it never had, or it is settled everywhere and trimmed. */
final class UnknownMessageException extends BlockQueueException
{
}

/** A topic of that name exists already. Use it, or choose another name. */
final class TopicExistsException extends BlockQueueException
{
}

/** The topic has a subscriber of that name already. Use it, or choose another name. */
final class SubscriberExistsException extends BlockQueueException
{
}

/** The receipt's lease is over: drop the work, the delivery is settled or belongs to somebody else now. */
final class LeaseLostException extends BlockQueueException
{
}

/** The text is not a receipt of this queue. Pass receipts on unchanged. */
final class InvalidReceiptException extends BlockQueueException
{
}

/** The idempotency key was used within its window for a different message. Choose another key. */
final class IdempotencyConflictException extends BlockQueueException
{
}

/** The topic's backlog limit is reached and its policy is to refuse. Publish later, or consume. */
final class BacklogFullException extends BlockQueueException
{
}

/** Too much work is waiting to be written. Try again after a pause. */
final class BusyException extends BlockQueueException
{
}

/** Another program held the file's write lock for too long. Try again; find out who holds it. */
final class LockedException extends BlockQueueException
{
}

/** The queue was shut down. Open it anew. */
final class ShutdownException extends BlockQueueException
{
}

/**
 * It cannot be known whether the operation is on disk. Repeat under the same idempotency key, or look
 * first.
 */
final class OutcomeUnknownException extends BlockQueueException
{
}

/** The disk is full; nothing was written. Free space; the queue recovers by itself. */
final class DiskFullException extends BlockQueueException
{
}

/** The file or its directory cannot be written. Fix the permissions. */
final class ReadOnlyException extends BlockQueueException
{
}

/** The file cannot be opened or created. Check the path and its permissions. */
final class CannotOpenException extends BlockQueueException
{
}

/** The file exists and is not an SQLite database. It was left untouched. */
final class NotADatabaseException extends BlockQueueException
{
}

/** The file is damaged. It was left untouched; restore a backup. */
final class CorruptException extends BlockQueueException
{
}

/** The file was written by a newer release. Update this program. */
final class NewerSchemaException extends BlockQueueException
{
}

/**
 * The operating system reported an error; nothing was written. Look at the message of the exception, then
 * try again.
 */
final class IoException extends BlockQueueException
{
}

/** A bug in this library. Please report it. */
final class InternalException extends BlockQueueException
{
}

/**
 * This thread has a transaction of the queue open, and would wait for itself. Use the transaction's own
 * methods, or end it first.
 */
final class InTransactionException extends BlockQueueException
{
}

/** The transaction was rolled back: its deadline passed, or a statement ended it. Begin a new one. */
final class TransactionEndedException extends BlockQueueException
{
}

/** SQLite refused a statement of yours. Look at the message of the exception; the transaction goes on. */
final class SqlFailedException extends BlockQueueException
{
}

/** The topic has no schedule of that name. Create it first. */
final class UnknownScheduleException extends BlockQueueException
{
}

/** The topic has a schedule of that name already. Use it, or choose another name. */
final class ScheduleExistsException extends BlockQueueException
{
}

/** Somebody changed it since that version. Read it again, and decide anew. */
final class StaleVersionException extends BlockQueueException
{
}

/**
 * Some subscriber is not done with an earlier message of this unique key. Publish later, or leave it: the
 * work is under way. A dead letter counts as done.
 */
final class UniqueConflictException extends BlockQueueException
{
}

/** The handle came here by a fork: its threads are in the parent. Open the queue anew. */
final class ForkedException extends BlockQueueException
{
}

/**
 * Another SQLite library in this process has the file open, and on this system the two would destroy it.
 * Close it there, or use it in another process.
 */
final class ForeignSqliteException extends BlockQueueException
{
}
