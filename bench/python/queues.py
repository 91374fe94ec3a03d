"""One Python library, one case, once: `queues.py LIBRARY CASE FOLDER SECONDS` prints messages a second.

The other libraries are those of ../peers/python/driver.py, with the same durability: synced before the answer.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "peers/python"))

from driver import BATCH, PAYLOAD, QUEUES, Polling, publish

FILLED = 20_000
CLAIMED = 100


class BlockQueue:
    def __init__(self, folder, relaxed, poll):
        import blockqueue

        self.queue = blockqueue.open(folder / "queue.db")
        self.queue.create_topic("t", subscribers=["s"])

    def create(self, subscribers):
        pass

    def publisher(self):
        return self

    def publish(self, count):
        if count == 1:
            self.queue.publish("t", PAYLOAD)
        else:
            self.queue.publish_many("t", [PAYLOAD] * count)

    def consumer(self, subscriber):
        return self

    def claim(self, most, wait):
        return self.queue.claim("t", "s", limit=most, wait=wait)

    def ack(self, deliveries):
        if any(self.queue.ack_many(deliveries)):
            raise RuntimeError("a claim was lost")


class PersistQueue(Polling):
    """With its defaults for `synchronous`, which is FULL; a transaction for each batch put."""

    poll = 0.001

    def __init__(self, folder, relaxed, poll):
        from persistqueue import SQLiteAckQueue

        self.queue = SQLiteAckQueue(str(folder / "persist"), multithreading=True, auto_commit=True)
        # A queue that puts in transactions of the caller's: the same file.
        self.batches = SQLiteAckQueue(str(folder / "persist"), multithreading=True, auto_commit=False)

    def create(self, subscribers):
        pass

    def publisher(self):
        return self

    def publish(self, count):
        if count == 1:
            self.queue.put(PAYLOAD)
            return
        for _ in range(count):
            self.batches.put(PAYLOAD)
        self.batches.task_done()

    def consumer(self, subscriber):
        return self

    def take(self, most):
        from persistqueue import Empty

        claimed = []
        try:
            while len(claimed) < most:
                claimed.append(self.queue.get(block=False, raw=True))
        except Empty:
            pass
        return claimed

    def ack(self, messages):
        for message in messages:
            self.queue.ack(id=message["pqid"])


def claim_ack(queue, seconds):
    """What was published before is claimed and acked, in batches of 100."""
    publisher, consumer, filled = queue.publisher(), queue.consumer(0), 0
    start = time.monotonic()
    while filled < FILLED and time.monotonic() - start < 2 * seconds:
        publisher.publish(BATCH)
        filled += BATCH
    done, start = 0, time.monotonic()
    while done < filled and time.monotonic() - start < seconds:
        claimed = consumer.claim(CLAIMED, 1)
        consumer.ack(claimed)
        done += len(claimed)
    return done / (time.monotonic() - start)


def main(library, case, folder, seconds):
    queues = {**QUEUES, "blockqueue": BlockQueue, "persist-queue": PersistQueue}
    queue, seconds = queues[library](Path(folder), relaxed=False, poll=0.001), float(seconds)
    word, _, number = case.partition(":")
    if word == "claim-ack":
        value = claim_ack(queue, seconds)
    else:
        callers, size = (int(number), 1) if word == "publish" else (1, BATCH)
        value = publish(queue, seconds, callers, size)["value"]
    print(value, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
