"""The command ``blockqueue worker module:app``."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from .worker import App


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; the answer is its exit status."""
    parser = argparse.ArgumentParser(prog="blockqueue", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    worker = commands.add_parser("worker", help="run the handlers of an app until SIGTERM or SIGINT")
    worker.add_argument("app", help="where the app is, as module:name")
    worker.add_argument("--patience", type=float, default=30.0, metavar="SECONDS")
    worker.add_argument("--reload", action="store_true", help="start anew when a .py file here changes")
    given = parser.parse_args(arguments)
    if given.reload:
        return _reload([given.app, "--patience", str(given.patience)])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    app = find(given.app)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: app.stop())
    return 1 if app.run(patience=given.patience).unfinished else 0


def find(name: str) -> App:
    """The app of this name."""
    module, _, attribute = name.partition(":")
    sys.path.insert(0, os.getcwd())
    app = getattr(importlib.import_module(module), attribute or "app")
    if not isinstance(app, App):
        raise SystemExit(f"{name} is no blockqueue.worker.App")
    return app


def _reload(words: list[str]) -> int:
    """For development: runs the worker in a process of its own, and anew whenever the code has changed."""
    while True:
        seen = _changed_at()
        child = subprocess.Popen([sys.executable, "-m", "blockqueue", "worker", *words])
        try:
            while child.poll() is None and _changed_at() == seen:
                time.sleep(0.3)
            while _changed_at() == seen:  # It failed: wait for the next change.
                time.sleep(0.3)
        except KeyboardInterrupt:
            return child.wait()
        child.terminate()
        child.wait()


def _changed_at() -> float:
    return max((path.stat().st_mtime for path in Path.cwd().rglob("*.py")), default=0.0)


if __name__ == "__main__":
    raise SystemExit(main())
