"""After a backup was put back: what may have been sent since then is not sent on a guess."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core import fingerprint
from hub.core.bulk import OperationState
from hub.core.dates import LONDON
from hub.core.restoring import Fate, fate_of
from hub.errors import WrongState
from hub.model import Outcome, Phase, ReplaySafety, StepKind, StepState, Trigger
from hub.store import audit, events, groups, jobs, sequencer, tables, workers
from hub.store import restore_rows as rows
from hub.store.columns import text_of
from hub.store.engine import database_now
from hub.store.ids import uuid7

NAME: Final = "restore"
CODE: Final = "restored"  #: the fault code of what is unclear because of it
BATCH: Final = 500

#: Readers of the feed may have read further than the backup goes: what comes now must stand after all of that.
_FEED_GAP: Final = 10_000_000
_FROM_THE_START: Final = "00000000-0000-0000-0000-000000000000"
_STEP = tables.step.c
_DEL = tables.delivery.c
_SUB = tables.submission.c
_JOB = tables.job.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a restore goes by: when the backup was made, and what repeating and looking do at each destination."""

    since: datetime
    actor: str
    reason: str | None
    generation: int
    safety_of: Callable[[str, str, StepKind], ReplaySafety]  #: by council, route name and kind
    settle_of: Callable[[str], timedelta]  #: by destination
    silence: timedelta  #: a worker heard of within this time may still be sending
    sole: bool  #: it is known otherwise that no worker runs (SQLite)


@dataclass(slots=True, kw_only=True)
class Account:
    """What became of how many, so far."""

    since: datetime
    fates: Counter[tuple[str, ReplaySafety, Fate]] = field(default_factory=Counter)  #: by destination and safety
    dead: int = 0  #: dead letters that say now that they may have been replayed
    operations: int = 0  #: bulk operations that are paused
    after: str = _FROM_THE_START
    done: bool = False

    def as_state(self) -> dict[str, Any]:
        fates = {"|".join(key): number for key, number in self.fates.items()}
        return {"since": text_of(self.since), "fates": fates, "dead": self.dead, "operations": self.operations,
                "after": self.after, "done": self.done}  # fmt: skip

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Account:
        keys = {tuple(key.split("|")): number for key, number in state["fates"].items()}
        fates = Counter({(place, ReplaySafety(safety), Fate(fate)): n for (place, safety, fate), n in keys.items()})
        since = datetime.fromisoformat(state["since"])
        return cls(since=since, fates=fates, dead=state["dead"], operations=state["operations"],
                   after=state["after"], done=state["done"])  # fmt: skip


def begin(connection: Connection, terms: Terms) -> Account:
    """Where this restore stands. Raises WrongState while a hub runs, or when another restore is half done."""
    jobs.ensure(connection, {NAME: timedelta(0)})
    _refuse_while_running(connection, terms)
    state = _locked(connection)
    known = Account.of_state(state) if state else None
    if known is not None and not known.done and known.since != terms.since:
        raise WrongState(f"A restore is half done; finish it first with --since {text_of(known.since)}.")
    if known is not None and known.since == terms.since:
        return known
    account = Account(since=terms.since)
    jobs.keep_state(connection, NAME, account.as_state())
    return account


def batch(connection: Connection, terms: Terms) -> Account:
    """Sort out the next steps, in a transaction of their own; `done` once the last one and all the rest is."""
    _refuse_while_running(connection, terms)
    account = Account.of_state(_locked(connection))
    if account.done:
        return account
    found = _next(connection, account, terms)
    if found:
        _sort_out(connection, found, terms)
    else:
        account.operations = _stop_operations(connection, terms)
        _void_leases(connection, terms)
        _jump_feed(connection)
        account.done = True
        audit.record(connection, actor=terms.actor, verb="restore", subject=f"since {text_of(terms.since)}",
                     reason=terms.reason, detail=_told(account))  # fmt: skip
    jobs.keep_state(connection, NAME, account.as_state())
    return account


def survey(connection: Connection, terms: Terms) -> Account:
    """What a restore would do, without doing it."""
    account = Account(since=terms.since)
    while _next(connection, account, terms):
        continue
    account.operations = len(connection.execute(_running()).all())
    return account


def _locked(connection: Connection) -> dict[str, Any]:
    state = jobs.lock_state(connection, NAME)
    if state is None:
        raise WrongState("Another `hub restore` is at work on this database; wait for it.")
    return state


def _running() -> Any:
    row = tables.operation.c
    return sa.select(row.id).where(row.state == OperationState.RUNNING.value)


def unfinished(connection: Connection) -> datetime | None:
    """Since when a restore was begun that is not finished: until it is, nothing may be sent."""
    state = connection.execute(sa.select(_JOB.state).where(_JOB.name == NAME)).scalar_one_or_none()
    return None if not state or state["done"] else datetime.fromisoformat(state["since"])


def newest(connection: Connection) -> datetime | None:
    """When the newest submission of this database was accepted."""
    query = sa.select(_SUB.accepted_at).order_by(_SUB.id.desc()).limit(1)
    return connection.execute(query).scalar_one_or_none()


def _refuse_while_running(connection: Connection, terms: Terms) -> None:
    if not terms.sole and workers.living(connection, silence=terms.silence):
        seconds = int(terms.silence.total_seconds())
        raise WrongState(
            f"A worker was heard of within the last {seconds} s. Stop every process of the hub first; "
            f"if all are stopped, wait {seconds} s and say it again."
        )


def _steps(connection: Connection, after: str) -> Sequence[Any]:
    """Everything that may have moved since the backup, in the order of its ids."""
    moved = (StepState.QUEUED.value, StepState.SENDING.value, StepState.UNCLEAR.value, StepState.DEAD.value)
    query = (
        sa.select(
            _STEP.id, _STEP.delivery, _STEP.submission, _STEP.kind, _STEP.position, _STEP.state, _STEP.due_at,
            _STEP.lease_token, _STEP.reason, _DEL.council, _DEL.destination, _DEL.route, _SUB.front_end,
        )
        .join(tables.delivery, _DEL.id == _STEP.delivery)
        .join(tables.submission, _SUB.id == _STEP.submission)
        .where(_STEP.id > after, _STEP.state.in_(moved))
        .order_by(_STEP.id)
        .limit(BATCH)
    )  # fmt: skip
    return connection.execute(query).all()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A step as the backup has it."""

    step: Any
    safety: ReplaySafety
    attempts: Sequence[Any]  #: those that were under way
    taken: bool  #: its product had said that it has it

    @property
    def may_have_gone(self) -> bool:
        return self.step.state in (StepState.QUEUED.value, StepState.SENDING.value)

    @property
    def was_away(self) -> bool:
        return bool(self.step.state == StepState.SENDING.value)

    @property
    def is_dead(self) -> bool:
        return bool(self.step.state == StepState.DEAD.value)

    @property
    def is_looked_for(self) -> bool:
        return self.step.state == StepState.UNCLEAR.value and self.step.due_at is not None

    @property
    def fate(self) -> Fate:
        return Fate.STAYS if self.taken else fate_of(StepKind(self.step.kind), self.safety)


def _next(connection: Connection, account: Account, terms: Terms) -> list[_Found]:
    """The next steps, counted."""
    steps = _steps(connection, account.after)
    attempts: dict[str, list[Any]] = {}
    for one in rows.open_attempts(connection, [step.id for step in steps]):
        attempts.setdefault(one.step, []).append(one)
    found = [_found(step, attempts.get(step.id, []), terms) for step in steps]
    for each in found:
        if each.may_have_gone:
            account.fates[each.step.destination, each.safety, each.fate] += 1
        account.dead += each.is_dead
        account.after = each.step.id
    return found


def _found(step: Any, attempts: Sequence[Any], terms: Terms) -> _Found:
    safety = terms.safety_of(step.council, step.route, StepKind(step.kind))
    return _Found(step=step, safety=safety, attempts=attempts, taken=rows.took(attempts, step))


def _sort_out(connection: Connection, found: Sequence[_Found], terms: Terms) -> None:
    now = database_now(connection)
    rows.leave_to_recovery(connection, [each.step for each in found if each.taken], now=now)
    over = [one for each in found if not each.taken for one in each.attempts]
    rows.end_attempts(connection, over, code=CODE, now=now)
    going = [each for each in found if each.may_have_gone and not each.taken]
    rows.requeue(connection, [each.step for each in going if each.was_away and each.fate is Fate.STAYS], now=now)
    rows.note(connection, [(each.step, note_of(terms.since, each.step.reason)) for each in found if each.is_dead])
    looked_for = [each.step for each in found if each.is_looked_for]
    rows.look_anew(connection, [(step, now + terms.settle_of(step.destination)) for step in looked_for], now=now)
    _doubt(connection, [each for each in going if each.fate is not Fate.STAYS], terms, now=now)


def note_of(since: datetime, before: str | None) -> str:
    """What a dead letter says from now on; a note of an earlier restore gives way."""
    note = f"{_NOTE} {_when(since)}: may have been replayed since; look before you replay."
    return note if before is None or before.startswith(_NOTE) else f"{note} {before}"


def _when(since: datetime) -> str:
    return since.astimezone(LONDON).strftime("%Y-%m-%d %H:%M")


_NOTE: Final = "Restored from a backup of"


def _doubt(connection: Connection, doubtful: Sequence[_Found], terms: Terms, *, now: datetime) -> None:
    """Nobody knows whether these were taken since."""
    rows.make_unclear(connection, [_doubtful(each, terms, now=now) for each in doubtful], now=now)
    # Without an attempt nothing would tell why it is unclear, nor since when.
    attempts = [_attempt(each, terms, now=now) for each in doubtful if not each.attempts]
    if attempts:
        connection.execute(sa.insert(tables.attempt), attempts)
    events.INSERT.run(connection, [_event(each.step, terms, now=now) for each in doubtful])
    same = Counter((each.step.destination, f"{each.step.route} {each.step.kind}") for each in doubtful)
    for (destination, operation), number in sorted(same.items()):
        facts = _facts(destination, operation)
        groups.record(
            connection, fingerprint=fingerprint.fingerprint(**facts), destination=destination,
            title=fingerprint.title(**facts), fault_code=CODE, count=number,
        )  # fmt: skip


def _doubtful(each: _Found, terms: Terms, *, now: datetime) -> dict[str, Any]:
    step, looked_up = each.step, each.fate is Fate.LOOKED_UP
    facts = _facts(step.destination, f"{step.route} {step.kind}")
    return {
        "step": step.id,
        # What is there is found at once. A call that was under way when the hub ended may still be taken.
        "due": now if looked_up else None,
        "settled": now + terms.settle_of(step.destination) if looked_up else None,
        "print": fingerprint.fingerprint(**facts),
    }


def _facts(destination: str, operation: str) -> dict[str, str]:
    return {"destination": destination, "operation": operation, "outcome": Outcome.UNCLEAR.value, "fault_code": CODE}


def _attempt(each: _Found, terms: Terms, *, now: datetime) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "step": each.step.id,
        "delivery": each.step.delivery,
        "trigger": Trigger.RESOLVER.value,
        "actor": terms.actor,
        "lease_token": each.step.lease_token + 1,
        "phase": Phase.ANSWERED.value,
        "replay_safety": each.safety.value,
        "mapping_generation": terms.generation,
        "outcome": Outcome.UNCLEAR.value,
        "fault_code": CODE,
        "started_at": terms.since,
        "ended_at": now,
    }


def _event(row: Any, terms: Terms, *, now: datetime) -> dict[str, Any]:
    return events.row(
        event_id=uuid7(),
        at=now,
        kind=events.UNCLEAR if row.kind == StepKind.CREATE.value else events.ISSUE,
        council=row.council,
        front_end=row.front_end,
        submission=row.submission,
        delivery=row.delivery,
        actor=terms.actor,
        detail={"fault_code": CODE},
    )


def _stop_operations(connection: Connection, terms: Terms) -> int:
    """A bulk operation may have gone on since; it goes on again when a person has looked."""
    operation = tables.operation.c
    running = list(connection.execute(_running()).scalars())
    why = (
        f"{_NOTE} {_when(terms.since)}, and it may have gone on since. Look what became of its items, "
        "then resume it or cancel it."
    )
    for one in running:
        stopped = {"state": OperationState.PAUSED.value, "why": why}
        connection.execute(sa.update(tables.operation).where(operation.id == one).values(**stopped))
        audit.record(connection, actor=terms.actor, verb="operation_paused", subject=one, reason=why)
    return len(running)


def _void_leases(connection: Connection, terms: Terms) -> None:
    free = {"lease_until": None, "worker": None, "lease_token": _JOB.lease_token + 1}
    connection.execute(sa.update(tables.job).where(_JOB.name != NAME, _JOB.lease_until.is_not(None)).values(**free))
    # The processes that the backup knew of are gone.
    workers.bury(connection, silence=timedelta(0) if terms.sole else terms.silence)


def _jump_feed(connection: Connection) -> None:
    state = jobs.lock_state(connection, sequencer.NAME)
    if state:
        jobs.keep_state(connection, sequencer.NAME, state | {"seq": int(state.get("seq", 0)) + _FEED_GAP})


def _told(account: Account) -> dict[str, int]:
    told = Counter[str]()
    for (_, _, fate), number in account.fates.items():
        told[fate.value] += number
    return {**told, "dead": account.dead, "operations": account.operations}
