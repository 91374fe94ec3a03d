"""Traces that go on from publisher to consumer, by OpenTelemetry; ``pip install blockqueue[opentelemetry]``.

>>> from blockqueue.opentelemetry import processing, publishing
>>> with publishing("orders") as headers:
...     published = queue.publish("orders", "42", headers=headers)
>>> for delivery in queue.claim("orders", "email"):
...     with delivery, processing(delivery) as span:
...         span.set_attribute("order", delivery.content)

A worker does it for all its handlers: ``App("queue.db", around=[processing])``.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind
from opentelemetry.util.types import AttributeValue

from ._lease import Lease

__all__ = ["inject", "processing", "publishing"]

# Asked for each span, so that a provider may be set after the import.
_NAME = "blockqueue"


def inject(headers: Mapping[str, str] | None = None) -> dict[str, str]:
    """The headers, and those that carry the trace of the caller."""
    carrier = dict(headers or {})
    propagate.inject(carrier)
    return carrier


@contextmanager
def publishing(topic: str, headers: Mapping[str, str] | None = None) -> Generator[dict[str, str]]:
    """A span around a publish; it gives the headers to publish with."""
    attributes: dict[str, AttributeValue] = {
        "messaging.system": "blockqueue",
        "messaging.operation.name": "publish",
        "messaging.operation.type": "send",
        "messaging.destination.name": topic,
    }
    tracer = trace.get_tracer(_NAME)
    with tracer.start_as_current_span(f"publish {topic}", kind=SpanKind.PRODUCER, attributes=attributes):
        yield inject(headers)


@contextmanager
def processing(delivery: Lease) -> Generator[Span]:
    """A span around the work on a delivery, within the trace that published it. It records exceptions."""
    attributes: dict[str, AttributeValue] = {
        "messaging.system": "blockqueue",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": delivery.topic,
        "messaging.destination.subscription.name": delivery.subscriber,
        "messaging.message.id": delivery.message_id,
        "messaging.message.body.size": len(delivery.payload),
        "messaging.blockqueue.attempt": delivery.attempt,
    }
    tracer = trace.get_tracer(_NAME)
    with tracer.start_as_current_span(
        f"process {delivery.topic}",
        context=propagate.extract(delivery.headers),
        kind=SpanKind.CONSUMER,
        attributes=attributes,
    ) as span:
        yield span
