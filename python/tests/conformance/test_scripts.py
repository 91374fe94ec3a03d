"""Every script holds, on the queue for threads and on the one for event loops."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import blockqueue

from .face import START_MS, Aio, Face, Sync
from .script import Script, difference, resolve, scripts

PATIENCE = 10.0
WORDS = {"do", "expect", "error", "index", "save", "eventually", "takes_ms", "start", "note"}

FACES: dict[str, Callable[[Path], Face]] = {
    "memory": lambda _: Sync(None),
    "file": Sync,
    "asyncio": Aio,
}


class Failed(AssertionError):
    """A step did not answer as expected."""


class Runner:
    """Carries out the steps of one script."""

    def __init__(self, face: Face) -> None:
        self.face = face
        self.now_ms = START_MS
        self.saved: dict[str, Any] = {}
        self.started: dict[str, tuple[float, Future[tuple[Any, float]]]] = {}

    def step(self, step: dict[str, Any]) -> None:
        if "join" in step:
            since, future = self.started.pop(step["join"])
            self.check(step, lambda: future.result(timeout=PATIENCE), since)
            return
        word = step["do"]
        if word in ("advance", "set_clock"):
            self.now_ms = self.now_ms + step["ms"] if word == "advance" else START_MS + step["at"]
            self.face.clock.set(self.now_ms)
            return
        given = resolve({name: value for name, value in step.items() if name not in WORDS}, self.saved)
        if "start" in step:
            self.started[step["start"]] = (time.monotonic(), self.background(word, given))
            return
        deadline, pause = time.monotonic() + PATIENCE, 0.005
        while True:
            try:
                self.check(step, lambda: self.timed(word, given), time.monotonic())
                return
            except Failed:
                if not step.get("eventually") or time.monotonic() > deadline:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, 0.64)

    def timed(self, word: str, given: dict[str, Any]) -> tuple[Any, float]:
        answer = self.face.perform(word, given)
        return answer, time.monotonic()

    def background(self, word: str, given: dict[str, Any]) -> Future[tuple[Any, float]]:
        future: Future[tuple[Any, float]] = Future()

        def run() -> None:
            try:
                future.set_result(self.timed(word, given))
            except BaseException as error:
                future.set_exception(error)

        Thread(target=run, daemon=True).start()
        return future

    def check(self, step: dict[str, Any], wait: Callable[[], tuple[Any, float]], since: float) -> None:
        try:
            answer, at = wait()
        except blockqueue.BlockQueueError as error:
            if error.code != step.get("error"):
                raise Failed(f"expected {step.get('error')}, found {error.code}: {error}") from error
            if "index" in step and error.index is not None and error.index != step["index"]:
                raise Failed(f"expected item {step['index']}, found {error.index}") from error
            return
        if "error" in step:
            raise Failed(f"expected error {step['error']}, found {answer!r}")
        if at - since < step.get("takes_ms", 0) / 1000:
            raise Failed(f"answered after {at - since} s, expected {step['takes_ms']} ms or more")
        if "expect" in step:
            found = difference(resolve(step["expect"], self.saved), answer)
            if found is not None:
                raise Failed(found)
        if "save" in step:
            self.saved[step["save"]] = answer


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("script", list(scripts()), ids=lambda script: script.name)
def test_script(script: Script, face: str, tmp_path: Path) -> None:
    made = FACES[face](tmp_path)
    try:
        missing = script.needs - made.has
        if missing:
            pytest.skip(f"{face} has no {', '.join(missing)}")
        runner = Runner(made)
        for number, step in enumerate(script.steps, start=1):
            try:
                runner.step(step)
            except Failed as error:
                raise Failed(f"{script.rule}\nstep {number}: {step}\n{error}") from None
    finally:
        made.close()
