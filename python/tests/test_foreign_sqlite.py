"""Python's own SQLite on the queue's file, in the same process: nothing that was acknowledged is lost."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import blockqueue

# Prints what was acknowledged, until it is killed.
WRITERS = """
import sqlite3, sys, threading, blockqueue

queue = blockqueue.open("queue.db")
say = threading.Lock()

def tell(*words):
    with say:
        print(*words, flush=True)

def ours():
    for n in range(10**9):
        tell("message", queue.publish("orders", f"{n}").id)

def theirs():
    for n in range(10**9):
        # Opened and closed each time: that is what used to drop the locks of the whole process.
        connection = sqlite3.connect("queue.db", timeout=30, isolation_level=None)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO item VALUES (?)", (n,))
        connection.execute("INSERT INTO blockqueue_publish (topic, payload) VALUES ('orders', ?)", (f"s{n}",))
        connection.execute("COMMIT")
        assert connection.execute("SELECT max(n) FROM item").fetchone() == (n,)
        connection.close()
        tell("item", n)

for work in (ours, theirs):
    threading.Thread(target=work, daemon=True).start()
threading.Event().wait()
"""


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    with blockqueue.open(path) as queue:
        queue.create_topic("orders", subscribers=["email"])
        with queue.transaction() as tx:
            tx.execute("CREATE TABLE item (n INTEGER PRIMARY KEY)")
    messages: set[str] = set()
    items: set[int] = set()
    for _ in range(3):
        with sqlite3.connect(path) as connection:
            connection.execute("DELETE FROM item")
        connection.close()
        items.clear()
        command = [sys.executable, "-c", WRITERS]
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as writers:
            assert writers.stdout is not None
            heard = {"message": 0, "item": 0}
            for line in writers.stdout:
                if not line.endswith("\n"):
                    break  # Cut off by the kill.
                kind, what = line.split()
                heard[kind] += 1
                messages.add(what) if kind == "message" else items.add(int(what))
                if min(heard.values()) == 50:
                    writers.send_signal(signal.SIGKILL)
        assert min(heard.values()) >= 50
        with blockqueue.open(path) as queue:
            assert queue.diagnose().problems == []
            kept: list[blockqueue.Delivery] = []
            while batch := queue.claim("orders", "email", limit=1000):
                kept += batch
                assert set(queue.ack_many(batch)) == {None}
            assert messages - {each.message_id for each in kept} == set()
            staged = {each.payload.decode() for each in kept if each.payload.startswith(b"s")}
            assert {f"s{n}" for n in items} - staged == set()
            with queue.transaction() as tx:
                assert items - {row["n"] for row in tx.query("SELECT n FROM item")} == set()
        messages.clear()
