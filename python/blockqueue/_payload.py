"""Payloads: what Python calls them, and the bytes and content type that travel."""

from __future__ import annotations

import dataclasses
import functools
import json
import typing
from typing import Any

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"


def encode(payload: object) -> tuple[bytes, str | None]:
    """The bytes and the content type of a payload.

    Bytes say nothing about what they are. Text is UTF-8. Dataclasses and pydantic models are JSON, and so is
    all the rest that :mod:`json` can write.

    >>> encode(b"\\x00")
    (b'\\x00', None)
    >>> encode({"order": 42})
    (b'{"order":42}', 'application/json')
    """
    if isinstance(payload, (bytes, bytearray)):
        return bytes(payload), None
    if isinstance(payload, memoryview):
        return payload.tobytes(), None
    if isinstance(payload, str):
        return payload.encode(), TEXT
    as_json = getattr(payload, "model_dump_json", None)
    if callable(as_json):
        return str(as_json()).encode(), JSON
    if dataclasses.is_dataclass(payload) and not isinstance(payload, type):
        payload = dataclasses.asdict(payload)
    text = json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode(), JSON


def decode(payload: bytes, content_type: str | None) -> Any:
    """What was published, as far as the content type tells: text, a JSON value, or else the bytes.

    >>> decode(b'{"order":42}', "application/json")
    {'order': 42}
    """
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind == JSON or kind.endswith("+json"):
        return json.loads(payload)
    if kind.startswith("text/"):
        return payload.decode()
    return payload


def parse(payload: bytes, content_type: str | None, into: Any) -> Any:
    """The payload as a value of this type: bytes, text, a dataclass, a pydantic model, or what JSON has.

    Of a type with parameters, such as ``list[Order]``, pydantic makes the whole if it is installed; without
    it only the outer type is checked.
    """
    if into is bytes:
        return payload
    if into is str:
        return payload.decode()
    validate = getattr(into, "model_validate_json", None)
    if callable(validate):
        return validate(payload)
    value = decode(payload, content_type)
    if into is Any:
        return value
    if dataclasses.is_dataclass(into) and isinstance(into, type):
        if not isinstance(value, dict):
            raise TypeError(f"expected an object for {into.__name__}, not {type(value).__name__}")
        return into(**value)
    origin = typing.get_origin(into)
    if origin is not None or not isinstance(into, type):
        adapter = _adapter(into)
        if adapter is not None:
            return adapter.validate_python(value)
        into = origin if origin in (list, dict) else object
    if not isinstance(value, into):
        raise TypeError(f"expected {into.__name__}, not {type(value).__name__}")
    return value


@functools.cache
def _adapter(into: Any) -> Any:
    """What pydantic makes values of a type with, if it is installed."""
    try:
        from pydantic import TypeAdapter
    except ImportError:
        return None
    return TypeAdapter(into)
