package io.blockqueue

import io.blockqueue.internal.CallException
import io.blockqueue.internal.Problem
import java.nio.charset.CharacterCodingException
import kotlin.coroutines.ContinuationInterceptor
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.withContext

/** Whether repeating a failed call can help. */
public enum class Retry {
    /** The same call will fail again: change it, or the world, first. */
    NEVER,

    /** Nothing was done; the same call may succeed later. */
    LATER,

    /** Nobody knows whether it was done: repeat only under the same idempotency key, or look first. */
    RECONCILE,
}

/**
 * The queue refused, or could not. Each code is a class of its own.
 *
 * @property code The stable code, the same in every language.
 * @property number The stable number of the code.
 * @property retry Whether repeating the call can help.
 * @property detail What happened, for people; not to be parsed.
 * @property index Which item of the batch it is about, from 0, if it is about one.
 */
public sealed class BlockQueueException private constructor(
    public val code: String,
    public val number: Int,
    public val retry: Retry,
    public val detail: String,
    public val index: Int?,
    cause: Throwable?,
) : RuntimeException(detail, cause) {
    protected constructor(problem: Problem, cause: Throwable? = null) : this(
        problem.code,
        problem.number,
        Retry.valueOf(problem.retry.name),
        problem.detail,
        problem.index,
        cause,
    )
}

/** An argument breaks a documented rule. Fix the call. */
public class InvalidArgumentException internal constructor(of: Problem) : BlockQueueException(of)

/** Something is over a limit. Send less, or open with a larger limit. */
public class LimitExceededException internal constructor(of: Problem) : BlockQueueException(of)

/** No topic of that name exists. Create it first. */
public class UnknownTopicException internal constructor(of: Problem) : BlockQueueException(of)

/** The topic has no subscriber of that name, or it was deleted meanwhile. Create it first. */
public class UnknownSubscriberException internal constructor(of: Problem) : BlockQueueException(of)

/** The topic has no such message: it never had, or it is settled everywhere and trimmed. */
public class UnknownMessageException internal constructor(of: Problem) : BlockQueueException(of)

/** A topic of that name exists already. Use it, or choose another name. */
public class TopicExistsException internal constructor(of: Problem) : BlockQueueException(of)

/** The topic has a subscriber of that name already. Use it, or choose another name. */
public class SubscriberExistsException internal constructor(of: Problem) : BlockQueueException(of)

/** The lease is over: drop the work, the delivery is settled or belongs to somebody else now. */
public class LeaseLostException internal constructor(of: Problem) : BlockQueueException(of)

/** The text is not a receipt of this queue. Pass receipts on unchanged. */
public class InvalidReceiptException internal constructor(of: Problem) : BlockQueueException(of)

/** The idempotency key was used within its window for a different message. Choose another key. */
public class IdempotencyConflictException internal constructor(of: Problem) : BlockQueueException(of)

/** The topic's backlog limit is reached and its policy is to refuse. Publish later, or consume. */
public class BacklogFullException internal constructor(of: Problem) : BlockQueueException(of)

/** Too much work is waiting to be written. Try again after a pause. */
public class BusyException internal constructor(of: Problem) : BlockQueueException(of)

/** Another program held the file's write lock for too long. Try again; find out who holds it. */
public class LockedException internal constructor(of: Problem) : BlockQueueException(of)

/** The queue was shut down. Open it anew. */
public class ShutdownException internal constructor(of: Problem) : BlockQueueException(of)

/** It cannot be known whether the operation is on disk. Repeat under the same idempotency key, or look first. */
public class OutcomeUnknownException internal constructor(of: Problem) : BlockQueueException(of)

/** The disk is full; nothing was written. Free space; the queue recovers by itself. */
public class DiskFullException internal constructor(of: Problem) : BlockQueueException(of)

/** The file or its directory cannot be written. Fix the permissions. */
public class ReadOnlyException internal constructor(of: Problem) : BlockQueueException(of)

/** The file cannot be opened or created. Check the path and its permissions. */
public class CannotOpenException internal constructor(of: Problem) : BlockQueueException(of)

/** The file exists and is not an SQLite database. It was left untouched. */
public class NotADatabaseException internal constructor(of: Problem) : BlockQueueException(of)

/** The file is damaged. It was left untouched; restore a backup. */
public class CorruptException internal constructor(of: Problem) : BlockQueueException(of)

/** The file was written by a newer release. Update this program. */
public class NewerSchemaException internal constructor(of: Problem) : BlockQueueException(of)

/** The operating system reported an error; nothing was written. Look at the detail, then try again. */
public class IoException internal constructor(of: Problem) : BlockQueueException(of)

/** A bug in this library. Please report it. */
public class InternalException internal constructor(of: Problem, cause: Throwable? = null) :
    BlockQueueException(of, cause)

/** This thread has a transaction of the queue open, and would wait for itself. */
public class InTransactionException internal constructor(of: Problem) : BlockQueueException(of)

/** The transaction was rolled back: its deadline passed, or a statement ended it. Begin a new one. */
public class TransactionEndedException internal constructor(of: Problem) : BlockQueueException(of)

/** SQLite refused a statement of yours. Look at the detail; the transaction goes on. */
public class SqlFailedException internal constructor(of: Problem) : BlockQueueException(of)

/** The topic has no schedule of that name. Create it first. */
public class UnknownScheduleException internal constructor(of: Problem) : BlockQueueException(of)

/** The topic has a schedule of that name already. Use it, or choose another name. */
public class ScheduleExistsException internal constructor(of: Problem) : BlockQueueException(of)

/** Somebody changed it since that version. Read it again, and decide anew. */
public class StaleVersionException internal constructor(of: Problem) : BlockQueueException(of)

/** Some subscriber is not done with an earlier message of this unique key. Publish later, or leave it. */
public class UniqueConflictException internal constructor(of: Problem) : BlockQueueException(of)

/** The handle came here by a fork: its threads are in the parent. Open the queue anew. */
public class ForkedException internal constructor(of: Problem) : BlockQueueException(of)

/** Another SQLite library in this process has the file open, and on this system the two would destroy it. */
public class ForeignSqliteException internal constructor(of: Problem) : BlockQueueException(of)

internal fun Problem.toException(): BlockQueueException = when (code) {
    "invalid_argument" -> InvalidArgumentException(this)
    "limit_exceeded" -> LimitExceededException(this)
    "unknown_topic" -> UnknownTopicException(this)
    "unknown_subscriber" -> UnknownSubscriberException(this)
    "unknown_message" -> UnknownMessageException(this)
    "topic_exists" -> TopicExistsException(this)
    "subscriber_exists" -> SubscriberExistsException(this)
    "lease_lost" -> LeaseLostException(this)
    "invalid_receipt" -> InvalidReceiptException(this)
    "idempotency_conflict" -> IdempotencyConflictException(this)
    "backlog_full" -> BacklogFullException(this)
    "busy" -> BusyException(this)
    "locked" -> LockedException(this)
    "shutdown" -> ShutdownException(this)
    "outcome_unknown" -> OutcomeUnknownException(this)
    "disk_full" -> DiskFullException(this)
    "read_only" -> ReadOnlyException(this)
    "cannot_open" -> CannotOpenException(this)
    "not_a_database" -> NotADatabaseException(this)
    "corrupt" -> CorruptException(this)
    "newer_schema" -> NewerSchemaException(this)
    "io" -> IoException(this)
    "in_transaction" -> InTransactionException(this)
    "transaction_ended" -> TransactionEndedException(this)
    "sql_failed" -> SqlFailedException(this)
    "unknown_schedule" -> UnknownScheduleException(this)
    "schedule_exists" -> ScheduleExistsException(this)
    "stale_version" -> StaleVersionException(this)
    "unique_conflict" -> UniqueConflictException(this)
    "forked" -> ForkedException(this)
    "foreign_sqlite" -> ForeignSqliteException(this)
    // Also a code that this package does not know: it and the library are of one release.
    else -> InternalException(this)
}

/** Calls the native library; what goes wrong there is an exception of this package. */
internal inline fun <T> native(call: () -> T): T = try {
    call()
} catch (failed: CallException.Failed) {
    throw failed.problem.toException()
} catch (text: CharacterCodingException) {
    throw invalidArgument("a text has half of a surrogate pair")
} catch (panic: io.blockqueue.internal.InternalException) {
    throw InternalException(problem("internal", 23, "panic: ${panic.message}"), panic)
}

/**
 * As [native], for calls that are waited for. The engine's own thread completes them and must not run what comes after:
 * where no dispatcher moves that on, as in `suspend fun main`, this does.
 */
internal suspend fun <T> awaited(call: suspend () -> T): T {
    val dispatcher = currentCoroutineContext()[ContinuationInterceptor]
    val isMoved = dispatcher != null && dispatcher !== Dispatchers.Unconfined
    return if (isMoved) native { call() } else withContext(Dispatchers.Default) { native { call() } }
}

/** An argument that cannot even be handed to the native library. */
internal fun invalidArgument(detail: String): InvalidArgumentException =
    InvalidArgumentException(problem("invalid_argument", 1, "invalid argument: $detail"))

private fun problem(code: String, number: Int, detail: String) =
    Problem(code, number, io.blockqueue.internal.Retry.NEVER, detail, null)
