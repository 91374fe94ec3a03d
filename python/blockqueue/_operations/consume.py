"""Claim and settle."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from .._delivery import Delivery
from .._lease import Defer, Nack
from .._models import DeliveryResult, DeliveryStatus, Nacked, Seconds
from .._waiting import Waiting
from ..errors import BlockQueueError


class Consume(Waiting):
    """What a queue can do with deliveries."""

    __slots__ = ()

    def claim(
        self,
        topic: str,
        subscriber: str,
        *,
        limit: int | None = None,
        wait: Seconds = 0.0,
        lease: Seconds | None = None,
    ) -> list[Delivery]:
        """Leases deliveries of one subscriber to the caller; an empty list if there is nothing in time.

        At most ``limit``, waiting up to ``wait``, for as long as ``lease``; by default as the subscriber
        says, and without waiting.
        """
        claimed = self._wait_for_claim(self._native.claim(topic, subscriber, limit, wait, lease))
        return [Delivery(self, each) for each in claimed]

    def claim_any(
        self,
        sources: Sequence[tuple[str, str]],
        *,
        limit: int | None = None,
        wait: Seconds = 0.0,
        lease: Seconds | None = None,
    ) -> list[Delivery]:
        """Leases deliveries of the first of these (topic, subscriber) pairs that has any, up to 100 pairs.

        An earlier pair may starve a later one.
        """
        claimed = self._wait_for_claim(self._native.claim_any(sources, limit, wait, lease))
        return [Delivery(self, each) for each in claimed]

    def ack(self, delivery: Delivery | str) -> None:
        """Settles a delivery, or the receipt of one: done. Raises ``LeaseLostError``."""
        self._wait(self._native.ack(delivery))

    def ack_with_result(self, delivery: Delivery | str, reply: Any) -> None:
        """Settles a delivery and stores a reply for whoever waits for the message's result.

        The reply is a payload, or a :class:`Reply` where the payload does not say it all.
        """
        self._wait(self._native.ack_with_result(delivery, reply))

    def result(self, topic: str, subscriber: str, message_id: str, *, wait: Seconds = 0.0) -> DeliveryResult:
        """What came of a message for one subscriber, waiting up to ``wait`` until there is something.

        >>> asked = queue.publish("orders", "2 + 2")
        >>> [delivery] = queue.claim("orders", "email")
        >>> queue.ack_with_result(delivery, 4)
        >>> queue.result("orders", "email", asked.id).content
        4
        """
        return self._wait(self._native.result(topic, subscriber, message_id, wait))

    def ack_many(self, deliveries: Sequence[Delivery | str]) -> list[BlockQueueError | None]:
        """Settles up to 1,000 deliveries; for each ``None``, or why it could not be."""
        return self._wait(self._native.ack_many(deliveries))

    def nack(
        self,
        delivery: Delivery | str,
        *,
        delay: Seconds | None = None,
        error: str | None = None,
        give_up: bool = False,
    ) -> Nacked:
        """Reports a failure: the delivery waits for its next attempt, or becomes a dead letter."""
        return self._wait(self._native.nack(delivery, delay, error, give_up))

    def nack_many(
        self,
        deliveries: Sequence[Delivery | str | Nack],
        *,
        delay: Seconds | None = None,
        error: str | None = None,
        give_up: bool = False,
    ) -> list[Nacked | BlockQueueError]:
        """Reports up to 1,000 failures; for each what it led to, or why it could not be.

        The options are those of every delivery that has none of its own, by :class:`Nack`.
        """
        return self._wait(self._native.nack_many(deliveries, delay, error, give_up))

    def extend(self, delivery: Delivery | str, lease: Seconds) -> datetime:
        """Makes the lease last until this long after now; the answer is its new expiry."""
        return self._wait(self._native.extend(delivery, lease))

    def extend_many(
        self, deliveries: Sequence[Delivery | str], lease: Seconds
    ) -> list[datetime | BlockQueueError]:
        """Extends up to 1,000 leases; for each its new expiry, or why it could not be."""
        return self._wait(self._native.extend_many(deliveries, lease))

    def defer(self, delivery: Delivery | str, delay: Seconds = 0.0) -> datetime:
        """Puts a delivery back for this long. The attempt does not count."""
        return self._wait(self._native.defer(delivery, delay))

    def defer_many(
        self, deliveries: Sequence[Delivery | str | Defer], delay: Seconds = 0.0
    ) -> list[datetime | BlockQueueError]:
        """Puts up to 1,000 deliveries back; for each when it is ready, or why it could not be."""
        return self._wait(self._native.defer_many(deliveries, delay))

    def cancel(self, delivery: Delivery | str, *, reason: str | None = None) -> None:
        """Ends a leased delivery for good, as if it had been acked."""
        self._wait(self._native.cancel(delivery, reason))

    def cancel_many(
        self, deliveries: Sequence[Delivery | str], *, reason: str | None = None
    ) -> list[BlockQueueError | None]:
        """Ends up to 1,000 leased deliveries for good; for each ``None``, or why it could not be."""
        return self._wait(self._native.cancel_many(deliveries, reason))

    def cancel_delivery(
        self, topic: str, subscriber: str, message_id: str, *, reason: str | None = None
    ) -> None:
        """Ends one message for one subscriber, whatever its state, without a receipt."""
        self._wait(self._native.cancel_delivery(topic, subscriber, message_id, reason))

    def cancel_message(self, topic: str, message_id: str) -> list[DeliveryStatus]:
        """Ends one message for every subscriber, also before its time; the answer is where it stood."""
        return self._wait(self._native.cancel_message(topic, message_id))
