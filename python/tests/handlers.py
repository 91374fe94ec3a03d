"""Handlers that processes of their own can import."""

from __future__ import annotations

import os
import time

import blockqueue


def in_a_process(order: dict[str, str]) -> None:
    """Does what the message says."""
    match order["word"]:
        case "raise":
            raise ValueError("by hand")
        case "give up":
            raise blockqueue.GiveUp("no such word")
        case "exit":
            os._exit(3)


def with_a_delivery(delivery: blockqueue.Delivery) -> None:
    """Cannot run in another process."""


def for_ever(text: str) -> None:
    """Does not return."""
    time.sleep(600)
