"""Topics and subscribers; and where a subscriber goes on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from .._models import (
    AtMessage,
    AtSequence,
    BacklogLimit,
    Filter,
    NewSubscriber,
    OnDead,
    OnExpiry,
    Page,
    RateLimit,
    Retention,
    RetryPolicy,
    Seconds,
    Sought,
    Subscriber,
    SubscriberChange,
    Topic,
)
from .._waiting import Waiting


class Topology(Waiting):
    """What a queue can do with topics and subscribers."""

    __slots__ = ()

    def create_topic(
        self,
        topic: str,
        *,
        subscribers: Sequence[str | NewSubscriber] = (),
        retention: Retention | None = None,
        backlog_limit: BacklogLimit | None = None,
        idempotency_window: Seconds | None = None,
        ttl: Seconds | None = None,
    ) -> Topic:
        """Creates a topic, perhaps with subscribers, in one transaction.

        An idempotency key is remembered for ``idempotency_window`` (24 h); a message that does not say lives
        for ``ttl`` (for ever). Raises ``TopicExistsError``.
        """
        return self._wait(
            self._native.create_topic(topic, subscribers, retention, backlog_limit, idempotency_window, ttl)
        )

    def topic(self, topic: str) -> Topic:
        """A topic by name."""
        return self._wait(self._native.topic(topic))

    def topics(self, *, limit: int | None = None, after: str | None = None) -> Page[Topic]:
        """The topics, by name."""
        return self._wait(self._native.topics(limit, after))

    def update_topic(
        self,
        topic: str,
        *,
        retention: Retention | None = None,
        backlog_limit: BacklogLimit | None = None,
        idempotency_window: Seconds | None = None,
        ttl: Seconds | Literal["none"] | None = None,
    ) -> Topic:
        """Changes the settings of a topic; what is ``None`` stays. A ttl of ``"none"`` means for ever."""
        return self._wait(self._native.update_topic(topic, retention, backlog_limit, idempotency_window, ttl))

    def delete_topic(self, topic: str) -> None:
        """Deletes a topic with its subscribers and messages. Receipts are lost; the name is free at once."""
        self._wait(self._native.delete_topic(topic))

    def pause_topic(self, topic: str) -> None:
        """Stops claims on every subscriber of the topic: they wait as on an empty topic."""
        self._wait(self._native.pause_topic(topic))

    def resume_topic(self, topic: str) -> None:
        """Lets claims go on."""
        self._wait(self._native.resume_topic(topic))

    def create_subscriber(
        self,
        topic: str,
        subscriber: str,
        *,
        max_attempts: int | None = None,
        lease: Seconds | None = None,
        claim_limit: int | None = None,
        retry: RetryPolicy | None = None,
        ordered: bool = False,
        on_dead: OnDead = "skip",
        filter: Filter | None = None,
        on_expiry: OnExpiry = "skip",
        leased_max: int | None = None,
        rate: RateLimit | None = None,
        leased_per_key_max: int | None = None,
        start: Literal["now", "earliest"] | datetime = "now",
    ) -> Subscriber:
        """Creates a subscriber of a topic. Raises ``SubscriberExistsError``.

        The settings are those of :class:`NewSubscriber`.

        >>> wanted = {"header": "type", "prefix": "order."}
        >>> billing = queue.create_subscriber("orders", "billing", ordered=True, filter=wanted)
        >>> billing.options.filter
        {'header': 'type', 'prefix': 'order.'}
        """
        return self._wait(
            self._native.create_subscriber(
                topic,
                NewSubscriber(
                    subscriber,
                    max_attempts=max_attempts,
                    lease=lease,
                    claim_limit=claim_limit,
                    retry=retry,
                    ordered=ordered,
                    on_dead=on_dead,
                    filter=filter,
                    on_expiry=on_expiry,
                    leased_max=leased_max,
                    rate=rate,
                    leased_per_key_max=leased_per_key_max,
                    start=start,
                ),
            )
        )

    def create_subscribers(self, topic: str, subscribers: Sequence[str | NewSubscriber]) -> list[Subscriber]:
        """Creates up to 1,000 subscribers of a topic: all or none."""
        return self._wait(self._native.create_subscribers(topic, subscribers))

    def subscriber(self, topic: str, subscriber: str) -> Subscriber:
        """A subscriber by name."""
        return self._wait(self._native.subscriber(topic, subscriber))

    def subscribers(
        self, topic: str, *, limit: int | None = None, after: str | None = None
    ) -> Page[Subscriber]:
        """The subscribers of a topic, by name."""
        return self._wait(self._native.subscribers(topic, limit, after))

    def update_subscriber(
        self,
        topic: str,
        subscriber: str,
        *,
        max_attempts: int | None = None,
        lease: Seconds | None = None,
        claim_limit: int | None = None,
        retry: RetryPolicy | None = None,
        ordered: bool | None = None,
        on_dead: OnDead | None = None,
        filter: Filter | Literal["none"] | None = None,
        on_expiry: OnExpiry | None = None,
        leased_max: int | Literal["none"] | None = None,
        rate: RateLimit | Literal["none"] | None = None,
        leased_per_key_max: int | Literal["none"] | None = None,
    ) -> Subscriber:
        """Changes the settings of a subscriber; what is ``None`` stays, ``"none"`` takes a setting back."""
        return self._wait(
            self._native.update_subscriber(
                topic,
                subscriber,
                SubscriberChange(
                    max_attempts=max_attempts,
                    lease=lease,
                    claim_limit=claim_limit,
                    retry=retry,
                    ordered=ordered,
                    on_dead=on_dead,
                    filter=filter,
                    on_expiry=on_expiry,
                    leased_max=leased_max,
                    rate=rate,
                    leased_per_key_max=leased_per_key_max,
                ),
            )
        )

    def delete_subscriber(self, topic: str, subscriber: str) -> None:
        """Deletes a subscriber with its deliveries. Receipts are lost; the name is free at once."""
        self._wait(self._native.delete_subscriber(topic, subscriber))

    def pause_subscriber(self, topic: str, subscriber: str) -> None:
        """Stops claims on the subscriber: they wait as on an empty topic."""
        self._wait(self._native.pause_subscriber(topic, subscriber))

    def resume_subscriber(self, topic: str, subscriber: str) -> None:
        """Lets claims go on."""
        self._wait(self._native.resume_subscriber(topic, subscriber))

    def seek(
        self,
        topic: str,
        subscriber: str,
        to: Literal["earliest", "latest"] | datetime | AtMessage | AtSequence,
        *,
        dry_run: bool = False,
    ) -> Sought:
        """Moves a subscriber to another place of its topic.

        Its leased and retrying deliveries end and their receipts are lost; dead letters stay. A dry run only
        tells what it would do.
        """
        return self._wait(self._native.seek(topic, subscriber, to, dry_run))
