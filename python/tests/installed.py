"""What an installed package must do, in an environment that has nothing else.

The Python examples of the READMEs run as they are written, each in an empty folder; the command is there, or
says why it is not.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("blockqueue")


def examples() -> None:
    """Fails with the first example that does, or is not short."""
    ran = 0
    for readme in ("python/README.md", "README.md"):
        for example in re.findall(r"```python\n(.*?)```", (REPOSITORY / readme).read_text(), re.DOTALL):
            assert len(example.splitlines()) < 15, f"{readme}: an example is long"
            run(sys.executable, "-c", example)
            ran += 1
            print(f"{readme}: ok")
    assert ran, "no example was found"


def metadata() -> None:
    """What an index shows."""
    of = importlib.metadata.metadata("blockqueue")
    assert of["License-Expression"] == "Apache-2.0"
    assert of["Requires-Python"] == ">=3.10"
    assert {"opentelemetry", "pydantic"} <= set(of.get_all("Provides-Extra") or [])
    licences = [str(each) for each in importlib.metadata.files("blockqueue") or [] if each.name == "LICENSE"]
    assert licences, "the licence is missing"


def command() -> None:
    """The native command works beside the one for workers."""
    assert "blockqueue 0.1.0" in run(COMMAND, "--version")
    assert {"worker", "serve", "publish"} <= set(re.findall(r"\w+", run(COMMAND, "--help")))
    with tempfile.TemporaryDirectory() as folder:
        at = ["--db", f"{folder}/queue.db"]
        run(COMMAND, "topic", "create", "orders", "--subscriber", "email", *at)
        run(COMMAND, "publish", "orders", "42", *at)
        assert "42" in run(COMMAND, "consume", "orders", "email", *at)


def old_linux() -> None:
    """The native command asks for no younger C library than the wheel says."""
    [native] = (each for each in importlib.metadata.files("blockqueue") or [] if each.parent.name == "bin")
    versions = re.findall(rb"GLIBC_2\.(\d+)", Path(str(native.locate())).read_bytes())
    assert max(map(int, versions)) <= 17, max(map(int, versions))


def no_command() -> None:
    """What is built from source says so."""
    ended = subprocess.run([COMMAND, "stats"], capture_output=True, text=True, check=False)
    assert (ended.returncode, "native" in ended.stderr) == (2, True), ended.stderr


def run(*words: str | Path) -> str:
    """What a program prints, run in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        ended = subprocess.run(
            words, cwd=folder, check=True, env=dict(os.environ), stdout=subprocess.PIPE, text=True
        )
        return ended.stdout


if __name__ == "__main__":
    examples()
    metadata()
    assert "worker" in run(COMMAND, "worker", "--help")
    command() if "--with-command" in sys.argv else no_command()
    if "--for-old-linux" in sys.argv:
        old_linux()
