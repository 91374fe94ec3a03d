"""One call of this package for each operation of the scripts."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import blockqueue as bq

from .answers import START, to_json

Given = dict[str, Any]


def _at(ms: int) -> datetime:
    return START + timedelta(milliseconds=ms)


def _keywords(given: Given, **special: Callable[[Any], Any]) -> Given:
    """The members of a script as keywords: durations in seconds, instants as datetimes."""
    out: Given = {}
    for name, value in given.items():
        if name in special:
            out[name] = special[name](value)
        elif name.endswith("_ms"):
            out[name.removesuffix("_ms")] = value if value == "none" else value / 1000
        elif name.endswith("_at"):
            out[name] = _at(value)
        else:
            out[name] = value
    return out


def _message(given: Given) -> Given:
    fields = _keywords(given)
    encoded = fields.pop("payload_base64", None)
    text = fields.pop("payload", "")
    return {**fields, "payload": text.encode() if encoded is None else base64.b64decode(encoded)}


def _retention(given: Any) -> bq.Retention:
    return bq.Retention() if given == "none" else bq.Retention(**_keywords(given))


def _backlog(given: Given) -> bq.BacklogLimit:
    return bq.BacklogLimit(**_keywords(given))


def _topic(given: Given) -> Given:
    return _keywords(given, retention=_retention, backlog_limit=_backlog)


def _subscriber(given: Given) -> Given:
    return _keywords(given, retry=lambda retry: bq.RetryPolicy(**_keywords(retry)), rate=_rate)


def _rate(given: Any) -> Any:
    return given if given == "none" else bq.RateLimit(**_keywords(given))


def _new_subscriber(given: Given) -> bq.NewSubscriber:
    start: Any = given.get("start", "now")
    start = start if isinstance(start, str) else _at(start["at"])
    return bq.NewSubscriber(given["name"], start=start, **_subscriber(given.get("options", {})))


def _schedule(given: Given) -> bq.ScheduleOptions:
    fields = dict(given)
    message = bq.Message(**_message(fields.pop("message", {})))
    misfire: Any = fields.pop("misfire", "once")
    misfire = misfire if isinstance(misfire, str) else misfire["all"]
    times: Given = {
        name: _at(fields.pop(f"{name}_at")) for name in ("start", "end") if f"{name}_at" in fields
    }
    return bq.ScheduleOptions(message=message, misfire=misfire, **times, **_keywords(fields))


def _place(to: Any) -> Any:
    match to:
        case {"at": at}:
            return _at(at)
        case {"message_id": message_id}:
            return bq.AtMessage(message_id)
        case {"sequence": sequence}:
            return bq.AtSequence(**sequence)
        case _:
            return to


def _which(which: Any) -> Given:
    match which:
        case {"oldest": limit}:
            return {"limit": limit}
        case {"ids": ids}:
            return {"ids": ids}
        case _:
            return {}


def _nack(given: Given) -> Given:
    fields = _keywords(given)
    fields["error"] = fields.pop("error_text", None)
    return fields


def call(queue: Any, word: str, given: Given) -> Any:
    """Calls the method that the word means; of an async queue this is awaited."""
    match word:
        case "publish":
            return queue.publish(given["topic"], **_message(given["message"]))
        case "publish_batch":
            messages = [bq.Message(**_message(each)) for each in given["messages"]]
            return queue.publish_many(given["topic"], messages)
        case "create_topic":
            options = _topic(given.get("options", {}))
            new = [_new_subscriber(each) for each in given.get("subscribers", [])]
            return queue.create_topic(given["topic"], subscribers=new, **options)
        case "update_topic":
            return queue.update_topic(given["topic"], **_topic(given["options"]))
        case "create_subscribers":
            new = [_new_subscriber(each) for each in given["subscribers"]]
            return queue.create_subscribers(given["topic"], new)
        case "update_subscriber":
            options = _subscriber(given["options"])
            return queue.update_subscriber(given["topic"], given["subscriber"], **options)
        case "seek":
            dry_run = given.get("dry_run", False)
            return queue.seek(given["topic"], given["subscriber"], _place(given["to"]), dry_run=dry_run)
        case "create_schedule":
            return queue.create_schedule(given["topic"], given["schedule"], _schedule(given["options"]))
        case "update_schedule":
            settings = _schedule(given["options"])
            return queue.update_schedule(given["topic"], given["schedule"], given["version"], settings)
        case "claim_any":
            fields = _keywords(given)
            sources = [(each["topic"], each["subscriber"]) for each in fields.pop("sources")]
            return queue.claim_any(sources, **fields)
        case "ack" if "result" in given:
            return queue.ack_with_result(given["receipt"], bq.Reply(**_message(given["result"])))
        case "ack":
            return queue.ack(given["receipt"])
        case "ack_batch":
            return queue.ack_many(given["receipts"])
        case "nack":
            fields = _nack(given)
            return queue.nack(fields.pop("receipt"), **fields)
        case "nack_batch":
            items = [_nack(each) for each in given["items"]]
            return queue.nack_many([bq.Nack(each.pop("receipt"), **each) for each in items])
        case "extend":
            return queue.extend(given["receipt"], given["lease_ms"] / 1000)
        case "extend_batch":
            return queue.extend_many(given["receipts"], given["lease_ms"] / 1000)
        case "defer":
            return queue.defer(given["receipt"], given["delay_ms"] / 1000)
        case "defer_batch":
            return queue.defer_many(
                [bq.Defer(each["receipt"], each["delay_ms"] / 1000) for each in given["items"]]
            )
        case "cancel":
            return queue.cancel(given["receipt"], reason=given.get("reason"))
        case "cancel_batch":
            return queue.cancel_many(given["receipts"], reason=given.get("reason"))
        case "redrive" | "purge_dead_letters":
            rest = dict(given)
            which = _which(rest.pop("which"))
            return getattr(queue, word)(rest.pop("topic"), rest.pop("subscriber"), **which, **rest)
        case _:
            fields = _keywords(given)
            names = ("topic", "subscriber", "schedule", "message_id")
            named = [fields.pop(name) for name in names if name in fields]
            return getattr(queue, word)(*named, **fields)


_NAMES = {
    "extend": "lease_expires_at",
    "extend_batch": "lease_expires_at",
    "defer": "ready_at",
    "defer_batch": "ready_at",
    "redrive": "count",
    "purge_dead_letters": "count",
}


def answer(word: str, value: Any) -> Any:
    """The answer of a call, in the words of the scripts."""
    found = to_json(value)
    name = _NAMES.get(word)
    if isinstance(found, list):
        return [_named(name, each) for each in found]
    return _named(name, found)


def _named(name: str | None, found: Any) -> Any:
    if found is None:
        return {}
    return {name: found} if name is not None and isinstance(found, int) else found
