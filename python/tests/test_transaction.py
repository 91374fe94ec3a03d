"""Transactions: rows of the application and messages, together or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

import blockqueue
from blockqueue import aio, errors


def test_rows_and_messages_happen_together(queue: blockqueue.Queue) -> None:
    queue.publish("orders", "first")
    [delivery] = queue.claim("orders", "email")
    with queue.transaction() as tx:
        tx.execute("CREATE TABLE item (name TEXT, size REAL, raw BLOB, count INTEGER)")
        assert tx.execute("INSERT INTO item VALUES (?1, ?2, ?3, ?4)", ["tea", 0.5, b"\0", None]) == 1
        tx.ack(delivery)
        tx.publish("orders", {"item": "tea"})
        assert tx.query("SELECT * FROM item") == [{"name": "tea", "size": 0.5, "raw": b"\0", "count": None}]
    [second] = queue.claim("orders", "email")
    assert second.content == {"item": "tea"}
    assert queue.subscriber_stats("orders", "email").acked_count == 1


def test_an_exception_undoes_all_of_it(queue: blockqueue.Queue) -> None:
    with pytest.raises(ZeroDivisionError), queue.transaction() as tx:
        tx.execute("CREATE TABLE item (name TEXT)")
        tx.publish("orders", "x")
        raise ZeroDivisionError
    assert queue.claim("orders", "email") == []
    with queue.transaction() as tx:
        assert tx.query("SELECT name FROM sqlite_schema WHERE name = 'item'") == []


def test_the_queue_is_not_for_a_thread_that_has_a_transaction(queue: blockqueue.Queue) -> None:
    with pytest.raises(errors.InTransactionError), queue.transaction():
        queue.publish("orders", "x")


def test_a_statement_that_fails_does_not_end_it(queue: blockqueue.Queue) -> None:
    with queue.transaction() as tx:
        with pytest.raises(errors.SqlFailedError):
            tx.execute("INSERT INTO nothing VALUES (1)")
        tx.publish("orders", "x")
    assert len(queue.claim("orders", "email")) == 1


def test_the_deadline_rolls_back(queue: blockqueue.Queue) -> None:
    with pytest.raises(errors.TransactionEndedError), queue.transaction(deadline=0.001) as tx:
        while True:
            tx.query("SELECT 1")


async def test_it_can_be_awaited(path: Path) -> None:
    async with aio.open(path) as queue:
        await queue.create_topic("orders", subscribers=["email"])
        async with queue.transaction() as tx:
            await tx.execute("CREATE TABLE item (name TEXT)")
            await tx.publish("orders", "x")
        assert len(await queue.claim("orders", "email")) == 1
