"""The Python package beside the library in Rust, and beside other libraries for Python: `cargo xtask bench python`.

    python bench/python PROGRAM

PROGRAM is the benchmark program in Rust. The two sides of a row run in turn, each in a process and a file of
its own; figures are medians, and ratios are medians of the ratios within a round.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PAYLOAD = b"x" * 100
ROUNDS = 5
PEER_ROUNDS = 3
PEER_SECONDS = 0.6
HERE = Path(__file__).parent


# --- the same as in ../src/once.rs -------------------------------------------------------------------


def publish_batch(file):
    import blockqueue

    with blockqueue.open(file) as queue:
        queue.create_topic("t", subscribers=["s0"])
        start = time.perf_counter()
        for _ in range(200):
            queue.publish_many("t", [PAYLOAD] * 1000)
        return 200_000 / (time.perf_counter() - start)


def publish_tasks(file):
    from blockqueue import aio

    async def main():
        async with aio.open(file) as queue:
            await queue.create_topic("t", subscribers=["s0"])

            async def publish():
                for _ in range(500):
                    await queue.publish("t", PAYLOAD)

            start = time.perf_counter()
            await asyncio.gather(*(publish() for _ in range(64)))
            return 64 * 500 / (time.perf_counter() - start)

    return asyncio.run(main())


def claim_ack(file):
    import blockqueue

    with blockqueue.open(file) as queue:
        queue.create_topic("t", subscribers=["s0"])
        for _ in range(100):
            queue.publish_many("t", [PAYLOAD] * 1000)
        start = time.perf_counter()
        for _ in range(1000):
            if any(queue.ack_many(queue.claim("t", "s0", limit=100))):
                raise RuntimeError("a claim was lost")
        return 100_000 / (time.perf_counter() - start)


CASES = {
    "publish-batch": (publish_batch, "`publish_many` of 1,000 × 100 B", 0.6),
    "publish-tasks": (publish_tasks, "64 tasks publish singly", 0.5),
    "claim-ack": (claim_ack, "claim + ack of 100,000 in batches of 100", 0.5),
}

PEERS = ["honker", "litequeue", "huey", "persist-queue"]
PEER_CASES = {
    "publish-batch": ("publish of batches of 1,000", 1.0),
    "publish:64": ("publish by 64 threads", 1.0),
    "claim-ack": ("claim + ack in batches of 100", 1.0),
    "publish:1": ("publish by one caller", 0.95),
}


# --- the tables --------------------------------------------------------------------------------------


def measured(*words):
    """What a process prints, in an empty folder; its place is said by `{}`."""
    with tempfile.TemporaryDirectory() as folder:
        words = [str(word).replace("{}", folder) for word in words]
        return float(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout)


def beside_rust(program):
    print("| case | Python | Rust | ratio | must reach | |\n|---|---|---|---|---|---|")
    for name, (_, what, target) in CASES.items():
        rounds = []
        for _ in range(ROUNDS):
            ours = measured(sys.executable, HERE, "once", name, "{}/queue.db")
            rounds.append((ours, measured(program, "once", name, "{}/queue.db")))
        row(what, rounds, target)


def beside_peers():
    print("\n| case | here | there | ratio | must reach | |\n|---|---|---|---|---|---|")
    script = HERE / "queues.py"
    for case, (what, target) in PEER_CASES.items():
        found = {peer: [] for peer in PEERS}
        for _ in range(PEER_ROUNDS):
            ours = measured(sys.executable, script, "blockqueue", case, "{}", PEER_SECONDS)
            for peer in PEERS:
                theirs = measured(sys.executable, script, peer, case, "{}", PEER_SECONDS)
                found[peer].append((ours, theirs))
        for peer, rounds in found.items():
            row(f"{what}, beside {peer}", rounds, target)


def row(what, rounds, target):
    ours, theirs = (statistics.median(side) for side in zip(*rounds, strict=True))
    ratio = statistics.median(ours / theirs for ours, theirs in rounds)
    reached = "✓" if ratio >= target else "✗"
    print(f"| {what} | {speed(ours)} | {speed(theirs)} | {ratio:.2f} | ≥ {target:.2f} | {reached} |", flush=True)


def speed(value):
    return f"{value / 1000:,.0f} k/s" if value >= 10_000 else f"{value:,.0f}/s"


def imports():
    def took(code):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-I", "-c", code], check=True)
        return time.perf_counter() - start

    took("import blockqueue")
    extra = statistics.median(took("import blockqueue") - took("pass") for _ in range(15)) * 1000
    reached = "✓" if extra < 60 else "✗"
    print(f"\n`import blockqueue` takes {extra:.0f} ms more than Python alone; must be less than 60 ms {reached}")


def main(words):
    if words[0] == "once":
        print(CASES[words[1]][0](words[2]))
        return
    beside_rust(words[0])
    beside_peers()
    imports()


if __name__ == "__main__":
    main(sys.argv[1:])
