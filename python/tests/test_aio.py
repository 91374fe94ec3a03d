"""The queue for event loops: what differs from the one for threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import blockqueue
from blockqueue import aio


@pytest.fixture
async def orders(path: Path) -> AsyncIterator[aio.Queue]:
    async with aio.open(path) as queue:
        await queue.create_topic("orders", subscribers=["email"])
        yield queue


async def test_a_block_acks_and_an_exception_nacks(orders: aio.Queue) -> None:
    await orders.publish_many("orders", ["good", "bad"])
    good, bad = await orders.claim("orders", "email")
    async with good:
        pass
    with pytest.raises(ZeroDivisionError):
        async with bad:
            raise ZeroDivisionError("by hand")
    stats = await orders.subscriber_stats("orders", "email")
    assert (stats.acked_count, stats.nacked_count) == (1, 1)
    failures = await orders.failures("orders", "email", bad.message_id)
    assert [failure.error for failure in failures] == ["ZeroDivisionError: by hand"]


async def test_a_cancelled_claim_ends_at_once_and_takes_nothing(orders: aio.Queue) -> None:
    claim = asyncio.create_task(orders.claim("orders", "email", wait=60))
    while (await orders.engine_stats()).waiting_claims == 0:
        await asyncio.sleep(0)
    claim.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(claim, 1)
    await orders.publish("orders", "x")
    [delivery] = await orders.claim("orders", "email", wait=5)
    assert delivery.attempt == 1


async def test_cancellation_that_races_delivery_loses_nothing(orders: aio.Queue) -> None:
    rounds, got = 1000, 0
    for each in range(rounds):
        claim = asyncio.create_task(orders.claim("orders", "email", wait=60, limit=1))
        await asyncio.sleep(0)
        publish = asyncio.create_task(orders.publish("orders", "x"))
        for _ in range(each % 7):
            await asyncio.sleep(0)
        if each % 3 == 0:
            await publish
        claim.cancel()
        try:
            for delivery in await claim:
                await delivery.ack()
                got += 1
        except asyncio.CancelledError:
            pass
        await publish
    async for delivery in orders.consume("orders", "email", timeout=0.5):
        assert (delivery.attempt, delivery.failures) == (1, 0)
        await delivery.ack()
        got += 1
    stats = await orders.subscriber_stats("orders", "email")
    assert (got, stats.acked_count, stats.leased_count, stats.pending_count) == (rounds, rounds, 0, 0)


async def test_ten_thousand_waiting_tasks_cost_no_threads(orders: aio.Queue) -> None:
    claims: list[asyncio.Task[list[aio.Delivery]]] = []

    async def waiting(count: int) -> None:
        missing = range(len(claims), count)
        claims.extend(asyncio.create_task(orders.claim("orders", "email", wait=60, limit=1)) for _ in missing)
        while (await orders.engine_stats()).waiting_claims < count:
            await asyncio.sleep(0.01)

    # With the first, the queue begins to listen for other processes.
    await waiting(1)
    before = threading.active_count(), native_threads()
    await waiting(10_000)
    assert (threading.active_count(), native_threads()) == before
    for _ in range(10):
        await orders.publish_many("orders", [b"x"] * 1000)
    batches = await asyncio.wait_for(asyncio.gather(*claims), 60)
    assert {len(batch) for batch in batches} == {1}
    assert len({batch[0].message_id for batch in batches}) == len(claims)


def native_threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


async def test_consume_gives_back_what_it_did_not_hand_out(orders: aio.Queue) -> None:
    await orders.publish_many("orders", ["a", "b", "c"])
    deliveries = orders.consume("orders", "email", limit=3)
    assert (await anext(deliveries)).content == "a"
    await deliveries.aclose()  # type: ignore[attr-defined]
    assert [each.content for each in await orders.claim("orders", "email")] == ["b", "c"]


async def test_a_backup_tells_the_loop_how_far_it_is(orders: aio.Queue, tmp_path: Path) -> None:
    told: list[tuple[blockqueue.BackupProgress, bool]] = []
    here = threading.get_ident()
    await orders.backup(
        tmp_path / "copy.db", progress=lambda far: told.append((far, threading.get_ident() == here))
    )
    await asyncio.sleep(0)
    assert told[-1][0].bytes_done == told[-1][0].bytes_total > 0
    assert {in_loop for _, in_loop in told} == {True}


async def test_shutdown_ends_waiting_claims(orders: aio.Queue) -> None:
    claim = asyncio.create_task(orders.claim("orders", "email", wait=60))
    while (await orders.engine_stats()).waiting_claims == 0:
        await asyncio.sleep(0)
    await orders.shutdown()
    with pytest.raises(blockqueue.errors.ShutdownError):
        await asyncio.wait_for(claim, 5)
    with pytest.raises(blockqueue.errors.ShutdownError):
        await orders.publish("orders", "x")


async def test_a_queue_belongs_to_one_loop(orders: aio.Queue) -> None:
    await orders.topics()
    with pytest.raises(RuntimeError, match="another event loop"):
        await asyncio.to_thread(lambda: asyncio.run(orders.topics()))


class WithoutReaders(asyncio.SelectorEventLoop):
    """A loop that watches no descriptors for others, as the one of Windows; it needs one for itself."""

    def add_reader(self, fd: object, callback: object, *args: object) -> None:
        raise NotImplementedError


def test_a_loop_without_readers_gets_a_pump_thread(path: Path) -> None:
    async def main() -> list[str]:
        async with aio.open(path) as queue:
            await queue.create_topic("orders", subscribers=["email"])
            claim = asyncio.create_task(queue.claim("orders", "email", wait=60))
            await asyncio.gather(*(queue.publish("orders", str(each)) for each in range(50)))
            first = await claim
            rest = await queue.claim("orders", "email", limit=100)
            return [delivery.content for delivery in first + rest]

    loop = WithoutReaders()
    try:
        assert sorted(loop.run_until_complete(main()), key=int) == [str(each) for each in range(50)]
    finally:
        loop.close()
