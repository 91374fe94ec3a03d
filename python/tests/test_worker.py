"""Workers: typed payloads, heartbeats, failures, and an orderly end."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import blockqueue
from blockqueue.worker import App, Report


@dataclass
class Order:
    number: int


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in 20 s"
        time.sleep(0.01)


def run(app: App, done: Callable[[], bool]) -> Report:
    reports: list[Report] = []
    thread = threading.Thread(target=lambda: reports.append(app.run(patience=10)))
    thread.start()
    until(done)
    app.stop()
    thread.join(20)
    return reports[0]


def test_handlers_get_what_their_annotations_say(queue: blockqueue.Queue) -> None:
    queue.create_subscriber("orders", "audit")
    app, seen, audited = App(queue), [], []

    @app.subscriber("orders", "email", concurrency=2)
    def email(order: Order, delivery: blockqueue.Delivery) -> None:
        seen.append((order, delivery.attempt))

    @app.subscriber("orders", "audit")
    async def audit(order: dict[str, int]) -> None:
        await asyncio.sleep(0)
        audited.append(order)

    queue.publish_many("orders", [{"number": each} for each in range(20)])
    report = run(app, lambda: len(seen) == len(audited) == 20)
    assert sorted(order.number for order, _ in seen) == list(range(20))
    assert (report.acked, report.failed, report.unfinished) == (40, 0, 0)
    assert queue.subscriber_stats("orders", "audit").acked_count == 20


def test_an_exception_is_kept_and_giving_up_is_final(queue: blockqueue.Queue) -> None:
    app, attempts = App(queue), []

    @app.subscriber("orders", "email")
    def handle(text: str) -> None:
        attempts.append(text)
        if text == "never":
            raise blockqueue.GiveUp("no such order")
        if len(attempts) == 1:
            raise blockqueue.RetryAfter(0, "not yet")

    queue.publish("orders", "later")
    queue.publish("orders", "never")
    run(app, lambda: queue.subscriber_stats("orders", "email").acked_count == 1 and len(attempts) == 3)
    [letter] = queue.dead_letters("orders", "email")
    assert (letter.message.content, letter.error) == ("never", "GiveUp: no such order")


def test_a_lease_outlives_its_length_while_the_handler_runs(queue: blockqueue.Queue) -> None:
    app, release, begun = App(queue), threading.Event(), threading.Event()

    @app.subscriber("orders", "email", lease=0.3)
    def slow(text: str) -> None:
        begun.set()
        release.wait(20)

    queue.publish("orders", "x")
    started = time.monotonic()

    def others_get_nothing_for_three_leases() -> bool:
        if begun.is_set():
            assert queue.claim("orders", "email") == []
        if time.monotonic() - started > 0.9:
            release.set()
        return queue.subscriber_stats("orders", "email").acked_count == 1

    assert run(app, others_get_nothing_for_three_leases).acked == 1


def test_a_handler_without_a_place_for_the_payload_is_refused(queue: blockqueue.Queue) -> None:
    with pytest.raises(TypeError, match="payload"):
        App(queue).subscriber("orders", "email")(lambda: None)


APP = """
import blockqueue, blockqueue.worker
app = blockqueue.worker.App("queue.db")

@app.subscriber("orders", "email")
def handle(text: str):
    print("handled", text, flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_stops_in_order_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "shop.py").write_text(APP)
    with blockqueue.open(tmp_path / "queue.db") as queue:
        queue.create_topic("orders", subscribers=["email"])
        queue.publish("orders", "42")
    command = [sys.executable, "-m", "blockqueue", "worker", "shop:app"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "handled 42\n"
        worker.send_signal(number)
        assert worker.wait(20) == 0
