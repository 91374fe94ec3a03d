"""Event loops of others: uvloop has what asyncio has; trio uses the queue for threads."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import anyio.from_thread
import anyio.to_thread
import pytest
import uvloop

import blockqueue
from blockqueue import aio


async def round_trips(path: Path) -> None:
    async with aio.open(path) as queue:
        await queue.create_topic("orders", subscribers=["email"])
        threads = threading.active_count()
        waiting = [asyncio.create_task(queue.claim("orders", "email", wait=60, limit=1)) for _ in range(200)]
        while (await queue.engine_stats()).waiting_claims < 200:
            await asyncio.sleep(0)
        assert threading.active_count() == threads
        for task in waiting[:100]:
            task.cancel()
        await asyncio.gather(*waiting[:100], return_exceptions=True)
        await asyncio.gather(*(queue.publish("orders", str(each)) for each in range(100)))
        claimed = [batch[0].content for batch in await asyncio.gather(*waiting[100:])]
        assert sorted(claimed, key=int) == [str(each) for each in range(100)]


def test_uvloop_watches_the_queue_too(path: Path) -> None:
    loop = uvloop.new_event_loop()
    try:
        loop.run_until_complete(round_trips(path))
    finally:
        loop.close()


def test_anyio_on_asyncio_runs_the_queue_for_loops(path: Path) -> None:
    anyio.run(round_trips, path, backend="asyncio")


def test_trio_uses_the_queue_for_threads(queue: blockqueue.Queue) -> None:
    async def main() -> list[str]:
        found: list[str] = []

        def consume() -> None:
            for delivery in queue.consume("orders", "email", timeout=1):
                with delivery:
                    found.append(delivery.content)

        async with anyio.create_task_group() as group:
            group.start_soon(anyio.to_thread.run_sync, consume)
            for each in range(10):
                await anyio.to_thread.run_sync(queue.publish, "orders", str(each))
        return found

    assert sorted(anyio.run(main, backend="trio")) == [str(each) for each in range(10)]


def test_trio_has_no_loop_for_the_queue_of_asyncio(path: Path) -> None:
    async def main() -> None:
        await aio.open(path)

    with pytest.raises(RuntimeError, match="no running event loop"):
        anyio.run(main, backend="trio")
