"""Exceptions: one for each code, as the list that all languages share has them."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

import blockqueue
from blockqueue import errors

GOLDEN = json.loads((Path(__file__).parents[2] / "tests/golden/error_codes.json").read_text())


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: row["code"])
def test_every_code_has_its_exception(row: dict[str, object]) -> None:
    name = "".join(word.capitalize() for word in str(row["code"]).split("_")).removesuffix("Error") + "Error"
    exception = getattr(errors, name)
    assert issubclass(exception, blockqueue.BlockQueueError)
    assert (exception.code, exception.number, exception.retry) == (row["code"], row["number"], row["retry"])
    assert exception.__doc__


def test_a_refusal_tells_its_code(queue: blockqueue.Queue) -> None:
    with pytest.raises(errors.UnknownTopicError) as raised:
        queue.topic("nothing")
    assert (raised.value.code, raised.value.retry) == ("unknown_topic", "never")
    assert raised.value.detail == 'unknown topic "nothing"'


def test_python_expects_these_bases(queue: blockqueue.Queue, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="priority"):
        queue.publish("orders", "x", priority=5000)
    with pytest.raises(LookupError):
        queue.subscriber("orders", "nobody")
    with pytest.raises(OSError, match="cannot open"):
        blockqueue.open(tmp_path / "none" / "queue.db")


def test_a_refused_setting_tells_its_code_too(queue: blockqueue.Queue) -> None:
    with pytest.raises(errors.InvalidArgumentError, match="negative"):
        queue.update_subscriber("orders", "email", retry=blockqueue.RetryPolicy(initial=-1))
    with pytest.raises(errors.InvalidArgumentError, match="filter"):
        queue.create_subscriber("orders", "some", filter={"header": "type", "like": "order"})
    with pytest.raises(errors.InvalidArgumentError, match="time zone"):
        queue.publish_many("orders", [blockqueue.Message("x", deliver_at=datetime(2030, 1, 1))])
    with pytest.raises(TypeError, match="leased_max"):
        queue.create_subscriber("orders", "some", leased_max="many")  # type: ignore[arg-type]


def test_a_wrong_type_names_the_argument(queue: blockqueue.Queue) -> None:
    with pytest.raises(TypeError) as raised:
        queue.publish("orders", "x", delay="soon")  # type: ignore[arg-type]
    assert "delay" in f"{raised.value} {getattr(raised.value, '__notes__', '')}"
    with pytest.raises(TypeError):
        queue.publish("orders", object())
    assert queue.subscriber_stats("orders", "email").pending_count == 0
