"""Reads and interprets the scripts: references, repetitions and expectations, as their README has them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parents[3] / "tests" / "conformance"


@dataclass(frozen=True)
class Script:
    """A few steps that prove one rule."""

    file: str
    name: str
    rule: str
    needs: frozenset[str]
    steps: list[dict[str, Any]]


def scripts() -> Iterator[Script]:
    """Every script there is."""
    for path in sorted(SCRIPTS.glob("*.json")):
        for script in json.loads(path.read_text()):
            needs = frozenset(script.get("needs", ()))
            yield Script(path.name, script["name"], script["rule"], needs, script["steps"])


def resolve(value: Any, saved: dict[str, Any]) -> Any:
    """Replaces references to saved answers, and repetitions."""
    if isinstance(value, str) and value.startswith("$"):
        name, *path = value[1:].split(".")
        found = saved[name]
        for part in path:
            found = found[int(part)] if isinstance(found, list) else found[part]
        return found
    if isinstance(value, list):
        return [resolve(item, saved) for item in value]
    if isinstance(value, dict):
        if "$repeat" in value:
            return resolve(value["$repeat"], saved) * value["times"]
        return {name: resolve(member, saved) for name, member in value.items()}
    return value


def difference(expected: Any, found: Any, path: str = "the answer") -> str | None:
    """Where an answer first differs from what was expected, in words."""
    if isinstance(expected, dict) and len(expected) == 1:
        [(rule, argument)] = expected.items()
        if rule.startswith("$"):
            return None if _holds(rule, argument, found) else f"{path}: not {expected}: {found!r}"
    if isinstance(expected, dict):
        if not isinstance(found, dict):
            return f"{path}: not an object: {found!r}"
        pairs = ((name, member, found.get(name)) for name, member in expected.items())
    elif isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            return f"{path}: {len(found)} items, expected {len(expected)}: {found!r}"
        pairs = ((str(at), *pair) for at, pair in enumerate(zip(expected, found, strict=True)))
    else:
        same = expected == found and isinstance(expected, bool) == isinstance(found, bool)
        return None if same else f"{path}: expected {expected!r}, found {found!r}"
    differences = (difference(one, other, f"{path}.{name}") for name, one, other in pairs)
    return next((each for each in differences if each is not None), None)


def _holds(rule: str, argument: Any, found: Any) -> bool:
    match rule:
        case "$length":
            return isinstance(found, (list, dict)) and len(found) == argument
        case "$between":
            low, high = argument
            return isinstance(found, (int, float)) and low <= found <= high
        case "$not":
            return difference(argument, found) is not None
        case "$unordered":
            return isinstance(found, list) and _unordered(argument, found)
        case _:
            raise ValueError(f"no rule {rule}")


def _unordered(expected: list[Any], found: list[Any]) -> bool:
    rest = list(found)
    for item in expected:
        place = next((at for at, other in enumerate(rest) if difference(item, other) is None), None)
        if place is None:
            return False
        del rest[place]
    return not rest
