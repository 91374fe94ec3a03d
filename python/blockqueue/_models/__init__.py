"""The nouns of the queue: what goes in, and what it tells. The native module builds the answers."""

from __future__ import annotations

from .deliveries import (
    DeadLetter,
    DeliveryState,
    DeliveryStatus,
    Failure,
    MessageStatus,
    Nacked,
    Peeked,
)
from .messages import (
    DeliveryResult,
    Message,
    MessageView,
    Reply,
)
from .schedules import (
    RunStatus,
    Schedule,
    ScheduleOptions,
    ScheduleRun,
)
from .stats import (
    BackupProgress,
    CursorStats,
    Diagnosis,
    EngineStats,
    LogStats,
    SubscriberStats,
    TopicStats,
)
from .subscribers import (
    AtMessage,
    AtSequence,
    Filter,
    NewSubscriber,
    OnDead,
    OnExpiry,
    RateLimit,
    RetryPolicy,
    Sought,
    Subscriber,
    SubscriberChange,
    SubscriberOptions,
)
from .topics import (
    BacklogLimit,
    BacklogPolicy,
    Retention,
    Topic,
    TopicOptions,
)
from .values import (
    Durability,
    Page,
    Seconds,
    SqlValue,
    to_timedelta,
)

__all__ = [
    "AtMessage",
    "AtSequence",
    "BacklogLimit",
    "BacklogPolicy",
    "BackupProgress",
    "CursorStats",
    "DeadLetter",
    "DeliveryResult",
    "DeliveryState",
    "DeliveryStatus",
    "Diagnosis",
    "Durability",
    "EngineStats",
    "Failure",
    "Filter",
    "LogStats",
    "Message",
    "MessageStatus",
    "MessageView",
    "Nacked",
    "NewSubscriber",
    "OnDead",
    "OnExpiry",
    "Page",
    "Peeked",
    "RateLimit",
    "Reply",
    "Retention",
    "RetryPolicy",
    "RunStatus",
    "Schedule",
    "ScheduleOptions",
    "ScheduleRun",
    "Seconds",
    "Sought",
    "SqlValue",
    "Subscriber",
    "SubscriberChange",
    "SubscriberOptions",
    "SubscriberStats",
    "Topic",
    "TopicOptions",
    "TopicStats",
    "to_timedelta",
]
