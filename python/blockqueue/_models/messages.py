"""Messages, and replies to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from .. import _payload
from .values import Seconds


@dataclass(frozen=True)
class Message:
    """A message to publish, where the payload does not say it all."""

    payload: Any
    """Bytes, text, or what JSON can say."""
    content_type: str | None = None
    """What the payload is. Default: as the payload's type tells."""
    headers: Mapping[str, str] | None = None
    """Unique names and their values; order is not kept."""
    correlation_id: str | None = None
    """Ties the message to others, for example to a request."""
    priority: int = 0
    """-1000 to 1000; higher is delivered first, and lower ones may starve."""
    delay: Seconds | None = None
    """Deliver it this long after now."""
    deliver_at: datetime | None = None
    """Deliver it at this time."""
    idempotency_key: str | None = None
    """A repeat of the key within the topic's window publishes nothing and returns the first id."""
    ordering_key: str | None = None
    """Messages of one key go to a subscriber that asks for order one at a time."""
    unique_key: str | None = None
    """While some subscriber is not done with a message of this key, the topic takes no other of it."""
    ttl: Seconds | None = None
    """It is not delivered any more this long after it was published."""


@dataclass(frozen=True)
class Reply:
    """A reply to store together with an ack, where the payload does not say it all."""

    payload: Any
    """Bytes, text, or what JSON can say; at most 1 MiB."""
    content_type: str | None = None
    """What the payload is. Default: as the payload's type tells."""
    ttl: Seconds | None = None
    """How long it is kept. Default 1 h."""


@dataclass(frozen=True)
class MessageView:
    """A message as people look at it: without a receipt."""

    id: str
    payload: bytes
    content_type: str | None
    headers: dict[str, str]
    correlation_id: str | None
    idempotency_key: str | None
    ordering_key: str | None
    priority: int
    accepted_at: datetime
    """When it was accepted."""
    deliver_at: datetime
    """When it became deliverable, or will."""
    expires_at: datetime | None
    """When it expires, if it does."""

    @property
    def content(self) -> Any:
        """The payload as it was published, as far as the content type tells."""
        return _payload.decode(self.payload, self.content_type)


@dataclass(frozen=True)
class DeliveryResult:
    """What came of a message for one subscriber."""

    state: Literal["replied", "settled", "dead_lettered", "unsettled"]
    """Acked with a reply; settled without one, or the reply has expired; out of attempts; nothing yet."""
    payload: bytes | None = None
    """The bytes of the reply."""
    content_type: str | None = None
    replied_at: datetime | None = None
    expires_at: datetime | None = None
    """Until when the reply is kept."""

    @property
    def content(self) -> Any:
        """The reply as it was given, as far as the content type tells; ``None`` without one."""
        return None if self.payload is None else _payload.decode(self.payload, self.content_type)
