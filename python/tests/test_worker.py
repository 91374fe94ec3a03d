"""Workers: typed payloads, heartbeats, failures, and an orderly end."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import handlers
import pytest

import blockqueue
from blockqueue.logs import DeliveryFilter, JsonFormatter
from blockqueue.worker import App, Report


@dataclass
class Order:
    number: int


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in 20 s"
        time.sleep(0.01)


def run(app: App, done: Callable[[], bool], patience: float = 10.0) -> Report:
    reports: list[Report] = []
    thread = threading.Thread(target=lambda: reports.append(app.run(patience=patience)))
    thread.start()
    until(done)
    app.stop()
    thread.join(20)
    return reports[0]


def leased(queue: blockqueue.Queue) -> int:
    return queue.subscriber_stats("orders", "email").leased_count


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
    report = run(app, lambda: queue.subscriber_stats("orders", "email").acked_count == 1)
    assert (report.acked, report.failed, len(attempts)) == (1, 2, 3)
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


def test_an_async_handler_gets_a_delivery_to_await(queue: blockqueue.Queue) -> None:
    app = App(queue)

    @app.subscriber("orders", "email", concurrency=50)
    async def handle(delivery: blockqueue.aio.Delivery) -> None:
        await delivery.nack(error=str(threading.active_count()), give_up=True)

    queue.publish_many("orders", ["x"] * 50)
    before = threading.active_count()
    run(app, lambda: queue.subscriber_stats("orders", "email").dead_count == 50)
    # The worker's own threads: its caller, its loop, its heartbeat; none for a handler.
    threads = {int(letter.error or 0) for letter in queue.dead_letters("orders", "email")}
    assert max(threads) <= before + 3
    with pytest.raises(TypeError, match=r"blockqueue\.aio\.Delivery"):

        @app.subscriber("orders", "email")
        async def wrong(delivery: blockqueue.Delivery) -> None: ...


def test_processes_run_what_keeps_the_interpreter_busy(queue: blockqueue.Queue) -> None:
    app = App(queue)
    app.subscriber("orders", "email", concurrency=2, pool="process")(handlers.in_a_process)
    queue.update_subscriber("orders", "email", max_attempts=1)
    words = ["fine", "raise", "exit", "give up", "fine"]
    queue.publish_many("orders", [{"word": word} for word in words])
    report = run(app, lambda: queue.subscriber_stats("orders", "email").acked_count == 2, patience=20)
    until(lambda: queue.subscriber_stats("orders", "email").dead_count == 3)
    assert (report.acked, report.failed) == (2, 3)
    errors = sorted(letter.error or "" for letter in queue.dead_letters("orders", "email"))
    assert errors == [
        "ChildProcessError: the process of the handler ended with exit code 3",
        "GiveUp: no such word",
        "ValueError: by hand",
    ]
    with pytest.raises(TypeError, match="no delivery"):
        app.subscriber("orders", "email", pool="process")(handlers.with_a_delivery)


def test_a_process_that_does_not_return_is_ended_and_its_work_given_back(queue: blockqueue.Queue) -> None:
    app = App(queue)
    app.subscriber("orders", "email", pool="process")(handlers.for_ever)
    queue.publish("orders", "x")
    assert run(app, lambda: leased(queue) == 1, patience=0.1).unfinished == 1
    [delivery] = queue.claim("orders", "email", wait=5)
    assert (delivery.attempt, delivery.failures) == (1, 0)


def test_a_task_that_does_not_return_is_cancelled_and_its_work_given_back(queue: blockqueue.Queue) -> None:
    app = App(queue)

    @app.subscriber("orders", "email")
    async def for_ever(text: str) -> None:
        await asyncio.Event().wait()

    queue.publish("orders", "x")
    assert run(app, lambda: leased(queue) == 1, patience=0.1).unfinished == 1
    assert queue.claim("orders", "email", wait=5)[0].attempt == 1


def test_a_hand_that_fails_ends_the_worker(queue: blockqueue.Queue) -> None:
    app = App(queue)
    app.subscriber("orders", "email")(handlers.for_ever)
    queue.create_subscriber("orders", "gone")
    app.subscriber("orders", "gone")(handlers.for_ever)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(app.run)
        until(lambda: queue.engine_stats().waiting_claims == 2)
        queue.delete_subscriber("orders", "gone")
        with pytest.raises(blockqueue.errors.UnknownSubscriberError):
            running.result(20)


@dataclass
class Line:
    number: int


def test_types_with_parameters_are_made_by_pydantic(queue: blockqueue.Queue) -> None:
    app, seen = App(queue), []

    @app.subscriber("orders", "email")
    def handle(lines: list[Line]) -> None:
        seen.extend(lines)

    queue.publish("orders", [{"number": 1}, {"number": 2}])
    run(app, lambda: len(seen) == 2)
    assert seen == [Line(1), Line(2)]


def test_what_a_handler_logs_tells_its_delivery(queue: blockqueue.Queue) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(DeliveryFilter())
    handler.setFormatter(JsonFormatter())
    logger, app = logging.getLogger("shop"), App(queue)
    logger.addHandler(handler)

    @app.subscriber("orders", "email")
    def plain(text: str) -> None:
        logger.warning("plain %s", text, extra={"size": len(text)})

    queue.create_subscriber("orders", "audit")

    @app.subscriber("orders", "audit")
    async def awaited(text: str) -> None:
        await asyncio.sleep(0)
        logger.warning("awaited %s", text)

    message = queue.publish("orders", "x")
    try:
        run(app, lambda: len(stream.getvalue().splitlines()) == 2)
    finally:
        logger.removeHandler(handler)
    lines = {line["message"]: line for line in map(json.loads, stream.getvalue().splitlines())}
    common = {"topic": "orders", "message_id": message.id, "attempt": 1, "level": "warning", "logger": "shop"}
    assert lines["plain x"].items() >= {**common, "subscriber": "email", "size": 1}.items()
    assert lines["awaited x"].items() >= {**common, "subscriber": "audit"}.items()


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


def test_a_thread_that_does_not_return_does_not_keep_the_command(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        APP.replace("flush=True)", 'flush=True); __import__("time").sleep(600)')
    )
    with blockqueue.open(tmp_path / "queue.db") as queue:
        queue.create_topic("orders", subscribers=["email"])
        queue.publish("orders", "42")
    command = [sys.executable, "-m", "blockqueue", "worker", "shop:app", "--patience", "0.1", "--log", "json"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        assert worker.stderr is not None
        assert worker.stdout.readline() == b"handled 42\n"
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 1
        lines = [json.loads(line) for line in worker.stderr.read().splitlines()]
    assert lines[-1]["message"] == "worker stopped"
    assert lines[-1]["report"]["unfinished"] == 1


def test_reload_starts_anew_when_the_code_changes(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(APP)
    with blockqueue.open(tmp_path / "queue.db") as queue:
        queue.create_topic("orders", subscribers=["email"])
        command = [sys.executable, "-m", "blockqueue", "worker", "shop:app", "--reload"]
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as worker:
            assert worker.stdout is not None
            queue.publish("orders", "1")
            assert worker.stdout.readline() == "handled 1\n"
            (tmp_path / "shop.py").write_text(APP.replace("handled", "changed to"))
            queue.publish("orders", "2")
            assert worker.stdout.readline() in ("handled 2\n", "changed to 2\n")
            queue.publish("orders", "3")
            while worker.stdout.readline() != "changed to 3\n":
                queue.publish("orders", "3")
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(20) == 0
