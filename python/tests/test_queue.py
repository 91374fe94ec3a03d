"""The queue for threads: payloads, threads, interruption, and what must not grow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pydantic
import pytest

import blockqueue


@dataclass
class Order:
    number: int


class Checked(pydantic.BaseModel):
    number: int


@pytest.mark.parametrize(
    "payload",
    [b"", b"\0", b"\xff\xfe", bytes(1 << 20), "", "zwölf \0", {"a": [1, None, True]}, [], None, 0.5],
    ids=["empty", "zero", "no-utf-8", "1-mib", "no-text", "text", "object", "list", "null", "number"],
)
def test_a_payload_comes_back_as_it_was(queue: blockqueue.Queue, payload: object) -> None:
    queue.publish("orders", payload)
    [delivery] = queue.claim("orders", "email")
    assert delivery.content == payload
    assert type(delivery.content) is type(payload)


def test_dataclasses_and_models_travel_as_json(queue: blockqueue.Queue) -> None:
    queue.publish_many("orders", [Order(1), Checked(number=2)])
    first, second = queue.claim("orders", "email")
    assert first.parse(Order) == Order(1)
    assert second.parse(Checked) == Checked(number=2)
    assert json.loads(second.payload) == {"number": 2}
    with pytest.raises(TypeError, match="expected list, not dict"):
        first.parse(list)
    assert first.content_type == "application/json"


def test_thirty_two_threads_share_a_queue(queue: blockqueue.Queue) -> None:
    def publish(thread: int) -> None:
        for each in range(50):
            queue.publish("orders", [thread, each])

    def consume(_: int) -> list[tuple[int, int]]:
        got = []
        for delivery in queue.consume("orders", "email", timeout=1):
            with delivery:
                got.append(tuple(delivery.content))
        return got

    with ThreadPoolExecutor(32) as pool:
        consumed = [pool.submit(consume, each) for each in range(16)]
        list(pool.map(publish, range(16)))
    got = [each for future in consumed for each in future.result()]
    assert sorted(got) == [(thread, each) for thread in range(16) for each in range(50)]


def test_consume_gives_back_what_it_did_not_hand_out(queue: blockqueue.Queue) -> None:
    queue.publish_many("orders", ["a", "b", "c"])
    for delivery in queue.consume("orders", "email", limit=3):
        delivery.ack()
        break
    assert [(each.content, each.attempt) for each in queue.claim("orders", "email")] == [("b", 1), ("c", 1)]


def test_what_is_interrupted_is_given_back(queue: blockqueue.Queue) -> None:
    queue.publish("orders", "x")
    [delivery] = queue.claim("orders", "email")
    with pytest.raises(KeyboardInterrupt), delivery:
        raise KeyboardInterrupt
    assert queue.claim("orders", "email")[0].attempt == 1


WAITING = """
import signal, sys, threading, time, blockqueue
signal.signal(signal.SIGINT, signal.default_int_handler)  # Also where whoever started the tests ignores it.
queue = blockqueue.open(sys.argv[1])

def tell():
    while queue.engine_stats().waiting_claims == 0:
        time.sleep(0.01)
    print("waiting", flush=True)

try:
    threading.Thread(target=tell, daemon=True).start()
    queue.claim("orders", "email", wait=600)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_ctrl_c_ends_a_wait(queue: blockqueue.Queue, path: Path) -> None:
    command = [sys.executable, "-c", WAITING, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as waiting:
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == "waiting\n"
        waiting.send_signal(signal.SIGINT)
        assert waiting.stdout.readline() == "interrupted\n"
        assert waiting.wait(10) == 0


def test_a_wait_lets_other_threads_run(queue: blockqueue.Queue) -> None:
    claims: list[list[blockqueue.Delivery]] = []
    thread = threading.Thread(target=lambda: claims.append(queue.claim("orders", "email", wait=60)))
    thread.start()
    while queue.engine_stats().waiting_claims == 0:
        time.sleep(0.001)
    queue.publish("orders", "x")
    thread.join(10)
    assert [delivery.content for delivery in claims[0]] == ["x"]


def test_a_backup_tells_how_far_it_is(queue: blockqueue.Queue, tmp_path: Path) -> None:
    queue.publish_many("orders", [bytes(10_000)] * 100)
    told: list[blockqueue.BackupProgress] = []
    queue.backup(tmp_path / "copy.db", progress=told.append)
    assert told[-1].bytes_done == told[-1].bytes_total > 1_000_000
    with blockqueue.open(tmp_path / "copy.db", must_exist=True) as copy:
        assert copy.topic_stats("orders").published_count == 100


def test_nothing_grows_with_opens_and_round_trips(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"

    def round_trips(count: int) -> None:
        with blockqueue.open(path, durability="balanced") as queue:
            for _ in range(count // 1000):
                queue.publish_many("orders", [b"x" * 100] * 1000)
                assert set(queue.ack_many(queue.claim("orders", "email", limit=1000))) == {None}

    def opens(count: int) -> None:
        for each in range(count):
            with blockqueue.open(path, durability="balanced") as queue:
                queue.topics()
                if each % 20 == 0:
                    queue.publish("orders", b"x")
                    queue.ack_many(queue.claim("orders", "email"))

    with blockqueue.open(path) as queue:
        queue.create_topic("orders", subscribers=["email"])
    round_trips(50_000)
    opens(100)
    before = _resources()
    round_trips(200_000)
    opens(1000)
    # Threads that have answered a shutdown end a moment later.
    deadline = time.monotonic() + 10
    while (grown := _grown(before))[0] > 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    threads, descriptors, memory = grown
    assert threads <= 0
    assert descriptors <= 0
    assert memory < 8 << 20


def _grown(before: tuple[int, int, int]) -> list[int]:
    return [now - then for now, then in zip(_resources(), before, strict=True)]


def _resources() -> tuple[int, int, int]:
    """Threads, descriptors, bytes in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    threads, descriptors = os.listdir("/proc/self/task"), os.listdir("/proc/self/fd")
    return len(threads), len(descriptors), pages * os.sysconf("SC_PAGE_SIZE")


def test_importing_is_quick() -> None:
    code = "import time; t = time.process_time(); import blockqueue; print(time.process_time() - t)"
    command = [sys.executable, "-c", code]
    # Processor time, which others on the machine cannot take; wall time is in `cargo xtask bench python`.
    seconds = [float(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout) for _ in range(3)]
    assert min(seconds) < 0.2
