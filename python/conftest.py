"""What the examples in the documentation use: a queue with the topic `orders` and its subscriber `email`."""

from __future__ import annotations

from collections.abc import Iterator
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
