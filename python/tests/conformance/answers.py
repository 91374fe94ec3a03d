"""This package's answers in the words of the scripts."""

from __future__ import annotations

import base64
import dataclasses
from datetime import datetime, timedelta, timezone
from typing import Any

import blockqueue as bq
from blockqueue._lease import Lease

START = datetime(2026, 1, 1, tzinfo=timezone.utc)

_DELIVERY = (
    "topic",
    "subscriber",
    "message_id",
    "receipt",
    "payload",
    "content_type",
    "headers",
    "correlation_id",
    "ordering_key",
    "priority",
    "attempt",
    "failures",
    "published_at",
    "expires_at",
    "lease_expires_at",
)
_PUBLISHED = ("id", "duplicate", "deliver_at", "subscriber_count")


def to_json(value: Any) -> Any:
    """What the scripts can look at."""
    if isinstance(value, datetime):
        return (value - START) // timedelta(milliseconds=1)
    if isinstance(value, timedelta):
        return value // timedelta(milliseconds=1)
    if isinstance(value, bq.BlockQueueError):
        return {"error": value.code}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, bq.Retention):
        return _retention(value)
    if isinstance(value, bq.ScheduleOptions):
        return _schedule(value)
    if isinstance(value, bq.Published):
        return _members({name: getattr(value, name) for name in _PUBLISHED})
    if isinstance(value, Lease):
        return _members({name: getattr(value, name) for name in _DELIVERY})
    if dataclasses.is_dataclass(value):
        return _members({each.name: getattr(value, each.name) for each in dataclasses.fields(value)})
    return value


def _schedule(options: bq.ScheduleOptions) -> Any:
    out: dict[str, Any] = _members(dict(vars(options)))
    out["start_at"], out["end_at"] = out.pop("start"), out.pop("end")
    if isinstance(options.misfire, int):
        out["misfire"] = {"all": options.misfire}
    return out


def _retention(retention: bq.Retention) -> Any:
    given = {name: value for name, value in _members(vars(retention)).items() if value is not None}
    return given or "none"


def _members(members: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in members.items():
        if isinstance(value, timedelta):
            out[f"{name}_ms"] = to_json(value)
        elif name == "payload" and value is not None:
            out["payload_base64"] = base64.b64encode(value).decode()
            try:
                out["payload"] = value.decode()
            except UnicodeDecodeError:
                pass
        else:
            out[name] = to_json(value)
    return out
