"""Runs the Python examples of the READMEs as they are written, each in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def main() -> None:
    """Fails with the first example that does."""
    ran = 0
    for readme in ("python/README.md", "README.md"):
        for example in re.findall(r"```python\n(.*?)```", (REPOSITORY / readme).read_text(), re.DOTALL):
            with tempfile.TemporaryDirectory() as folder:
                subprocess.run([sys.executable, "-c", example], cwd=folder, check=True, env=dict(os.environ))
            ran += 1
            print(f"{readme}: ok")
    if not ran:
        raise SystemExit("no example was found")


if __name__ == "__main__":
    main()
