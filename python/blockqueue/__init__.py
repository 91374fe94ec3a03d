"""A durable fan-out message queue in one file, with nothing to run beside it.

>>> import blockqueue
>>> queue = blockqueue.open(":memory:")
>>> topic = queue.create_topic("orders", subscribers=["email"])
>>> published = queue.publish("orders", {"order": 42})
>>> for delivery in queue.consume("orders", "email", timeout=0):
...     with delivery:
...         print(delivery.content)
{'order': 42}
>>> queue.shutdown()

:mod:`blockqueue.aio` is the same with ``await``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import errors
from ._delivery import Delivery
from ._lease import Defer, GiveUp, Nack, RetryAfter
from ._models import (
    AtMessage,
    AtSequence,
    BacklogLimit,
    BacklogPolicy,
    BackupProgress,
    CursorStats,
    DeadLetter,
    DeliveryResult,
    DeliveryState,
    DeliveryStatus,
    Diagnosis,
    Durability,
    EngineStats,
    Failure,
    Filter,
    LogStats,
    Message,
    MessageStatus,
    MessageView,
    Nacked,
    NewSubscriber,
    OnDead,
    OnExpiry,
    Page,
    Peeked,
    RateLimit,
    Reply,
    Retention,
    RetryPolicy,
    RunStatus,
    Schedule,
    ScheduleOptions,
    ScheduleRun,
    Seconds,
    Sought,
    Subscriber,
    SubscriberOptions,
    SubscriberStats,
    Topic,
    TopicOptions,
    TopicStats,
)
from ._native import Published
from ._queue import Queue, open
from ._transaction import Transaction
from .errors import BlockQueueError

if TYPE_CHECKING:
    from . import aio

__all__ = [
    "AtMessage",
    "AtSequence",
    "BacklogLimit",
    "BacklogPolicy",
    "BackupProgress",
    "BlockQueueError",
    "CursorStats",
    "DeadLetter",
    "Defer",
    "Delivery",
    "DeliveryResult",
    "DeliveryState",
    "DeliveryStatus",
    "Diagnosis",
    "Durability",
    "EngineStats",
    "Failure",
    "Filter",
    "GiveUp",
    "LogStats",
    "Message",
    "MessageStatus",
    "MessageView",
    "Nack",
    "Nacked",
    "NewSubscriber",
    "OnDead",
    "OnExpiry",
    "Page",
    "Peeked",
    "Published",
    "Queue",
    "RateLimit",
    "Reply",
    "Retention",
    "RetryAfter",
    "RetryPolicy",
    "RunStatus",
    "Schedule",
    "ScheduleOptions",
    "ScheduleRun",
    "Seconds",
    "Sought",
    "Subscriber",
    "SubscriberOptions",
    "SubscriberStats",
    "Topic",
    "TopicOptions",
    "TopicStats",
    "Transaction",
    "aio",
    "errors",
    "open",
]


def __getattr__(name: str) -> Any:
    # With asyncio it takes longer to import than all the rest: only who uses it waits for it.
    if name == "aio":
        return importlib.import_module(".aio", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
