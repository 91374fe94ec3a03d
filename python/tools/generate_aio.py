"""Writes the files that are the same for event loops as for threads, but for `async` and `await`.

`python tools/generate_aio.py` writes them; a test fails when one is not what would be written.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "blockqueue"

_SOURCES = [
    "_delivery.py",
    "_transaction.py",
    *(f"_operations/{p.name}" for p in PACKAGE.glob("_operations/*.py")),
]

GENERATED = {source: re.sub(r"^(_\w+)", r"\1_aio", source) for source in sorted(_SOURCES)}

_RULES = [
    # Methods with a body that waits; what begins with one underscore waits too, `__init__` does not.
    (r"^    def (?!__|transaction\()", "    async def "),
    (r"    def __enter__", "    async def __aenter__"),
    (r"    def __exit__", "    async def __aexit__"),
    (r"self\._wait(_for_claim)?\(", r"await self._wait\1("),
    (r"self\._queue\.", "await self._queue."),
    (r"self\.(ack|nack|defer|_report)\((?!\))", r"await self.\1("),
    (r"self\.(ack|defer)\(\)", r"await self.\1()"),
    (r"from (\.+)(_delivery|_transaction|_waiting) import", r"from \1\2_aio import"),
    (r"from \._operations\.", "from ._operations_aio."),
    (r"with queue\.", "async with queue."),
    (r" = tx\.", " = await tx."),
    (r"with delivery:", "async with delivery:"),
    (r">>> (for .* in |\w+ = )?queue\.", r">>> \1await queue."),
    (r"waiting for its answer", "awaiting its answer"),
]


def generate(source: str) -> str:
    """The text of a generated file."""
    text = (PACKAGE / source).read_text()
    for pattern, replacement in _RULES:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    text = re.sub(r" `_\w+_aio(\.py)?` is generated from this (file|folder)\.", "", text)
    text = f"# Generated from {source} by tools/generate_aio.py: edit that file.\n\n{text}"
    formatted = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--stdin-filename", PACKAGE / GENERATED[source], "-"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return formatted.stdout


if __name__ == "__main__":
    for source, target in GENERATED.items():
        (PACKAGE / target).parent.mkdir(exist_ok=True)
        (PACKAGE / target).write_text(generate(source))
