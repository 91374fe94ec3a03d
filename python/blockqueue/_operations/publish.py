"""Publish."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from .._models import Seconds
from .._native import Published
from .._waiting import Waiting


class Publish(Waiting):
    """What a queue can do with messages."""

    __slots__ = ()

    def publish(
        self,
        topic: str,
        payload: Any,
        *,
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
        correlation_id: str | None = None,
        priority: int = 0,
        delay: Seconds | None = None,
        deliver_at: datetime | None = None,
        idempotency_key: str | None = None,
        ordering_key: str | None = None,
        unique_key: str | None = None,
        ttl: Seconds | None = None,
    ) -> Published:
        """Publishes a message: bytes, text, or what JSON can say. It is on disk when this returns.

        The fields are those of :class:`Message`. Raises ``UnknownTopicError``, ``BacklogFullError``,
        ``IdempotencyConflictError``, ``OutcomeUnknownError``.

        >>> published = queue.publish("orders", {"order": 42}, idempotency_key="order-42")
        >>> repeated = queue.publish("orders", {"order": 42}, idempotency_key="order-42")
        >>> repeated.duplicate, repeated.id == published.id
        (True, True)
        """
        return self._wait(
            self._native.publish(
                topic,
                payload,
                content_type,
                headers,
                correlation_id,
                priority,
                delay,
                deliver_at,
                idempotency_key,
                ordering_key,
                unique_key,
                ttl,
            )
        )

    def publish_many(self, topic: str, messages: Iterable[Any]) -> list[Published]:
        """Publishes 1 to 1,000 messages, all or none, in order.

        Each is a payload, or a :class:`Message` where the payload does not say it all. The error of one names
        its ``index``.
        """
        return self._wait(self._native.publish_many(topic, messages))
