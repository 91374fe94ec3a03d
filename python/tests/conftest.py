"""What several tests use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import blockqueue


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue.db"


@pytest.fixture
def queue(path: Path) -> Iterator[blockqueue.Queue]:
    """A queue in a file, with the topic `orders` and its subscriber `email`."""
    with blockqueue.open(path) as opened:
        opened.create_topic("orders", subscribers=["email"])
        yield opened
