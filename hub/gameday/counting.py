"""Counts what became of every submission: the hub's own rows, held against the ledgers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from hub.core.resolving import LOOKED_UP, PASSES
from hub.gameday.council import CLASSES, Place
from hub.gameday.publisher import Taken
from hub.model import Outcome, Phase, ReplaySafety, StepState, Trigger
from hub.store import events, tables

#: How an unclear one can be settled, in the order they are told.
RESOLVED_BY = ("repeat", "exists", "lookup", "listing", "late_answer", "person")
_CASE = "CreateCase"
_REPEATABLE = (ReplaySafety.IDEMPOTENT, ReplaySafety.REJECTS_DUPLICATES)
_SUBMISSION, _DELIVERY, _STEP, _ATTEMPT = (table.c for table in (
    tables.submission, tables.delivery, tables.step, tables.attempt,
))  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Tally:
    """What one scenario did to one class of replay safety."""

    accepted: int = 0
    in_flight_at_fault: int = 0
    unclear_made: int = 0
    resolved_by: Counter[str] = field(default_factory=Counter)
    hub: Counter[str] = field(default_factory=Counter)
    ledger: int = 0
    lost: int = 0
    duplicates: int = 0
    unexplained: int = 0
    resent: int = 0  #: unclear ones of a class that must not be repeated, and were
    odd: list[str] = field(default_factory=list)  #: references and what is wrong with them

    def as_dict(self) -> dict[str, Any]:
        return {
            "accepted": self.accepted,
            "in_flight_at_fault": self.in_flight_at_fault,
            "unclear_made": self.unclear_made,
            "resolved_by": {how: self.resolved_by[how] for how in RESOLVED_BY},
            "hub": dict(self.hub),
            "ledger": self.ledger,
            "lost": self.lost,
            "duplicates": self.duplicates,
            "unexplained": self.unexplained,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One delivery as the store has it now, with its attempts from first to last."""

    mark: str
    reference: str
    destination: str
    our_reference: str
    their_reference: str | None
    state: StepState
    due_at: datetime | None
    attempts: Sequence[Any]
    events: Sequence[tuple[str, str | None]]  #: kind, and who settled it

    @property
    def sends(self) -> list[Any]:
        return [each for each in self.attempts if each.trigger != Trigger.RESOLVER.value]

    @property
    def answered_late(self) -> bool:
        """An answer came after its lease was lost."""
        return any(kind == events.LATE_RESULT for kind, _ in self.events)

    @property
    def doubtful(self) -> list[Any]:
        """The attempts of which nobody knew whether they were taken."""
        late = self.sends[:1] if self.answered_late else []
        return [each for each in self.sends if each.outcome == Outcome.UNCLEAR.value or each in late]

    @property
    def under_way(self) -> bool:
        """Something will happen to it without a person."""
        waiting = self.state is StepState.UNCLEAR and self.due_at is not None
        return waiting or self.state in (StepState.QUEUED, StepState.SENDING)

    @property
    def looked_for(self) -> int:
        """How many looks found nothing."""
        return sum(each.outcome == Outcome.NOT_THERE.value for each in self.attempts)

    @property
    def resent(self) -> bool:
        """It was sent again although nobody knew what had become of it."""
        return any(each.sent_at is not None for first in self.doubtful[:1] for each in _after(self.sends, first))


def in_sending(connection: sa.Connection, *, since: str, after: datetime) -> Counter[str]:
    """Attempts that are in `sending`, committed as such, and their step still leased; by place.

    `after` leaves out what hangs in the air since an earlier fault.
    """
    query = (
        sa.select(_STEP.destination, sa.func.count())
        .join(tables.attempt, sa.and_(_ATTEMPT.step == _STEP.id, _ATTEMPT.lease_token == _STEP.lease_token))
        .join(tables.submission, _SUBMISSION.id == _STEP.submission)
        .where(
            _STEP.state == StepState.SENDING.value,
            _ATTEMPT.phase == Phase.SENDING.value,
            _ATTEMPT.started_at >= after,
            _SUBMISSION.front_end_reference.startswith(since, autoescape=True),
        )
        .group_by(_STEP.destination)
    )
    return Counter({row[0]: row[1] for row in connection.execute(query)})


def under_way(engine: sa.Engine, *, since: str) -> int:
    """How many deliveries of this scenario something will still happen to."""
    waiting = sa.and_(_STEP.state == StepState.UNCLEAR.value, _STEP.due_at.is_not(None))
    moving = sa.or_(_STEP.state.in_([StepState.QUEUED.value, StepState.SENDING.value]), waiting)
    query = (
        sa.select(sa.func.count())
        .select_from(tables.step)
        .join(tables.submission, _SUBMISSION.id == _STEP.submission)
        .where(moving, _SUBMISSION.front_end_reference.startswith(since, autoescape=True))
    )
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def cases(engine: sa.Engine, *, since: str) -> list[Case]:
    """Every delivery whose submission carries a mark that begins so."""
    ours = _SUBMISSION.front_end_reference.startswith(since, autoescape=True)
    rows = (
        sa.select(_SUBMISSION.front_end_reference, _SUBMISSION.reference, _DELIVERY.id, _DELIVERY.destination,
                  _DELIVERY.our_reference, _DELIVERY.their_reference, _STEP.state, _STEP.due_at)
        .select_from(tables.submission)
        .join(tables.delivery, _DELIVERY.submission == _SUBMISSION.id)
        .join(tables.step, sa.and_(_STEP.delivery == _DELIVERY.id, _STEP.position == 0))
        .where(ours)
    )  # fmt: skip
    tries = (
        sa.select(_ATTEMPT.id, _ATTEMPT.delivery, _ATTEMPT.trigger, _ATTEMPT.outcome, _ATTEMPT.phase,
                  _ATTEMPT.started_at, _ATTEMPT.sent_at, _ATTEMPT.ended_at)
        .join(tables.delivery, _DELIVERY.id == _ATTEMPT.delivery)
        .join(tables.submission, _SUBMISSION.id == _DELIVERY.submission)
        .join(tables.step, sa.and_(_STEP.id == _ATTEMPT.step, _STEP.position == 0))
        .where(ours)
        .order_by(_ATTEMPT.lease_token)
    )  # fmt: skip
    told = (
        sa.select(tables.event.c.delivery, tables.event.c.kind, tables.event.c.detail)
        .join(tables.submission, _SUBMISSION.id == tables.event.c.submission)
        .where(ours, tables.event.c.delivery.is_not(None))
        .order_by(tables.event.c.id)
    )
    by_delivery: dict[str, list[Any]] = defaultdict(list)
    said: dict[str, list[tuple[str, str | None]]] = defaultdict(list)
    with engine.connect() as connection:
        for tried in connection.execute(tries):
            by_delivery[tried.delivery].append(tried)
        for happened in connection.execute(told):
            said[happened.delivery].append((happened.kind, (happened.detail or {}).get("by")))
        return [_case(row, by_delivery[row.id], said[row.id]) for row in connection.execute(rows)]


def _case(row: Any, attempts: list[Any], said: list[tuple[str, str | None]]) -> Case:
    return Case(
        mark=row.front_end_reference,
        reference=row.reference,
        destination=row.destination,
        our_reference=row.our_reference,
        their_reference=row.their_reference,
        state=StepState(row.state),
        due_at=row.due_at,
        attempts=attempts,
        events=said,
    )


def count(
    found: Iterable[Case], *, taken: Iterable[Taken], ledgers: Mapping[str, Sequence[Mapping[str, Any]]],
    places: Mapping[str, Place], struck: Mapping[str, int],
) -> dict[ReplaySafety, Tally]:  # fmt: skip
    """A tally for each class that took part. `ledgers` by office, `places` and `struck` by destination."""
    tallies: dict[ReplaySafety, Tally] = defaultdict(Tally)
    rows = {office: _by_reference(ledger) for office, ledger in ledgers.items()}
    stored: Counter[str] = Counter()
    for case in found:
        place = places[case.destination]
        stored[case.mark] += 1
        _count_case(tallies[place.safety], case, rows[place.office].get(case.our_reference, []), place.safety)
    for one in taken:
        tally = tallies[one.letter.place.safety]
        tally.accepted += 1
        if not stored[one.letter.mark]:
            tally.lost += 1
            tally.odd.append(f"{one.reference}: answered 202, and not in the store")
        elif stored[one.letter.mark] > 1:
            tally.duplicates += 1
            tally.odd.append(f"{one.reference}: published once, stored {stored[one.letter.mark]} times")
    for destination, many in struck.items():
        tallies[places[destination].safety].in_flight_at_fault += many
    return {safety: tallies[safety] for safety in CLASSES if safety in tallies}


def _count_case(tally: Tally, case: Case, rows: Sequence[Mapping[str, Any]], safety: ReplaySafety) -> None:
    tally.hub[case.state.value] += 1
    tally.ledger += len(rows)
    if len(rows) > 1:
        tally.duplicates += 1
        tally.odd.append(f"{case.our_reference}: {len(rows)} times in the ledger")
    if case.state is StepState.DELIVERED and not rows:
        tally.lost += 1
        tally.odd.append(f"{case.our_reference}: delivered, and not in the ledger")
    elif problem := _unexplained(case, rows):
        tally.unexplained += 1
        tally.odd.append(f"{case.our_reference}: {problem}")
    if not case.doubtful:
        return
    tally.unclear_made += 1
    if settled := _settled_by(case, rows, safety):
        tally.resolved_by[settled] += 1
    # Two looks may have shown that it was not there; nothing can show that of an unsafe one.
    looked = safety in LOOKED_UP and (case.looked_for >= PASSES or case.answered_late)
    if case.resent and safety not in _REPEATABLE and not looked:
        tally.resent += 1
        tally.odd.append(f"{case.our_reference}: unclear, and sent again without a look")


def _unexplained(case: Case, rows: Sequence[Mapping[str, Any]]) -> str | None:
    match case.state:
        case StepState.DELIVERED if rows and case.their_reference != rows[0]["reference"]:
            return f"the hub tells {case.their_reference}, the ledger holds {rows[0]['reference']}"
        case StepState.QUEUED if case.due_at is None:
            return "queued, and without a time"
        case StepState.QUEUED | StepState.DEAD | StepState.DISCARDED if rows:
            return f"{case.state.value}, and in the ledger"
        case _:
            return None


def _settled_by(case: Case, rows: Sequence[Mapping[str, Any]], safety: ReplaySafety) -> str | None:
    if case.state is StepState.UNCLEAR and case.due_at is None:
        return "person"
    if case.state is not StepState.DELIVERED:
        return None
    if case.answered_late and len(case.sends) == len(case.doubtful):
        return "late_answer"
    last = case.attempts[-1]
    if last.trigger == Trigger.RESOLVER.value:
        return safety.value
    there_before = bool(rows) and last.sent_at is not None and _at(rows[0]) < last.sent_at
    return "exists" if there_before and safety is ReplaySafety.REJECTS_DUPLICATES else "repeat"


def _by_reference(ledger: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in ledger:
        if row.get("our_reference") and row.get("operation", _CASE) == _CASE:
            found[row["our_reference"]].append(row)
    return found


def _at(row: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(str(row["received_at"]).replace("Z", "+00:00")).astimezone(UTC)


def _after(sends: Sequence[Any], first: Any) -> Sequence[Any]:
    return sends[sends.index(first) + 1 :]
