"""Logging: which delivery a record is about.

>>> import logging
>>> handler = logging.StreamHandler()
>>> handler.addFilter(DeliveryFilter())
>>> handler.setFormatter(JsonFormatter())

Within the handlers of a worker, and within :func:`about`, every record that passes the filter has the topic,
the subscriber, the message id and the attempt as fields.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import Any

from ._lease import Lease

__all__ = ["DeliveryFilter", "JsonFormatter", "about", "fields"]

_current: ContextVar[Lease | None] = ContextVar("blockqueue_delivery", default=None)

# What every record has; the rest was given as `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def fields(delivery: Lease) -> dict[str, Any]:
    """What is said about a delivery, as ``extra`` of a record."""
    return {
        "topic": delivery.topic,
        "subscriber": delivery.subscriber,
        "message_id": delivery.message_id,
        "attempt": delivery.attempt,
    }


@contextmanager
def about(delivery: Lease) -> Generator[None]:
    """What is logged in the block, in this thread or task, is about this delivery."""
    token = _current.set(delivery)
    try:
        yield
    finally:
        _current.reset(token)


class DeliveryFilter(logging.Filter):
    """Adds the fields of the delivery that is being handled to each record. It lets all of them pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        delivery = _current.get()
        if delivery is not None:
            for name, value in fields(delivery).items():
                if not hasattr(record, name):
                    setattr(record, name, value)
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object in a line: ``time``, ``level``, ``logger``, ``message``, the fields, ``exception``."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)
