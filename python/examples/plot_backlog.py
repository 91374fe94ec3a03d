"""Plots the backlog and the latency of a subscriber while publishers come and go.

    pip install blockqueue matplotlib
    python plot_backlog.py backlog.png

The upper curve is what `subscriber_stats` tells, ten times a second or more; the lower one is the time from
publish to claim of each message.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

import matplotlib

import blockqueue

matplotlib.use("agg")
from matplotlib import pyplot


@dataclass
class Watched:
    """What was seen, by seconds since the start."""

    start: float = field(default_factory=time.monotonic)
    backlog: list[tuple[float, int]] = field(default_factory=list)
    latency: list[tuple[float, float]] = field(default_factory=list)

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.start


def watch(path: Path, seconds: float) -> Watched:
    """Publishes in bursts and consumes at a steady pace, and looks at both."""
    watched, ended = Watched(), threading.Event()
    with blockqueue.open(path) as queue:
        queue.create_topic("orders", subscribers=["email"])

        def publish() -> None:
            while not ended.wait(seconds / 10):
                queue.publish_many("orders", [b"x" * 100] * 200)

        def consume() -> None:
            while not ended.is_set():
                deliveries = queue.claim("orders", "email", limit=20, wait=0.1)
                now = datetime.now(timezone.utc)
                for each in deliveries:
                    watched.latency.append((watched.now, (now - each.published_at).total_seconds()))
                queue.ack_many(deliveries)
                ended.wait(seconds / 150)

        threads = [threading.Thread(target=work) for work in (publish, consume)]
        for thread in threads:
            thread.start()
        while watched.now < seconds:
            stats = queue.subscriber_stats("orders", "email")
            watched.backlog.append((watched.now, stats.pending_count + stats.leased_count))
            time.sleep(min(0.1, seconds / 100))
        ended.set()
        for thread in threads:
            thread.join()
    return watched


def plot(watched: Watched, to: Path) -> None:
    """Draws both curves."""
    figure, (above, below) = pyplot.subplots(2, sharex=True, figsize=(8, 5), layout="constrained")
    above.step(*zip(*watched.backlog, strict=True), where="post")
    above.set(title="orders / email", ylabel="messages waiting")
    below.plot(*zip(*watched.latency, strict=True), ".", markersize=2)
    below.set(xlabel="seconds", ylabel="publish to claim, s")
    figure.savefig(to)
    pyplot.close(figure)


def main() -> None:
    """Watches for a while, and plots."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("to", type=Path, help="the picture to write")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long to watch")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plot(watch(Path(folder) / "queue.db", given.seconds), given.to)


if __name__ == "__main__":
    main()
