"""A process of its own for a handler that would keep the interpreter busy."""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from . import _payload
from ._handlers import payload_type
from ._lease import Lease, failure_text

# Not forked: a worker has threads, and a fork has none of them.
_context = multiprocessing.get_context("spawn")


class RemoteTraceback(Exception):
    """Where in the other process an exception came from: the cause of that exception."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class Stopped(BaseException):
    """The worker ended the process while its handler ran: what it worked on is given back."""


class Child:
    """A process that runs one handler on one payload at a time. It is started when it is needed."""

    def __init__(self, handler: Callable[..., Any]) -> None:
        self._handler = handler
        self._process: BaseProcess | None = None
        self._ended = False
        self._pipe: Connection

    def call(self, delivery: Lease) -> None:
        """Runs the handler; raises what it raises, or that its process has ended."""
        process = self._started()
        try:
            self._pipe.send((delivery.payload, delivery.content_type))
            error, trace = self._pipe.recv()
        except (EOFError, OSError):
            process.join()
            code, self._process = process.exitcode, None
            self._pipe.close()
            if self._ended:
                raise Stopped from None
            raise ChildProcessError(f"the process of the handler ended with exit code {code}") from None
        if error is not None:
            raise error from RemoteTraceback(trace)

    def end(self) -> None:
        """Ends the process for good, also while the handler runs in another thread."""
        self._ended = True
        process = self._process
        if process is not None:
            process.kill()

    def _started(self) -> BaseProcess:
        if self._process is None:
            self._pipe, theirs = _context.Pipe()
            self._process = _context.Process(
                target=_serve, args=(theirs, self._handler), name="blockqueue-handler", daemon=True
            )
            self._process.start()
            # Only the child has it now, so its end is noticed.
            theirs.close()
        return self._process


def _serve(pipe: Connection, handler: Callable[..., Any]) -> None:
    """The life of the child: it ends when the worker has ended."""
    # Ctrl-C goes to the whole group of processes; the worker lets handlers finish.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    into = payload_type(handler)
    while True:
        try:
            payload, content_type = pipe.recv()
        except EOFError:
            return
        try:
            handler(_payload.parse(payload, content_type, into))
            told: tuple[BaseException | None, str] = (None, "")
        except Exception as error:
            told = (_portable(error), traceback.format_exc())
        pipe.send(told)


def _portable(error: Exception) -> Exception:
    """The exception, or one that says the same where it cannot travel."""
    try:
        pickle.loads(pickle.dumps(error))
        return error
    except Exception:
        return RuntimeError(failure_text(error))
