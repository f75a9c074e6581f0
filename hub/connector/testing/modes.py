"""How a pretend back office misbehaves, and for how many calls."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar


class Mode(StrEnum):
    """What a back office does with a call. All but `ok` are faults that real ones show."""

    OK = "ok"
    REFUSE = "refuse"  #: the product's own business error
    UNAVAILABLE = "unavailable"  #: 503, nothing done; Retry-After when `seconds` is given
    SLOW = "slow"  #: commits at once, answers after `seconds`
    TIMEOUT = "timeout"  #: reads the request, commits nothing, never answers
    COMMIT_THEN_TIMEOUT = "commit_then_timeout"
    COMMIT_THEN_DROP = "commit_then_drop"
    DRIP = "drip"  #: commits, then sends its answer a byte every `seconds` (1)
    HTML_ERROR = "html_error"  #: a web page with status 200, nothing done
    FAULT = "fault"  #: the product's own unexplained failure (a SOAP fault, a 500)
    BAD_AUTH = "bad_auth"  #: the product's own way of not knowing our key
    EXPIRED_SESSION = "expired_session"  #: forgets every session, once unless `times` says more
    RATE_LIMITED = "rate_limited"  #: 429 with Retry-After `seconds` (1)


class At(StrEnum):
    """Which kind of call a behaviour is meant for."""

    WRITE = "write"
    READ = "read"
    LOGIN = "login"
    ATTACH = "attach"  #: a write too: adds a file to a case that is there


class ControlFault(ValueError):
    """A control request that means nothing; the text says what would."""


_SECONDS = {Mode.SLOW: 2.0, Mode.DRIP: 1.0, Mode.RATE_LIMITED: 1.0}
_LONGEST = 3600.0

E = TypeVar("E", bound=StrEnum)


@dataclass(slots=True)
class Behaviour:
    """One mode in force. `left` of None means until it is changed."""

    mode: Mode
    left: int | None
    wait: timedelta | None

    def as_dict(self) -> dict[str, Any]:
        return {
            "mode": self.mode.value,
            "times": self.left,
            "seconds": self.wait.total_seconds() if self.wait is not None else None,
        }


class Script:
    """What the back office will do next, for each kind of call.

    A wrong key is wrong everywhere, so `bad_auth` without `at` is for every
    call; every other mode without `at` is for writes and attachments, so that
    one set before a create meets the create and not the sign-in before it.
    """

    def __init__(self) -> None:
        self.by_call: dict[At, Behaviour] = {}

    def take(self, at: At) -> Behaviour | None:
        """The behaviour for this call, or None; uses up one of its times."""
        behaviour = self.by_call.get(at)
        if behaviour is None:
            return None
        if behaviour.left is not None:
            behaviour.left -= 1
            if behaviour.left <= 0:
                self.by_call = {k: b for k, b in self.by_call.items() if b is not behaviour}
        return behaviour

    def set(self, *, mode: Mode, at: At | None, times: int | None, seconds: float | None) -> None:
        if mode is Mode.OK:
            self.by_call = {} if at is None else {k: b for k, b in self.by_call.items() if k is not at}
            return
        if mode is Mode.EXPIRED_SESSION and times is None:
            times = 1
        seconds = _SECONDS.get(mode) if seconds is None else seconds
        behaviour = Behaviour(mode, times, None if seconds is None else timedelta(seconds=seconds))
        where = [at] if at else list(At) if mode is Mode.BAD_AUTH else [At.WRITE, At.ATTACH]
        self.by_call.update(dict.fromkeys(where, behaviour))

    def as_dict(self) -> dict[str, Any]:
        return {at.value: behaviour.as_dict() for at, behaviour in self.by_call.items()}


def set_from_json(script: Script, raw: bytes, *, known: Collection[Mode] = frozenset(Mode)) -> None:
    """Read one `POST /_behaviour` body into the script, or raise ControlFault. `known` are the modes of this wire."""
    body = read_object(raw, known=("mode", "times", "seconds", "at"))
    if "mode" not in body:
        raise ControlFault(f"mode is missing; give one of {', '.join(Mode)}")
    mode = _member(Mode, "mode", body["mode"])
    if mode not in known:
        raise ControlFault(f"this one cannot be {mode}; it can be {', '.join(each for each in Mode if each in known)}")
    script.set(
        mode=mode,
        at=None if body.get("at") is None else _member(At, "at", body["at"]),
        times=_times(body.get("times")),
        seconds=_seconds(body.get("seconds")),
    )


def read_object(raw: bytes, *, known: tuple[str, ...]) -> dict[str, Any]:
    """A JSON object with no other keys than those known, or ControlFault."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ControlFault("the body is not JSON; send one JSON object") from error
    if not isinstance(body, Mapping):
        raise ControlFault("the body is not a JSON object; send one, with double-quoted names")
    strange = sorted(set(body) - set(known))
    if strange:
        allowed = ", ".join(known) or "none: this back office has no options"
        raise ControlFault(f"unknown key {', '.join(strange)}; known are {allowed}")
    return dict(body)


def _member(kind: type[E], name: str, value: Any) -> E:
    try:
        return kind(value)
    except ValueError as error:
        raise ControlFault(f"{name} must be one of {', '.join(kind)}") from error


def _times(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ControlFault("times must be a whole number from 1, or null for until it is changed")
    return value


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LONGEST:
        raise ControlFault(f"seconds must be a number from 0 to {_LONGEST:.0f}")
    return float(value)
