"""Files that are the same for event loops as for threads are written by a tool, and up to date."""

from __future__ import annotations

from pathlib import Path

import generate_aio
import pytest

PYTHON = Path(__file__).parents[1]


@pytest.mark.parametrize("source", generate_aio.GENERATED)
def test_what_is_generated_is_current(source: str) -> None:
    written = (PYTHON / "blockqueue" / generate_aio.GENERATED[source]).read_text()
    assert generate_aio.generate(source) == written, "run python/tools/generate_aio.py"
