"""What the hub says, as plain typed objects; `raw` is its JSON, with whatever a newer hub adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self


class Unreachable(Exception):
    """No hub answered in time; nothing was promised, and the same call may be made again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something odd about a submission that was taken all the same, or wrong with one that was not."""

    pointer: str  #: RFC 6901, as a URI fragment: `#/details/containers/0/waste_type`
    message: str


class Refused(Exception):
    """The hub said no: `code` is stable, `detail` says what to do, `faults` are all that is wrong with the body."""

    def __init__(self, *, status: int, raw: Mapping[str, Any], retry_after: timedelta | None = None) -> None:
        self.status = status  #: HTTP's
        self.retry_after = retry_after
        self.raw = raw
        self.code = str(raw.get("code", ""))
        self.detail = str(raw.get("detail", ""))
        self.faults = _warned(raw.get("errors"))
        super().__init__(f"{status} {self.code}: {self.detail}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """It is durable now: nothing can lose it."""

    id: str
    reference: str  #: what a resident is told
    status: str
    council: str  #: its slug
    service: str
    received_at: datetime
    warnings: Sequence[Warned]
    replayed: bool  #: the first answer again, to a repeat
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def read(cls, raw: Mapping[str, Any], *, replayed: bool) -> Self:
        return cls(
            id=raw["id"],
            reference=raw["reference"],
            status=raw["status"],
            council=raw["council"],
            service=raw["service"],
            received_at=_instant(raw["received_at"]),
            warnings=_warned(raw.get("warnings")),
            replayed=replayed,
            raw=raw,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One submission, or one part of it, on its way to one of the council's systems."""

    destination: str  #: "council/name"
    state: str
    reference: str | None  #: the council's own; None until it is known
    our_reference: str
    attempts: int
    waiting: str | None  #: why it is not being sent right now
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What the council said of the case."""

    at: datetime
    status: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Where a submission is now."""

    id: str
    reference: str
    status: str
    final: bool  #: the hub's job is done; the council's may not be
    case_status: str | None  #: how far the council has come
    deliveries: Sequence[Delivery]
    updates: Sequence[Update]
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        return cls(
            id=raw["id"],
            reference=raw["reference"],
            status=raw["status"],
            final=raw["final"],
            case_status=raw.get("case_status"),
            deliveries=[_delivery(each) for each in raw["deliveries"]],
            updates=[
                Update(at=_instant(each["at"]), status=each["status"], text=each.get("text") or "")
                for each in raw.get("updates", ())
            ],
            raw=raw,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that the hub holds; name its `id` in a submission within 24 hours."""

    id: str
    raw: Mapping[str, Any] = field(repr=False)


def _delivery(raw: Mapping[str, Any]) -> Delivery:
    waiting = raw.get("waiting")
    return Delivery(
        destination=raw["destination"],
        state=raw["state"],
        reference=raw.get("reference"),
        our_reference=raw["our_reference"],
        attempts=raw["attempts"],
        waiting=waiting["text"] if waiting else None,
        raw=raw,
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _warned(raw: Sequence[Mapping[str, str]] | None) -> tuple[Warned, ...]:
    return tuple(Warned(pointer=each["pointer"], message=each["message"]) for each in raw or ())
