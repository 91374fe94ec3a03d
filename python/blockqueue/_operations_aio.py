# Generated from _operations.py by tools/generate_aio.py: edit that file.

"""Every operation of the queue, awaiting its answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from os import PathLike
from typing import Any, Literal

from ._delivery_aio import Delivery
from ._lease import Defer, Nack
from ._models import (
    AtMessage,
    AtSequence,
    BacklogLimit,
    DeadLetter,
    DeliveryResult,
    DeliveryStatus,
    Diagnosis,
    EngineStats,
    Failure,
    MessageStatus,
    Nacked,
    NewSubscriber,
    Page,
    Peeked,
    Retention,
    RetryPolicy,
    Schedule,
    ScheduleOptions,
    ScheduleRun,
    Seconds,
    Sought,
    Subscriber,
    SubscriberStats,
    Topic,
    TopicStats,
)
from ._native import Published
from ._transaction_aio import Transaction
from ._waiting_aio import Waiting
from .errors import BlockQueueError


class Operations(Waiting):
    """What a queue can do."""

    __slots__ = ()

    # --- topics and subscribers -----------------------------------------------------------------------

    async def create_topic(
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
        return await self._wait(
            self._native.create_topic(topic, subscribers, retention, backlog_limit, idempotency_window, ttl)
        )

    async def topic(self, topic: str) -> Topic:
        """A topic by name."""
        return await self._wait(self._native.topic(topic))

    async def topics(self, *, limit: int | None = None, after: str | None = None) -> Page[Topic]:
        """The topics, by name."""
        return await self._wait(self._native.topics(limit, after))

    async def update_topic(
        self,
        topic: str,
        *,
        retention: Retention | None = None,
        backlog_limit: BacklogLimit | None = None,
        idempotency_window: Seconds | None = None,
        ttl: Seconds | Literal["none"] | None = None,
    ) -> Topic:
        """Changes the settings of a topic; what is ``None`` stays. A ttl of ``"none"`` means for ever."""
        return await self._wait(
            self._native.update_topic(topic, retention, backlog_limit, idempotency_window, ttl)
        )

    async def delete_topic(self, topic: str) -> None:
        """Deletes a topic with its subscribers and messages. Receipts are lost; the name is free at once."""
        await self._wait(self._native.delete_topic(topic))

    async def pause_topic(self, topic: str) -> None:
        """Stops claims on every subscriber of the topic: they wait as on an empty topic."""
        await self._wait(self._native.pause_topic(topic))

    async def resume_topic(self, topic: str) -> None:
        """Lets claims go on."""
        await self._wait(self._native.resume_topic(topic))

    async def create_subscriber(
        self,
        topic: str,
        subscriber: str,
        *,
        max_attempts: int | None = None,
        lease: Seconds | None = None,
        claim_limit: int | None = None,
        retry: RetryPolicy | None = None,
        start: Literal["now", "earliest"] | datetime = "now",
    ) -> Subscriber:
        """Creates a subscriber of a topic. Raises ``SubscriberExistsError``."""
        return await self._wait(
            self._native.create_subscriber(topic, subscriber, max_attempts, lease, claim_limit, retry, start)
        )

    async def create_subscribers(
        self, topic: str, subscribers: Sequence[str | NewSubscriber]
    ) -> list[Subscriber]:
        """Creates up to 1,000 subscribers of a topic: all or none."""
        return await self._wait(self._native.create_subscribers(topic, subscribers))

    async def subscriber(self, topic: str, subscriber: str) -> Subscriber:
        """A subscriber by name."""
        return await self._wait(self._native.subscriber(topic, subscriber))

    async def subscribers(
        self, topic: str, *, limit: int | None = None, after: str | None = None
    ) -> Page[Subscriber]:
        """The subscribers of a topic, by name."""
        return await self._wait(self._native.subscribers(topic, limit, after))

    async def update_subscriber(
        self,
        topic: str,
        subscriber: str,
        *,
        max_attempts: int | None = None,
        lease: Seconds | None = None,
        claim_limit: int | None = None,
        retry: RetryPolicy | None = None,
    ) -> Subscriber:
        """Changes the settings of a subscriber; what is ``None`` stays."""
        return await self._wait(
            self._native.update_subscriber(topic, subscriber, max_attempts, lease, claim_limit, retry)
        )

    async def delete_subscriber(self, topic: str, subscriber: str) -> None:
        """Deletes a subscriber with its deliveries. Receipts are lost; the name is free at once."""
        await self._wait(self._native.delete_subscriber(topic, subscriber))

    async def pause_subscriber(self, topic: str, subscriber: str) -> None:
        """Stops claims on the subscriber: they wait as on an empty topic."""
        await self._wait(self._native.pause_subscriber(topic, subscriber))

    async def resume_subscriber(self, topic: str, subscriber: str) -> None:
        """Lets claims go on."""
        await self._wait(self._native.resume_subscriber(topic, subscriber))

    async def seek(
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
        return await self._wait(self._native.seek(topic, subscriber, to, dry_run))

    # --- publish --------------------------------------------------------------------------------------

    async def publish(
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

        >>> published = await queue.publish("orders", {"order": 42}, idempotency_key="order-42")
        >>> repeated = await queue.publish("orders", {"order": 42}, idempotency_key="order-42")
        >>> repeated.duplicate, repeated.id == published.id
        (True, True)
        """
        return await self._wait(
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

    async def publish_many(self, topic: str, messages: Iterable[Any]) -> list[Published]:
        """Publishes 1 to 1,000 messages, all or none, in order.

        Each is a payload, or a :class:`Message` where the payload does not say it all. The error of one names
        its ``index``.
        """
        return await self._wait(self._native.publish_many(topic, messages))

    # --- claim and settle -----------------------------------------------------------------------------

    async def claim(
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
        claimed = await self._wait_for_claim(self._native.claim(topic, subscriber, limit, wait, lease))
        return [Delivery(self, each) for each in claimed]

    async def claim_any(
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
        claimed = await self._wait_for_claim(self._native.claim_any(sources, limit, wait, lease))
        return [Delivery(self, each) for each in claimed]

    async def ack(self, delivery: Delivery | str) -> None:
        """Settles a delivery, or the receipt of one: done. Raises ``LeaseLostError``."""
        await self._wait(self._native.ack(delivery))

    async def ack_with_result(self, delivery: Delivery | str, reply: Any) -> None:
        """Settles a delivery and stores a reply for whoever waits for the message's result.

        The reply is a payload, or a :class:`Reply` where the payload does not say it all.
        """
        await self._wait(self._native.ack_with_result(delivery, reply))

    async def result(
        self, topic: str, subscriber: str, message_id: str, *, wait: Seconds = 0.0
    ) -> DeliveryResult:
        """What came of a message for one subscriber, waiting up to ``wait`` until there is something.

        >>> asked = await queue.publish("orders", "2 + 2")
        >>> [delivery] = queue.claim("orders", "email")
        >>> await queue.ack_with_result(delivery, 4)
        >>> await queue.result("orders", "email", asked.id).content
        4
        """
        return await self._wait(self._native.result(topic, subscriber, message_id, wait))

    async def ack_many(self, deliveries: Sequence[Delivery | str]) -> list[BlockQueueError | None]:
        """Settles up to 1,000 deliveries; for each ``None``, or why it could not be."""
        return await self._wait(self._native.ack_many(deliveries))

    async def nack(
        self,
        delivery: Delivery | str,
        *,
        delay: Seconds | None = None,
        error: str | None = None,
        give_up: bool = False,
    ) -> Nacked:
        """Reports a failure: the delivery waits for its next attempt, or becomes a dead letter."""
        return await self._wait(self._native.nack(delivery, delay, error, give_up))

    async def nack_many(
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
        return await self._wait(self._native.nack_many(deliveries, delay, error, give_up))

    async def extend(self, delivery: Delivery | str, lease: Seconds) -> datetime:
        """Makes the lease last until this long after now; the answer is its new expiry."""
        return await self._wait(self._native.extend(delivery, lease))

    async def extend_many(
        self, deliveries: Sequence[Delivery | str], lease: Seconds
    ) -> list[datetime | BlockQueueError]:
        """Extends up to 1,000 leases; for each its new expiry, or why it could not be."""
        return await self._wait(self._native.extend_many(deliveries, lease))

    async def defer(self, delivery: Delivery | str, delay: Seconds = 0.0) -> datetime:
        """Puts a delivery back for this long. The attempt does not count."""
        return await self._wait(self._native.defer(delivery, delay))

    async def defer_many(
        self, deliveries: Sequence[Delivery | str | Defer], delay: Seconds = 0.0
    ) -> list[datetime | BlockQueueError]:
        """Puts up to 1,000 deliveries back; for each when it is ready, or why it could not be."""
        return await self._wait(self._native.defer_many(deliveries, delay))

    async def cancel(self, delivery: Delivery | str, *, reason: str | None = None) -> None:
        """Ends a leased delivery for good, as if it had been acked."""
        await self._wait(self._native.cancel(delivery, reason))

    async def cancel_many(
        self, deliveries: Sequence[Delivery | str], *, reason: str | None = None
    ) -> list[BlockQueueError | None]:
        """Ends up to 1,000 leased deliveries for good; for each ``None``, or why it could not be."""
        return await self._wait(self._native.cancel_many(deliveries, reason))

    async def cancel_delivery(
        self, topic: str, subscriber: str, message_id: str, *, reason: str | None = None
    ) -> None:
        """Ends one message for one subscriber, whatever its state, without a receipt."""
        await self._wait(self._native.cancel_delivery(topic, subscriber, message_id, reason))

    async def cancel_message(self, topic: str, message_id: str) -> list[DeliveryStatus]:
        """Ends one message for every subscriber, also before its time; the answer is where it stood."""
        return await self._wait(self._native.cancel_message(topic, message_id))

    # --- dead letters ---------------------------------------------------------------------------------

    async def dead_letters(
        self, topic: str, subscriber: str, *, limit: int | None = None, after: str | None = None
    ) -> Page[DeadLetter]:
        """The dead letters of a subscriber, oldest first."""
        return await self._wait(self._native.dead_letters(topic, subscriber, limit, after))

    async def redrive(
        self,
        topic: str,
        subscriber: str,
        *,
        ids: Sequence[str] | None = None,
        limit: int | None = None,
        to: str | None = None,
        rate: float | None = None,
        dry_run: bool = False,
    ) -> int:
        """Gives dead letters all their attempts again; the answer is how many.

        Those of these message ids, or the oldest ``limit``, or all. ``to`` publishes them to another topic
        instead; ``rate`` lets at most so many a second fall due; a dry run only counts.
        """
        return await self._wait(self._native.redrive(topic, subscriber, ids, limit, to, rate, dry_run))

    async def purge_dead_letters(
        self,
        topic: str,
        subscriber: str,
        *,
        ids: Sequence[str] | None = None,
        limit: int | None = None,
        dry_run: bool = False,
    ) -> int:
        """Deletes dead letters, chosen as in :meth:`redrive`; the answer is how many."""
        return await self._wait(self._native.purge_dead_letters(topic, subscriber, ids, limit, dry_run))

    async def failures(
        self,
        topic: str,
        subscriber: str,
        message_id: str,
        *,
        limit: int | None = None,
        after: str | None = None,
    ) -> Page[Failure]:
        """What went wrong with a delivery so far, oldest first."""
        return await self._wait(self._native.failures(topic, subscriber, message_id, limit, after))

    # --- schedules ------------------------------------------------------------------------------------

    async def create_schedule(self, topic: str, schedule: str, options: ScheduleOptions) -> Schedule:
        """Creates a schedule: publishes a message to the topic again and again.

        >>> from blockqueue import ScheduleOptions
        >>> nightly = ScheduleOptions("0 3 * * *", "sweep", timezone="Europe/Berlin")
        >>> created = await queue.create_schedule("orders", "nightly", nightly)
        >>> created.version, created.options.cron
        (1, '0 3 * * *')
        """
        return await self._wait(self._native.create_schedule(topic, schedule, options))

    async def schedule(self, topic: str, schedule: str) -> Schedule:
        """A schedule by name."""
        return await self._wait(self._native.schedule(topic, schedule))

    async def schedules(
        self, topic: str, *, limit: int | None = None, after: str | None = None
    ) -> Page[Schedule]:
        """The schedules of a topic, by name."""
        return await self._wait(self._native.schedules(topic, limit, after))

    async def update_schedule(
        self, topic: str, schedule: str, version: int, options: ScheduleOptions
    ) -> Schedule:
        """Changes the settings of a schedule as a whole, if nobody has changed them since that version.

        It goes on with the first occurrence after now. Raises ``StaleVersionError``.
        """
        return await self._wait(self._native.update_schedule(topic, schedule, version, options))

    async def delete_schedule(self, topic: str, schedule: str) -> None:
        """Deletes a schedule with its history. The messages that it published stay."""
        await self._wait(self._native.delete_schedule(topic, schedule))

    async def pause_schedule(self, topic: str, schedule: str) -> None:
        """Stops a schedule. Occurrences that come meanwhile are left out and not counted as missed."""
        await self._wait(self._native.pause_schedule(topic, schedule))

    async def resume_schedule(self, topic: str, schedule: str) -> None:
        """Lets a schedule go on, with the first occurrence after now."""
        await self._wait(self._native.resume_schedule(topic, schedule))

    async def run_schedule_now(self, topic: str, schedule: str) -> ScheduleRun:
        """Publishes the message of a schedule now, also while it is paused."""
        return await self._wait(self._native.run_schedule_now(topic, schedule))

    async def schedule_runs(
        self, topic: str, schedule: str, *, limit: int | None = None, after: str | None = None
    ) -> Page[ScheduleRun]:
        """What became of the occurrences of a schedule, newest first."""
        return await self._wait(self._native.schedule_runs(topic, schedule, limit, after))

    # --- looking --------------------------------------------------------------------------------------

    async def topic_stats(self, topic: str) -> TopicStats:
        """A topic and its subscribers in numbers."""
        return await self._wait(self._native.topic_stats(topic))

    async def subscriber_stats(self, topic: str, subscriber: str) -> SubscriberStats:
        """A subscriber in numbers."""
        return await self._wait(self._native.subscriber_stats(topic, subscriber))

    async def peek(
        self, topic: str, subscriber: str, *, limit: int | None = None, after: str | None = None
    ) -> Page[Peeked]:
        """Deliveries in flight, then pending ones, without leasing them; a page ends at 16 MiB."""
        return await self._wait(self._native.peek(topic, subscriber, limit, after))

    async def message(self, topic: str, message_id: str) -> MessageStatus:
        """A message by its id, with its state for every subscriber."""
        return await self._wait(self._native.message(topic, message_id))

    async def engine_stats(self) -> EngineStats:
        """What the engine of this process has done, and the size of the file."""
        return await self._wait(self._native.engine_stats())

    async def backup(self, to: str | PathLike[str]) -> None:
        """Writes a consistent, verified copy of the queue as of now to a new file. Work goes on."""
        await self._wait(self._native.backup(to))

    async def diagnose(self) -> Diagnosis:
        """Examines the file: integrity, counters, sizes. Reads all of it; changes nothing."""
        return await self._wait(self._native.diagnose())

    # --- transactions ---------------------------------------------------------------------------------

    def transaction(self, *, deadline: Seconds = 5.0) -> Transaction:
        """A transaction for statements of yours and verbs of the queue, as a context manager."""
        return Transaction(self, self._native, deadline)

    # --- the end --------------------------------------------------------------------------------------

    async def shutdown(self) -> None:
        """Finishes what was handed over, ends waiting claims with ``ShutdownError``, and closes the file.

        A second shutdown succeeds.
        """
        await self._wait(self._native.shutdown())
