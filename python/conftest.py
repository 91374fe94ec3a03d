"""What tests and the examples in the documentation use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import blockqueue


@pytest.fixture(autouse=True)
def _examples(request: pytest.FixtureRequest) -> Iterator[None]:
    if not isinstance(request.node, pytest.DoctestItem):
        yield
        return
    namespace: dict[str, Any] = request.getfixturevalue("doctest_namespace")
    with blockqueue.open(":memory:") as queue:
        queue.create_topic("orders", subscribers=["email"])
        namespace["queue"] = queue
        yield


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a queue may be made."""
    return tmp_path / "queue.db"


@pytest.fixture
def queue(path: Path) -> Iterator[blockqueue.Queue]:
    """A queue in a file, with the topic `orders` and its subscriber `email`."""
    with blockqueue.open(path) as opened:
        opened.create_topic("orders", subscribers=["email"])
        yield opened
