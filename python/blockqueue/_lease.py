"""What every delivery tells, and what becomes of one whose work ended in an exception."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from . import _payload
from ._models import Seconds
from ._native import Claimed

T = TypeVar("T")


class GiveUp(Exception):
    """Raised by the work on a delivery: it will never succeed. The delivery becomes a dead letter now."""


class RetryAfter(Exception):
    """Raised by the work on a delivery: it failed, and is to be tried again after this long."""

    def __init__(self, delay: Seconds, error: str = "") -> None:
        super().__init__(error)
        self.delay = delay

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.delay, *self.args)


@dataclass(frozen=True)
class Nack:
    """A failure to report in a batch, where it has options of its own."""

    delivery: Lease | str
    """The delivery, or its receipt."""
    delay: Seconds | None = field(default=None, kw_only=True)
    error: str | None = field(default=None, kw_only=True)
    give_up: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class Defer:
    """A delivery to put back in a batch, where it has a delay of its own."""

    delivery: Lease | str
    """The delivery, or its receipt."""
    delay: Seconds = 0.0


class Lease:
    """A message leased to this consumer: what it says, without what can be done with it."""

    __slots__ = ("_claimed",)

    _claimed: Claimed

    @property
    def topic(self) -> str:
        """The topic's name."""
        return self._claimed.topic

    @property
    def subscriber(self) -> str:
        """The subscriber's name."""
        return self._claimed.subscriber

    @property
    def message_id(self) -> str:
        """The message's id."""
        return self._claimed.message_id

    @property
    def receipt(self) -> str:
        """The right to settle this delivery; whoever has this text may."""
        return self._claimed.receipt

    @property
    def payload(self) -> bytes:
        """The bytes that were published."""
        return self._claimed.payload

    @property
    def content(self) -> Any:
        """What was published, as far as the content type tells: text, a JSON value, or else the bytes."""
        return _payload.decode(self._claimed.payload, self._claimed.content_type)

    def parse(self, into: type[T]) -> T:
        """The payload as ``bytes``, ``str``, a dataclass, a pydantic model, or a type that JSON has.

        A dataclass is called with the members of the object; pydantic validates.
        """
        parsed: T = _payload.parse(self._claimed.payload, self._claimed.content_type, into)
        return parsed

    @property
    def content_type(self) -> str | None:
        """What the payload is."""
        return self._claimed.content_type

    @property
    def headers(self) -> dict[str, str]:
        """The headers that were published."""
        return self._claimed.headers

    @property
    def correlation_id(self) -> str | None:
        """What the publisher tied the message to."""
        return self._claimed.correlation_id

    @property
    def ordering_key(self) -> str | None:
        """What the message is in order with."""
        return self._claimed.ordering_key

    @property
    def priority(self) -> int:
        """The message's priority."""
        return self._claimed.priority

    @property
    def attempt(self) -> int:
        """Which attempt this is, from 1."""
        return self._claimed.attempt

    @property
    def failures(self) -> int:
        """Attempts that ended badly so far."""
        return self._claimed.failures

    @property
    def published_at(self) -> datetime:
        """When the message became deliverable."""
        return self._claimed.published_at

    @property
    def expires_at(self) -> datetime | None:
        """When the message expires, if it does. A delivery leased by then may still be settled."""
        return self._claimed.expires_at

    @property
    def lease_expires_at(self) -> datetime:
        """When the lease expires, as of the claim."""
        return self._claimed.lease_expires_at

    def __repr__(self) -> str:
        """Without the payload: it may be long, or a secret."""
        name = type(self).__name__
        return f"<{name} {self.topic}/{self.subscriber} {self.message_id} attempt {self.attempt}>"


def failure_text(error: BaseException) -> str:
    """What is kept with a delivery about an exception."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
