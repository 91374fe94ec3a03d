"""Hands messages from one topic to another, together with programs of other languages on the same file.

``tests/interop/README.md`` of the repository says how.
"""

from __future__ import annotations

import sys

import blockqueue
from blockqueue.errors import LeaseLostError


def main(file: str, source: str, subscriber: str, to: str, count: str) -> None:
    left = int(count)
    with blockqueue.open(file, must_exist=True) as queue:
        print("ready", flush=True)
        while left > 0:
            for delivery in queue.claim(source, subscriber, limit=min(left, 10), wait=60):
                queue.publish(
                    to,
                    delivery.payload,
                    content_type=delivery.content_type,
                    headers=delivery.headers,
                    correlation_id=delivery.correlation_id,
                    idempotency_key=delivery.correlation_id,
                )
                try:
                    delivery.ack()
                    left -= 1
                except LeaseLostError:
                    pass  # Somebody else hands it on.


if __name__ == "__main__":
    main(*sys.argv[1:])
