"""What can go wrong: one exception for each code of the queue, all under :class:`BlockQueueError`.

Two facts are the same in every language: ``code``, and ``retry``, which says whether repeating the call can
help. The text is for people.
"""

from __future__ import annotations

from typing import Literal

Retry = Literal["never", "later", "reconcile"]
"""``never``: change the call, or the world, first. ``later``: nothing was done, try again. ``reconcile``:
nobody knows whether it was done; repeat only under the same idempotency key, or look first."""


class BlockQueueError(Exception):
    """Everything that the queue refuses or fails at."""

    code: str = "internal"
    """The stable code, the same in every language and over HTTP."""
    number: int = 23
    """The stable number of the code."""
    retry: Retry = "never"
    """Whether repeating the call can help."""
    index: int | None = None
    """Which message of a batch is to blame, from 0, if the error says so."""

    @property
    def detail(self) -> str:
        """What happened, in words."""
        return str(self)


class InvalidArgumentError(BlockQueueError, ValueError):
    """An argument breaks a documented rule. Fix the call."""

    code = "invalid_argument"
    number = 1


class LimitExceededError(BlockQueueError, ValueError):
    """Something is over a limit. Send less, or open the queue with a larger limit."""

    code = "limit_exceeded"
    number = 2


class UnknownTopicError(BlockQueueError, LookupError):
    """No topic of that name exists. Create it first."""

    code = "unknown_topic"
    number = 3


class UnknownSubscriberError(BlockQueueError, LookupError):
    """The topic has no subscriber of that name. Create it first."""

    code = "unknown_subscriber"
    number = 4


class UnknownMessageError(BlockQueueError, LookupError):
    """The topic has no such message: it never had, or it is settled everywhere and gone."""

    code = "unknown_message"
    number = 5


class TopicExistsError(BlockQueueError):
    """A topic of that name exists. Use it, or choose another name."""

    code = "topic_exists"
    number = 6


class SubscriberExistsError(BlockQueueError):
    """The topic has a subscriber of that name. Use it, or choose another name."""

    code = "subscriber_exists"
    number = 7


class LeaseLostError(BlockQueueError):
    """The lease is over: drop the work, the delivery is settled or belongs to somebody else now."""

    code = "lease_lost"
    number = 8


class InvalidReceiptError(BlockQueueError, ValueError):
    """The text is no receipt of this queue. Pass receipts on unchanged."""

    code = "invalid_receipt"
    number = 9


class IdempotencyConflictError(BlockQueueError):
    """The idempotency key was used for a different message. Choose another key."""

    code = "idempotency_conflict"
    number = 10


class BacklogFullError(BlockQueueError):
    """The topic's backlog limit is reached. Publish later, or consume."""

    code = "backlog_full"
    number = 11
    retry: Retry = "later"


class BusyError(BlockQueueError):
    """Too much work waits to be written. Try again after a pause."""

    code = "busy"
    number = 12
    retry: Retry = "later"


class LockedError(BlockQueueError):
    """Another program held the file's write lock for too long. Try again; find out who holds it."""

    code = "locked"
    number = 13
    retry: Retry = "later"


class ShutdownError(BlockQueueError):
    """The queue was shut down. Open it anew."""

    code = "shutdown"
    number = 14


class OutcomeUnknownError(BlockQueueError):
    """It cannot be known whether it is on disk. Repeat under the same idempotency key, or look first."""

    code = "outcome_unknown"
    number = 15
    retry: Retry = "reconcile"


class DiskFullError(BlockQueueError, OSError):
    """The disk is full and nothing was written. Free space; the queue recovers by itself."""

    code = "disk_full"
    number = 16
    retry: Retry = "later"


class ReadOnlyError(BlockQueueError, OSError):
    """The file or its directory cannot be written. Fix the permissions."""

    code = "read_only"
    number = 17


class CannotOpenError(BlockQueueError, OSError):
    """The file cannot be opened or created. Check the path and its permissions."""

    code = "cannot_open"
    number = 18


class NotADatabaseError(BlockQueueError, OSError):
    """The file exists and is no SQLite database. It was left untouched."""

    code = "not_a_database"
    number = 19


class CorruptError(BlockQueueError, OSError):
    """The file is damaged. It was left untouched; restore a backup."""

    code = "corrupt"
    number = 20


class NewerSchemaError(BlockQueueError):
    """The file was written by a newer release. Update this package."""

    code = "newer_schema"
    number = 21


class IoError(BlockQueueError, OSError):
    """The operating system reported an error and nothing was written. Try again."""

    code = "io"
    number = 22
    retry: Retry = "later"


class InternalError(BlockQueueError):
    """A bug in this library. Please report it."""

    code = "internal"
    number = 23


class InTransactionError(BlockQueueError):
    """This thread has a transaction of the queue open. Use the transaction's methods, or end it first."""

    code = "in_transaction"
    number = 24


class TransactionEndedError(BlockQueueError):
    """The transaction was rolled back: its deadline passed, or a statement ended it. Begin a new one."""

    code = "transaction_ended"
    number = 25


class SqlFailedError(BlockQueueError):
    """SQLite refused a statement of yours. The transaction goes on."""

    code = "sql_failed"
    number = 26


class UnknownScheduleError(BlockQueueError, LookupError):
    """The topic has no schedule of that name. Create it first."""

    code = "unknown_schedule"
    number = 27


class ScheduleExistsError(BlockQueueError):
    """The topic has a schedule of that name. Use it, or choose another name."""

    code = "schedule_exists"
    number = 28


class StaleVersionError(BlockQueueError):
    """Somebody changed it since that version. Read it again, and decide anew."""

    code = "stale_version"
    number = 29


class UniqueConflictError(BlockQueueError):
    """An earlier message of the unique key is not settled. Publish later, or leave it: work is under way."""

    code = "unique_conflict"
    number = 30
    retry: Retry = "later"


class ForkedError(BlockQueueError):
    """The queue was opened before a fork: its threads are in the parent. Open it anew."""

    code = "forked"
    number = 31


class ForeignSqliteError(BlockQueueError):
    """Another SQLite library in this process has the file open. Close it there, or use another process."""

    code = "foreign_sqlite"
    number = 32


def _all(base: type[BlockQueueError]) -> list[type[BlockQueueError]]:
    return [each for sub in base.__subclasses__() for each in (sub, *_all(sub))]


_BY_CODE = {each.code: each for each in _all(BlockQueueError)}


def from_code(code: str, number: int, retry: Retry, detail: str, index: int | None) -> BlockQueueError:
    """The exception of a code, as the native module makes it."""
    exception = _BY_CODE.get(code, BlockQueueError)(detail)
    exception.code, exception.number, exception.retry, exception.index = code, number, retry, index
    return exception
