"""Traces go on from publisher to consumer, with the real OpenTelemetry."""

from __future__ import annotations

import threading

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import blockqueue
from blockqueue.opentelemetry import inject, processing, publishing
from blockqueue.worker import App

_exporter = InMemorySpanExporter()


@pytest.fixture
def spans() -> InMemorySpanExporter:
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(_exporter))
        trace.set_tracer_provider(provider)
    _exporter.clear()
    return _exporter


def by_name(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in spans.get_finished_spans()}


def test_a_trace_goes_on_in_the_consumer(queue: blockqueue.Queue, spans: InMemorySpanExporter) -> None:
    with publishing("orders", {"type": "order"}) as headers:
        published = queue.publish("orders", "x", headers=headers)
    [delivery] = queue.claim("orders", "email")
    assert delivery.headers["type"] == "order"
    with pytest.raises(ZeroDivisionError), delivery, processing(delivery):
        raise ZeroDivisionError
    sent, processed = by_name(spans)["publish orders"], by_name(spans)["process orders"]
    assert sent.context is not None
    assert processed.context is not None
    assert processed.parent is not None
    assert (processed.context.trace_id, processed.parent.span_id) == (
        sent.context.trace_id,
        sent.context.span_id,
    )
    assert (sent.kind, processed.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert processed.status.status_code is StatusCode.ERROR
    assert processed.attributes is not None
    assert processed.attributes["messaging.message.id"] == published.id
    assert processed.attributes["messaging.destination.subscription.name"] == "email"


def test_a_worker_traces_its_handlers(queue: blockqueue.Queue, spans: InMemorySpanExporter) -> None:
    app = App(queue, around=[processing])
    queue.create_subscriber("orders", "audit")
    seen: list[int] = []

    @app.subscriber("orders", "email")
    def plain(text: str) -> None:
        seen.append(trace.get_current_span().get_span_context().trace_id)

    @app.subscriber("orders", "audit")
    async def awaited(text: str) -> None:
        seen.append(trace.get_current_span().get_span_context().trace_id)
        app.stop()

    with trace.get_tracer("test").start_as_current_span("request") as request:
        queue.publish("orders", "x", headers=inject())
    thread = threading.Thread(target=app.run)
    thread.start()
    thread.join(20)
    assert seen == [request.get_span_context().trace_id] * 2
