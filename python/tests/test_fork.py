"""Forks: an inherited queue refuses at once, and a child that opens its own has all of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import blockqueue

INHERITED = """
import asyncio, os, sys, threading, blockqueue
from blockqueue import aio, errors

queue = blockqueue.open(sys.argv[1])
waiting = threading.Thread(target=lambda: queue.claim("orders", "email", wait=600), daemon=True)
waiting.start()
while queue.engine_stats().waiting_claims == 0:
    pass

def refused(call, *arguments):
    try:
        call(*arguments)
    except errors.ForkedError as error:
        assert error.code == "forked"
    else:
        raise AssertionError(f"{call} was not refused")

child = os.fork()
if child == 0:
    refused(queue.publish, "orders", "x")
    refused(queue.claim, "orders", "email")
    refused(queue.topics)
    refused(queue.transaction().__enter__)
    refused(queue.engine_stats)
    refused(queue.shutdown)
    with blockqueue.open(sys.argv[1]) as own:
        own.publish("orders", "from the child")
    async def main():
        async with aio.open(sys.argv[1]) as own:
            await own.publish("orders", "from the child's loop")
    asyncio.run(main())
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
queue.publish("orders", "from the parent")
print("ok")
"""

# As gunicorn does: the application is loaded and opens its queue, then workers are forked, each of which
# opens it anew; all of them work at once.
PREFORK = """
import os, sys, threading, blockqueue

path, workers, each = sys.argv[1], 4, 300
queue = blockqueue.open(path)
for n in range(100):
    queue.publish("orders", ["parent", n])

def serve(worker):
    got = []
    with blockqueue.open(path) as own:
        def publish():
            for n in range(each):
                own.publish("orders", [worker, n])
        threads = [threading.Thread(target=publish) for _ in range(2)]
        for thread in threads:
            thread.start()
        for delivery in own.consume("orders", "email", limit=10, timeout=1.5):
            with delivery:
                assert delivery.attempt == 1
                got.append(delivery.message_id)
        for thread in threads:
            thread.join()
    return got

children = []
for worker in range(workers):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        with open(writer, "w") as out:
            out.write("\\n".join(serve(worker)))
        os._exit(0)
    os.close(writer)
    children.append((child, reader))
for n in range(100, 200):
    queue.publish("orders", ["parent", n])
ids = []
for child, reader in children:
    with open(reader) as told:
        ids += told.read().split()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert len(ids) == len(set(ids)) == 200 + workers * 2 * each, len(ids)
stats = queue.subscriber_stats("orders", "email")
assert (stats.acked_count, stats.pending_count, stats.leased_count) == (len(ids), 0, 0), stats
print("ok")
"""

POOL = """
import multiprocessing, sys, blockqueue

def publish(n):
    with blockqueue.open(sys.argv[1]) as own:
        return own.publish("orders", n).id

if __name__ == "__main__":
    queue = blockqueue.open(sys.argv[1])
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(4) as pool:
            ids = pool.map(publish, range(20))
        deliveries = queue.claim("orders", "email", limit=100)
        assert sorted(each.message_id for each in deliveries) == sorted(ids)
        assert queue.ack_many(deliveries) == [None] * 20
    print("ok")
"""


@pytest.mark.parametrize("script", [INHERITED, PREFORK, POOL], ids=["inherited", "prefork", "pool"])
def test_forks(tmp_path: Path, script: str) -> None:
    with blockqueue.open(tmp_path / "queue.db") as queue:
        queue.create_topic("orders", subscribers=["email"])
    (tmp_path / "script.py").write_text(script)
    command = [sys.executable, "script.py", "queue.db"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.stdout, ended.returncode) == ("ok\n", 0), ended.stderr
