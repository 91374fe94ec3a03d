"""The examples run as they are written, each in a folder of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"

FASTAPI = """
import threading, time, blockqueue
from fastapi.testclient import TestClient
import fastapi_shop as shop

with TestClient(shop.api) as client:
    key = {"Idempotency-Key": "one"}
    first = client.post("/orders", json={"item": "tea", "count": 2}, headers=key)
    assert first.status_code == 202, first.text
    assert client.post("/orders", json={"item": "tea", "count": 2}, headers=key).json() == first.json()
    assert client.post("/orders", json={"item": "tea", "count": 0}).status_code == 422
    # The worker is another process in life; here it shares this one.
    worker = threading.Thread(target=shop.app.run)
    worker.start()
    with blockqueue.open(shop.QUEUE) as queue:
        deadline = time.monotonic() + 20
        while queue.subscriber_stats("orders", "email").acked_count < 1:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    shop.app.stop()
    worker.join()
"""

DJANGO = """
import blockqueue, django_shop as shop
from django.test import Client

shop.prepare()
with blockqueue.open(shop.FILE) as queue:
    client = Client(raise_request_exception=False)
    assert client.post("/orders", {"item": "tea"}).json() == {"order": 1}
    assert client.post("/orders", {"item": "nothing"}).status_code == 500
    assert client.post("/orders", {"item": "milk"}).json() == {"order": 2}
    deliveries = queue.claim("orders", "email", wait=5, limit=10)
    deliveries += queue.claim("orders", "email", limit=10)
    assert [each.content for each in deliveries] == [
        {"order": 1, "item": "tea"}, {"order": 2, "item": "milk"}
    ]
"""


@pytest.mark.parametrize("code", [FASTAPI, DJANGO], ids=["fastapi", "django"])
def test_web_frameworks(tmp_path: Path, code: str) -> None:
    run(tmp_path, "-c", code)


def test_the_plot(tmp_path: Path) -> None:
    run(tmp_path, str(EXAMPLES / "plot_backlog.py"), "backlog.png", "--seconds", "1")
    assert (tmp_path / "backlog.png").read_bytes().startswith(b"\x89PNG")


def run(folder: Path, *words: str) -> None:
    ended = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={"PYTHONPATH": str(EXAMPLES), "PATH": "", "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
