"""The nouns, as frozen dataclasses and closed vocabularies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class StepState(StrEnum):
    """Where a step stands; a delivery's state is that of its create step."""

    QUEUED = "queued"  #: due now or later; the row says why it waits
    SENDING = "sending"  #: leased by a worker
    UNCLEAR = "unclear"  #: bytes went out and no clear answer came
    DELIVERED = "delivered"  #: the council's system has it
    DEAD = "dead"  #: we stopped trying; a person must mend and replay, or discard
    DISCARDED = "discarded"  #: a person set it aside, with a reason


class StepKind(StrEnum):
    """What a step does at the destination."""

    CREATE = "create"
    NUMBER = "number"  #: the case exists, its number is still to be read
    UPDATE = "update"
    CANCEL = "cancel"
    ATTACH = "attach"


class DeliveryKind(StrEnum):
    CASE = "case"
    FOLLOW_UP = "follow_up"
    NOTICE = "notice"  #: status on its way to a front end; never the cause of another notice


class Lane(StrEnum):
    """Who waits with whom when a destination is busy."""

    FRESH = "fresh"
    FOLLOW_UP = "follow_up"
    REPLAY = "replay"
    NOTICE = "notice"


class Phase(StrEnum):
    """How far an attempt got; decides what an expired lease means."""

    PREPARED = "prepared"  #: nothing was sent: safe to repeat
    SENDING = "sending"  #: something may have been sent
    ANSWERED = "answered"


class Outcome(StrEnum):
    """How an attempt ended."""

    DELIVERED = "delivered"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    UNCLEAR = "unclear"
    MISCONFIGURED = "misconfigured"
    NOT_THERE = "not_there"  #: a look found nothing


class Trigger(StrEnum):
    AUTO = "auto"
    MANUAL = "manual"
    REPLAY = "replay"
    RESOLVER = "resolver"


class WaitReason(StrEnum):
    """Why a queued step is not being sent right now."""

    RETRY = "retry"
    RATE = "rate"
    BREAKER = "breaker"
    WINDOW = "window"
    PAUSED = "paused"
    BEHIND = "behind"
    LOOKUP = "lookup"


class SubmissionStatus(StrEnum):
    ACCEPTED = "accepted"
    PARTLY_DELIVERED = "partly_delivered"
    DELIVERED = "delivered"
    NEEDS_ATTENTION = "needs_attention"
    DISCARDED = "discarded"


class ReceivedState(StrEnum):
    """What became of a body in a front end's own format."""

    MAPPED = "mapped"  #: it is a submission
    PARKED = "parked"  #: it cannot be one yet; a person mends its profile and replays it
    DISCARDED = "discarded"  #: a person set it aside, with a reason


class ReplaySafety(StrEnum):
    """What repeating an operation does at the back office; declared, and proved by the kit."""

    IDEMPOTENT = "idempotent"  #: keyed on our reference: a repeat is the same case
    REJECTS_DUPLICATES = "rejects_duplicates"  #: a repeat is refused as "already exists"
    LOOKUP = "lookup"  #: `find(our_reference)` tells whether it is there
    LISTING = "listing"  #: what changed can be listed and matched to our reference
    UNSAFE = "unsafe"  #: a repeat makes a second case; only a person may decide


class Takes(StrEnum):
    """Which submissions a destination takes: those marked `test: true` never reach a live one."""

    LIVE = "live"
    TEST = "test"
    BOTH = "both"

    def fits(self, *, test: bool) -> bool:
        """Whether a submission that is a test, or is none, may go there."""
        return self is Takes.BOTH or (self is Takes.TEST) == test


class Role(StrEnum):
    """What a user may do; each role includes those before it, `reader` may open bodies."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    READER = "reader"
    APPROVER = "approver"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The destination's answer to an accepted write.

    `reference` is the council's own number, None while it is still to come
    (then `token` says how to ask for it). `joined` means that the record was
    there before and is not provably ours.
    """

    reference: str | None = None
    token: str | None = None
    joined: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Warning:
    """A remark on a submission that was taken all the same; `pointer` is an RFC 6901 fragment."""

    pointer: str
    message: str

    def as_dict(self) -> dict[str, str]:
        return {"pointer": self.pointer, "message": self.message}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How hard a destination may be pressed."""

    concurrency: int = 4  #: calls in flight at once, over all workers
    per_second: float | None = None
    timeout: timedelta = timedelta(seconds=60)  #: total, from claim to answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Why a delivery waits and until when; one function makes it for API, console and alerts."""

    reason: WaitReason
    until: datetime | None
    text: str

    def as_dict(self) -> dict[str, str | None]:
        return {
            "reason": self.reason.value,
            "until": self.until.isoformat().replace("+00:00", "Z") if self.until else None,
            "text": self.text,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontEnd:
    """An API client that publishes submissions; `councils` and `services` of None mean all."""

    id: str
    name: str
    councils: frozenset[str] | None
    services: frozenset[str] | None

    def may(self, *, council: str, service: str) -> bool:
        return (self.councils is None or council in self.councils) and (
            self.services is None or service in self.services
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A member of staff; `councils` of None means all."""

    id: str
    name: str
    role: Role
    councils: frozenset[str] | None = None

    def may(self, role: Role) -> bool:
        ladder = list(Role)
        return ladder.index(self.role) >= ladder.index(role)

    def sees(self, council: str) -> bool:
        return self.councils is None or council in self.councils


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDelivery:
    """One delivery that routing decided on, before it has an id."""

    destination: str  #: "council/name"
    route: str  #: the route's name within its council
    item_index: int | None = None  #: position in the mapping's `each`; None when there is no split


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What routing decided: deliveries, or the faults that send the submission to a person."""

    deliveries: Sequence[PlannedDelivery] = ()
    faults: Sequence[str] = ()  #: never quotes a resident's words
