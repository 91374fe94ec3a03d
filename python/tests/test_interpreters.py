"""Sub-interpreters, and the end of the interpreter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SUBINTERPRETER = """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

import blockqueue
made = interpreters.create()
code = '''
try:
    import blockqueue
except ImportError as error:
    assert "subinterpreter" in str(error), error
else:
    raise AssertionError("it was not refused")
'''
try:
    told = interpreters.exec(made, code)
except AttributeError:
    told = interpreters.run_string(made, code)
assert told is None, told
interpreters.destroy(made)
"""

# Nobody shuts anything down.
FORGETFUL = """
import threading, blockqueue
queue = blockqueue.open("queue.db")
queue.create_topic("orders", subscribers=["email"])
threading.Thread(target=lambda: queue.claim("orders", "email", wait=600), daemon=True).start()
while queue.engine_stats().waiting_claims == 0:
    pass
queue.publish_many("orders", ["x"] * 3)
"""


def run(code: str, folder: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=30, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_subinterpreter_is_refused(tmp_path: Path) -> None:
    run(SUBINTERPRETER, tmp_path)


def test_an_interpreter_ends_with_a_queue_open(tmp_path: Path) -> None:
    run(FORGETFUL, tmp_path)
