"""Benchmarks of the package: `python -m bench CASE…` in `python/`, beside the cases of `cargo xtask bench`.

Prints what a case did per second. The figures of the library in Rust are those of the same machine, run next
to it: `cargo xtask bench publish-batch publish-concurrent claim-ack`.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import blockqueue
from blockqueue import aio

PAYLOAD = b"x" * 100


def publish_batch(path: Path) -> float:
    """200 batches of 1,000 messages of 100 bytes, one after another."""
    with blockqueue.open(path) as queue:
        queue.create_topic("t", subscribers=["s"])
        batch = [PAYLOAD] * 1000
        start = time.perf_counter()
        for _ in range(200):
            queue.publish_many("t", batch)
        return 200_000 / (time.perf_counter() - start)


def publish_tasks(path: Path) -> float:
    """64 tasks that publish single messages of 100 bytes."""

    async def main() -> float:
        async with aio.open(path) as queue:
            await queue.create_topic("t", subscribers=["s"])

            async def publish() -> None:
                for _ in range(500):
                    await queue.publish("t", PAYLOAD)

            start = time.perf_counter()
            await asyncio.gather(*(publish() for _ in range(64)))
            return 64 * 500 / (time.perf_counter() - start)

    return asyncio.run(main())


def publish_single(path: Path) -> float:
    """One thread that publishes single messages of 100 bytes."""
    with blockqueue.open(path) as queue:
        queue.create_topic("t", subscribers=["s"])
        start = time.perf_counter()
        for _ in range(2000):
            queue.publish("t", PAYLOAD)
        return 2000 / (time.perf_counter() - start)


def claim_ack(path: Path) -> float:
    """100,000 messages claimed and acked in batches of 100."""
    with blockqueue.open(path) as queue:
        queue.create_topic("t", subscribers=["s"])
        for _ in range(100):
            queue.publish_many("t", [PAYLOAD] * 1000)
        start = time.perf_counter()
        for _ in range(1000):
            queue.ack_many(queue.claim("t", "s", limit=100))
        return 100_000 / (time.perf_counter() - start)


CASES: dict[str, Callable[[Path], float]] = {
    "publish-batch": publish_batch,
    "publish-tasks": publish_tasks,
    "publish-single": publish_single,
    "claim-ack": claim_ack,
}


def main() -> None:
    """Runs the cases named, or all."""
    for name in sys.argv[1:] or CASES:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{name:15} {CASES[name](Path(folder) / 'queue.db'):12,.0f}/s", flush=True)


if __name__ == "__main__":
    main()
