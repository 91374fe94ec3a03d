"""Drives one Python library through one case; the cases are those of ../go/cases.go.

    driver.py QUEUE CASE FOLDER SECONDS PID

Prints one line of JSON: names of figures and their values. PID is ignored: a library's idle costs are
those of this process.
"""

import asyncio
import json
import os
import random
import sys
import threading
import time
from pathlib import Path

import honker
import huey.storage
import litequeue

PAYLOAD = "x" * 100
BATCH = 1_000
FLOW_BATCH = 100
FLOW_WINDOW = 1_000
BACKLOG = 1_000_000
ROUNDS = 300
WAITERS = 10


class Polling:
    """A claim of libraries without a way to wait: look now and then."""

    def claim(self, most, wait):
        deadline = time.monotonic() + wait
        while True:
            claimed = self.take(most)
            if claimed or time.monotonic() > deadline:
                return claimed
            time.sleep(self.poll)


# --- honker: a queue for each subscriber, and a copy of each message in each -------------------------


class Honker:
    polls_every = 0.0

    def __init__(self, folder, relaxed, poll):
        self.db = honker.open(str(folder / "honker.db"))
        # There is no option for it. Its one writing connection takes the setting outside of a transaction,
        # so the one around this block is ended and begun again.
        with self.db.transaction() as tx:
            tx.execute("COMMIT")
            tx.execute("PRAGMA synchronous=" + ("OFF" if relaxed else "FULL"))
            tx.execute("BEGIN IMMEDIATE")
        with self.db.transaction() as tx:
            [now] = tx.query("PRAGMA synchronous")
        if now["synchronous"] != (0 if relaxed else 2):
            raise RuntimeError(f"synchronous is {now}")
        self.create(1)

    def create(self, subscribers):
        self.queues = [self.db.queue(f"s{n}") for n in range(subscribers)]

    def publisher(self):
        return self

    def publish(self, count):
        if count == 1 and len(self.queues) == 1:
            self.queues[0].enqueue(PAYLOAD)
            return
        with self.db.transaction() as tx:
            for queue in self.queues:
                for _ in range(count):
                    queue.enqueue(PAYLOAD, tx=tx)

    def consumer(self, subscriber):
        return HonkerConsumer(self.queues[subscriber])


class HonkerConsumer:
    def __init__(self, queue):
        self.queue = queue

    def claim(self, most, wait):
        jobs = self.queue.claim_batch("c", most)
        if jobs:
            return jobs
        return asyncio.run(self.wait(wait))

    async def wait(self, wait):
        try:
            return [await asyncio.wait_for(anext(self.queue.claim("c")), wait)]
        except asyncio.TimeoutError:
            return []

    def ack(self, jobs):
        if self.queue.ack_batch([job.id for job in jobs], "c") != len(jobs):
            raise RuntimeError("a claim was lost")


# --- litequeue: a file for each subscriber, as its documentation advises -----------------------------


class LiteQueue:
    def __init__(self, folder, relaxed, poll):
        self.folder, self.relaxed, self.polls_every = folder, relaxed, poll
        self.create(1)

    def create(self, subscribers):
        self.files = [str(self.folder / f"litequeue-{n}.db") for n in range(subscribers)]
        self.published = [self.open(file) for file in self.files]

    def open(self, file):
        queue = litequeue.LiteQueue(file, timeout=60)
        # It sets NORMAL itself; its connection is public.
        queue.conn.execute("PRAGMA synchronous=" + ("OFF" if self.relaxed else "FULL"))
        return queue

    def publisher(self):
        return self

    def publish(self, count):
        for queue in self.published:
            if count == 1:
                queue.put(PAYLOAD)
                continue
            with queue.transaction(mode="IMMEDIATE"):
                for _ in range(count):
                    queue.put(PAYLOAD)

    def consumer(self, subscriber):
        return LiteQueueConsumer(self.open(self.files[subscriber]), self.polls_every)


class LiteQueueConsumer(Polling):
    def __init__(self, queue, poll):
        self.queue, self.poll = queue, poll

    def take(self, most):
        claimed = []
        while len(claimed) < most:
            message = self.queue.pop()
            if message is None:
                break
            claimed.append(message)
        return claimed

    def ack(self, messages):
        with self.queue.transaction(mode="IMMEDIATE"):
            for message in messages:
                self.queue.done(message.message_id)


# --- huey: its storage on SQLite, without tasks around it; a file for each subscriber ----------------


class Huey:
    def __init__(self, folder, relaxed, poll):
        self.folder, self.fsync, self.polls_every = folder, not relaxed, poll
        self.create(1)

    def create(self, subscribers):
        self.storages = [
            huey.storage.SqliteStorage(filename=str(self.folder / f"huey-{n}.db"), fsync=self.fsync)
            for n in range(subscribers)
        ]

    def publisher(self):
        return self

    def publish(self, count):
        for storage in self.storages:
            for _ in range(count):
                storage.enqueue(PAYLOAD.encode())

    def consumer(self, subscriber):
        return HueyConsumer(self.storages[subscriber], self.polls_every)


class HueyConsumer(Polling):
    def __init__(self, storage, poll):
        self.storage, self.poll = storage, poll

    def take(self, most):
        claimed = []
        while len(claimed) < most:
            data = self.storage.dequeue()
            if data is None:
                break
            claimed.append(data)
        return claimed

    def ack(self, messages):
        """There is none: taking a message removes it."""


QUEUES = {"honker": Honker, "litequeue": LiteQueue, "huey": Huey}


# --- cases -------------------------------------------------------------------------------------------


def publish(queue, seconds, callers, size):
    queue.create(1)
    publishers = [queue.publisher() for _ in range(callers)]
    publishers[0].publish(size)
    counts, failures = [0] * callers, []
    start = time.monotonic()

    def call(n):
        try:
            while time.monotonic() - start < seconds:
                publishers[n].publish(size)
                counts[n] += size
        except Exception as failure:
            failures.append(failure)

    in_threads(call, callers)
    took = time.monotonic() - start
    if failures:
        raise failures[0]
    return {"value": sum(counts) / took}


def in_threads(call, count):
    threads = [threading.Thread(target=call, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def end_to_end(queue, seconds, subscribers):
    queue.create(subscribers)
    publisher = queue.publisher()
    consumers = [queue.consumer(n) for n in range(subscribers)]
    changed = threading.Condition()
    acked, published, ended, failures = [0] * subscribers, 0, False, []

    def fail(failure):
        nonlocal ended
        with changed:
            failures.append(failure)
            ended = True
            changed.notify_all()

    def produce():
        nonlocal published
        try:
            while True:
                with changed:
                    changed.wait_for(
                        lambda: ended or published - min(acked) <= FLOW_WINDOW - FLOW_BATCH
                    )
                    if ended:
                        return
                    published += FLOW_BATCH
                publisher.publish(FLOW_BATCH)
        except Exception as failure:
            fail(failure)

    def consume(n):
        try:
            while True:
                claimed = consumers[n].claim(FLOW_BATCH, 0.2)
                if claimed:
                    consumers[n].ack(claimed)
                with changed:
                    if ended:
                        return
                    acked[n] += len(claimed)
                    changed.notify_all()
        except Exception as failure:
            fail(failure)

    start = time.monotonic()
    threads = [threading.Thread(target=produce, daemon=True)]
    threads += [threading.Thread(target=consume, args=(n,), daemon=True) for n in range(subscribers)]
    for thread in threads:
        thread.start()
    # A queue too slow to get anything through in this time is given more.
    for _ in range(5):
        time.sleep(seconds)
        if any(acked):
            break
    with changed:
        took, total = time.monotonic() - start, sum(acked)
        ended = True
        changed.notify_all()
    if failures:
        raise failures[0]
    return {"value": total / took}


def fill(queue, seconds):
    queue.create(1)
    publisher = queue.publisher()
    start, count = time.monotonic(), 0
    while count < BACKLOG and time.monotonic() - start < seconds:
        publisher.publish(BATCH)
        count += BATCH
    return {"value": count}


def claim(queue, seconds, empty):
    publisher, consumer = queue.publisher(), queue.consumer(0)
    times, begin = [], time.monotonic()
    while len(times) < ROUNDS and time.monotonic() - begin < seconds:
        if empty:
            publisher.publish(1)
        start = time.perf_counter()
        claimed = consumer.claim(1, 10)
        times.append((time.perf_counter() - start) * 1e6)
        if len(claimed) != 1:
            raise RuntimeError(f"claimed {len(claimed)} instead of 1")
        consumer.ack(claimed)
    return {"value": quantile(times, 0.5)}


def wake(queue, seconds):
    queue.create(1)
    publisher, consumer = queue.publisher(), queue.consumer(0)
    pause = max(queue.polls_every, 0.005)
    times, begin = [], time.monotonic()
    while len(times) < ROUNDS and time.monotonic() - begin < seconds:
        got = []

        def wait():
            got.extend(consumer.claim(1, 10))
            got.append(time.perf_counter())

        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.002 + random.random() * pause)
        start = time.perf_counter()
        publisher.publish(1)
        waiting.join()
        *claimed, at = got
        if len(claimed) != 1:
            raise RuntimeError(f"woken with {len(claimed)} messages")
        times.append((at - start) * 1e6)
        consumer.ack(claimed)
    return {"p50": quantile(times, 0.5), "p99": quantile(times, 0.99)}


def idle(queue, seconds):
    queue.create(1)
    for _ in range(WAITERS):
        consumer = queue.consumer(0)
        threading.Thread(target=consumer.claim, args=(1, seconds + 30), daemon=True).start()
    # What starting costs is no part of it.
    time.sleep(1)
    before = time.process_time()
    time.sleep(seconds)
    share = (time.process_time() - before) / seconds * 100
    status = Path("/proc/self/status").read_text()
    [memory] = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return {"cpu": share, "memory": int(memory) / 1024}


def quantile(values, share):
    values.sort()
    return values[min(int(len(values) * share), len(values) - 1)]


def main(name, case, folder, seconds, _pid):
    seconds = float(seconds)
    word, _, number = case.partition(":")
    # As often as is any use where throughput is measured, else the usual 100 ms.
    poll = 0.001 if word == "end-to-end" else 0.1
    queue = QUEUES[name](Path(folder), relaxed=word == "fill", poll=poll)
    cases = {
        "publish": lambda: publish(queue, seconds, int(number), 1),
        "publish-batch": lambda: publish(queue, seconds, 1, BATCH),
        "end-to-end": lambda: end_to_end(queue, seconds, int(number)),
        "fill": lambda: fill(queue, seconds),
        "claim-empty": lambda: claim(queue, seconds, empty=True),
        "claim-filled": lambda: claim(queue, seconds, empty=False),
        "wake": lambda: wake(queue, seconds),
        "idle": lambda: idle(queue, seconds),
    }
    print(json.dumps(cases[word]()), flush=True)
    # Threads that still wait are of no more use.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
