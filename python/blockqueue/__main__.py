"""The command ``blockqueue``: ``blockqueue worker`` is Python's own, the rest is the native program."""

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
from types import FrameType
from typing import TYPE_CHECKING

# What workers need is imported when one is to run: the native program starts sooner without.
if TYPE_CHECKING:
    from .worker import App

_NATIVE = Path(__file__).parent / "bin" / "blockqueue"

_HELP = """\
In Python:
  blockqueue worker module:app    run the handlers of an app; --help says more

"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; the answer is its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["worker"]:
        return _worker(words[1:])
    if not words or words[0] in ("help", "--help", "-h"):
        print(_HELP, end="", flush=True)
    return _native(words)


def _native(words: list[str]) -> int:
    """Becomes the program that wheels bring along: the server, and commands on a queue."""
    if not _NATIVE.exists():
        print(
            "this installation has `blockqueue worker` only: the native program comes with the wheel "
            "that `cargo xtask wheel` builds",
            file=sys.stderr,
        )
        return 2
    os.execv(_NATIVE, ["blockqueue", *words])


def _worker(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="blockqueue worker", description="Runs the handlers of an app until SIGTERM or SIGINT."
    )
    parser.add_argument("app", help="where the app is, as module:name")
    parser.add_argument(
        "--patience",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="how long handlers may go on after a signal",
    )
    parser.add_argument("--log", choices=("text", "json"), default="text", help="the form of the log")
    parser.add_argument("--log-level", default="info", help="debug, info, warning or error")
    parser.add_argument("--reload", action="store_true", help="start anew when a .py file here changes")
    given = parser.parse_args(words)
    if given.reload:
        return _reload([word for word in words if word != "--reload"])
    _log_to_stderr(given.log, given.log_level)
    return _run(find(given.app), given.patience)


def find(name: str) -> App:
    """The app of this name."""
    from .worker import App

    module, _, attribute = name.partition(":")
    sys.path.insert(0, os.getcwd())
    app = getattr(importlib.import_module(module), attribute or "app")
    if not isinstance(app, App):
        raise SystemExit(f"{name} is no blockqueue.worker.App")
    return app


def _log_to_stderr(form: str, level: str) -> None:
    from .logs import DeliveryFilter, JsonFormatter

    handler = logging.StreamHandler()
    handler.addFilter(DeliveryFilter())
    if form == "json":
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])


def _run(app: App, patience: float) -> int:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: app.stop())
    if app.run(patience=patience).unfinished:
        # A thread that never returns must not keep the process.
        logging.shutdown()
        os._exit(1)
    return 0


def _reload(words: list[str]) -> int:
    """For development: runs the worker in a process of its own, and anew whenever the code has changed."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    child: subprocess.Popen[bytes] | None = None
    try:
        while True:
            seen = _changed_at()
            child = subprocess.Popen([sys.executable, "-m", "blockqueue", "worker", *words])
            # One that has failed waits for the next change, too.
            while _changed_at() == seen:
                time.sleep(0.3)
            child.terminate()
            child.wait()
    except KeyboardInterrupt:
        if child is None:
            return 0
        child.terminate()
        return child.wait()


def _changed_at() -> float:
    return max((path.stat().st_mtime for path in Path.cwd().rglob("*.py")), default=0.0)


if __name__ == "__main__":
    raise SystemExit(main())
