"""What is forgotten: contents with all that was said and sent along, evidence and keys, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.retention import AGAIN, FINAL, Fate, Keep, fate_of_content, final_since
from hub.model import DeliveryKind, StepState
from hub.store import attachments, jobs, tables
from hub.store.columns import Id, Instant
from hub.store.engine import database_now, is_sqlite
from hub.store.hot import Hot
from hub.store.ids import first_id

NAME: Final = "retention"
BATCH: Final = 200

#: What is younger is looked at again next time: its transaction may not have been committed when we passed by.
_STRAGGLERS: Final = timedelta(hours=1)
_FROM_THE_START: Final = "00000000-0000-0000-0000-000000000000"
_MOST = 1_000_000  #: keys that a dry run counts

_CONTENT = tables.submission_content.c
_ATTR = tables.submission_attr.c
_ATTEMPT = tables.attempt.c
_STEP = tables.step.c
_DEL = tables.delivery.c
_SUB = tables.submission.c
_KEY = tables.idempotency.c
_RECEIVED = tables.received.c
_FINAL: Final = sorted(state.value for state in FINAL)


class Stage(StrEnum):
    """What a run does, one after the other."""

    EVIDENCE = "evidence"  #: attempts that are old enough, in the order they were made
    CONTENT = "content"  #: submissions that are old enough, in the order they were made
    AGAIN = "again"  #: submissions that were spared before, and are to be looked at again by now
    RECEIVED = "received"  #: bodies that never became a submission, and were set aside
    KEYS = "keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """How much of each."""

    contents: int = 0
    evidence: int = 0
    keys: int = 0
    files: int = 0  #: of forgotten contents, and those that nothing ever named
    received: int = 0

    def __add__(self, other: Forgotten) -> Forgotten:
        return Forgotten(
            contents=self.contents + other.contents,
            evidence=self.evidence + other.evidence,
            keys=self.keys + other.keys,
            files=self.files + other.files,
            received=self.received + other.received,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One short transaction's work. `after` is where the next begins; None when the stage is over."""

    forgotten: Forgotten
    after: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run goes by. `between` is called between the two halves of each batch's work."""

    keep: Keep
    now: datetime
    starts: Mapping[str, str]
    dry: bool
    between: Callable[[], None]

    def start_of(self, stage: Stage) -> Any:
        return (None, _FROM_THE_START) if stage is Stage.AGAIN else self.starts.get(stage, _FROM_THE_START)


def begin(connection: Connection, *, keep: Keep, dry: bool, between: Callable[[], None]) -> Run:
    """Where the runs before came to, and what time it is."""
    row = connection.execute(sa.select(tables.job.c.state).where(tables.job.c.name == NAME)).one_or_none()
    starts = dict(row.state or {}) if row is not None else {}
    return Run(keep=keep, now=database_now(connection), starts=starts, dry=dry, between=between)


def batch(connection: Connection, stage: Stage, after: Any, *, run: Run) -> Batch | None:
    """The next batch of a stage. None when another run is at it this very moment.

    Whatever dies in the middle of it, nothing of it is done, and the next run does it.
    """
    state = {} if run.dry else jobs.lock_state(connection, NAME)
    if state is None:
        return None
    done = _STAGES[stage](connection, after, run)
    if not run.dry and stage in (Stage.EVIDENCE, Stage.CONTENT):
        reached = done.after if done.after is not None else _end_of(stage, run)
        kept = max(state.get(stage, _FROM_THE_START), min(reached, first_id(run.now - _STRAGGLERS)))
        jobs.keep_state(connection, NAME, state | {stage.value: kept})
    return done


def _end_of(stage: Stage, run: Run) -> str:
    """No id of this age or less is old enough."""
    return first_id(run.now - (run.keep.evidence if stage is Stage.EVIDENCE else run.keep.content))


def _evidence(connection: Connection, after: str, run: Run) -> Batch:
    query = (
        sa.select(_ATTEMPT.id, _STEP.state, _STEP.submission)
        .join(tables.step, _STEP.id == _ATTEMPT.step)
        .where(_ATTEMPT.id > after, _ATTEMPT.id < _end_of(Stage.EVIDENCE, run), _ATTEMPT.evidence.is_not(None))
        .order_by(_ATTEMPT.id)
        .limit(BATCH)
    )
    rows = connection.execute(query).all()
    gone = [row.id for row in rows if row.state in _FINAL]
    if not run.dry and rows:
        _clear_evidence(connection, _ATTEMPT.id.in_(gone))
        run.between()
        # Nobody comes by this attempt again: its submission remembers that it has to be looked at.
        _look_at(connection, {row.submission for row in rows if row.state not in _FINAL}, at=run.now + AGAIN)
    return Batch(forgotten=Forgotten(evidence=len(gone)), after=rows[-1].id if len(rows) == BATCH else None)


def _content(connection: Connection, after: str, run: Run) -> Batch:
    query = (
        sa.select(_CONTENT.submission)
        .distinct()
        .where(
            _CONTENT.submission > after, _CONTENT.submission < _end_of(Stage.CONTENT, run), _CONTENT.body.is_not(None)
        )
        .order_by(_CONTENT.submission)
        .limit(BATCH)
    )
    found = list(connection.execute(query).scalars())
    gone = _visit(connection, found, run)
    return Batch(forgotten=Forgotten(contents=gone), after=found[-1] if len(found) == BATCH else None)


def _again(connection: Connection, after: tuple[datetime | None, str], run: Run) -> Batch:
    looked, last = after
    query = (
        sa.select(_CONTENT.submission, _CONTENT.expires_at)
        .where(_CONTENT.expires_at.is_not(None), _CONTENT.expires_at <= run.now)
        .order_by(_CONTENT.expires_at, _CONTENT.submission)
        .limit(BATCH)
    )
    if looked is not None:
        further = sa.or_(_CONTENT.expires_at > looked, _CONTENT.submission > last)
        query = query.where(_CONTENT.expires_at >= looked, further)
    rows = connection.execute(query).all()
    found = list(dict.fromkeys(row.submission for row in rows))  # one may have several revisions
    contents = _visit(connection, found, run)
    evidence = _evidence_of(connection, found, run)
    following = (rows[-1].expires_at, rows[-1].submission) if len(rows) == BATCH else None
    return Batch(forgotten=Forgotten(contents=contents, evidence=evidence), after=following)


def _keys(connection: Connection, after: str, run: Run) -> Batch:
    expired = (
        sa.select(_KEY.front_end, _KEY.scope, _KEY.key_hash)
        .where(_KEY.expires_at.is_not(None), _KEY.expires_at <= run.now)
        .order_by(_KEY.expires_at)
    )
    if run.dry:
        some = expired.order_by(None).limit(_MOST).subquery()
        counted = int(connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one())
        return Batch(forgotten=Forgotten(keys=counted))
    # Whoever repeats such a key this very moment takes it over: neither waits for the other.
    query = expired.limit(BATCH) if is_sqlite(connection) else expired.limit(BATCH).with_for_update(skip_locked=True)
    found = [tuple(row) for row in connection.execute(query)]
    if found:
        key = sa.tuple_(_KEY.front_end, _KEY.scope, _KEY.key_hash)
        connection.execute(sa.delete(tables.idempotency).where(key.in_(found), _KEY.expires_at <= run.now))
    return Batch(forgotten=Forgotten(keys=len(found)), after=after if len(found) == BATCH else None)


def _received(connection: Connection, after: str, run: Run) -> Batch:
    """One that is parked has no such day: a person's work is not forgotten."""
    over = _RECEIVED.expires_at.is_not(None), _RECEIVED.expires_at <= run.now, _RECEIVED.body.is_not(None)
    query = sa.select(_RECEIVED.id).where(_RECEIVED.id > after, *over).order_by(_RECEIVED.id).limit(BATCH)
    found = list(connection.execute(query).scalars())
    if not run.dry:
        connection.execute(
            sa.update(tables.received).where(_RECEIVED.id.in_(found), *over).values(body=None, expires_at=None)
        )
    return Batch(forgotten=Forgotten(received=len(found)), after=found[-1] if len(found) == BATCH else None)


_STAGES: Mapping[Stage, Callable[[Connection, Any, Run], Batch]] = {
    Stage.EVIDENCE: _evidence,
    Stage.CONTENT: _content,
    Stage.AGAIN: _again,
    Stage.RECEIVED: _received,
    Stage.KEYS: _keys,
}

_LOOK_AT = Hot.update(
    tables.submission_content,
    {"submission": Id, "at": Instant()},
    where=lambda given: (_CONTENT.submission == given.submission,),
    values=lambda given: {"expires_at": given.at},
)


def _visit(connection: Connection, submissions: Sequence[str], run: Run) -> int:
    """Forget the contents of those that are over for long enough; say when to look at the others again."""
    fates = _fates(connection, submissions, run)
    gone = [submission for submission, fate in fates.items() if fate.forget]
    if run.dry or not fates:
        return len(gone)
    connection.execute(
        sa.update(tables.submission_content).where(_CONTENT.submission.in_(gone)).values(body=None, expires_at=None)
    )
    run.between()
    connection.execute(sa.delete(tables.submission_attr).where(_ATTR.submission.in_(gone)))
    _forget_with(connection, gone, run)
    _LOOK_AT.run(
        connection,
        [{"submission": submission, "at": fate.look_at} for submission, fate in fates.items() if not fate.forget],
    )
    return len(gone)


def _forget_with(connection: Connection, gone: Sequence[str], run: Run) -> None:
    """The body as it came, what was said afterwards, and the names of files; their bytes follow."""
    said = tables.follow_up.c
    # A form has the id of the submission that it became.
    connection.execute(sa.update(tables.received).where(_RECEIVED.id.in_(gone)).values(body=None, expires_at=None))
    connection.execute(sa.update(tables.follow_up).where(said.submission.in_(gone)).values(body=None))
    attachments.let_go(connection, gone, now=run.now)


def _fates(connection: Connection, submissions: Sequence[str], run: Run) -> dict[str, Fate]:
    steps: dict[str, list[tuple[StepState, datetime]]] = {}
    asked = sa.select(_SUB.id, _SUB.discarded_at, _SUB.faults).where(_SUB.id.in_(submissions))
    rows = connection.execute(asked).all()
    query = (
        sa.select(_DEL.submission, _STEP.state, _STEP.updated_at)
        .join(tables.step, _STEP.delivery == _DEL.id)
        .where(_DEL.submission.in_(submissions), _DEL.kind != DeliveryKind.NOTICE.value)
    )
    for row in connection.execute(query):
        steps.setdefault(row.submission, []).append((StepState(row.state), row.updated_at))
    return {
        row.id: fate_of_content(
            final_since(steps.get(row.id, ()), set_aside_at=row.discarded_at, routed=row.faults is None),
            keep=run.keep,
            now=run.now,
        )
        for row in rows
    }


def _evidence_of(connection: Connection, submissions: Sequence[str], run: Run) -> int:
    """The old evidence of these submissions' finished steps, which was spared while they were not finished."""
    finished = (
        sa.select(_STEP.id)
        .join(tables.delivery, _DEL.id == _STEP.delivery)
        .where(_DEL.submission.in_(submissions), _STEP.state.in_(_FINAL))
    )
    old = _ATTEMPT.step.in_(finished), _ATTEMPT.id < _end_of(Stage.EVIDENCE, run), _ATTEMPT.evidence.is_not(None)
    if run.dry:
        return len(connection.execute(sa.select(_ATTEMPT.id).where(*old)).all())
    return _clear_evidence(connection, *old)


def _clear_evidence(connection: Connection, *where: Any) -> int:
    cleared = sa.update(tables.attempt).where(*where).values(evidence=None, evidence_expires_at=None)
    return connection.execute(cleared).rowcount


def _look_at(connection: Connection, submissions: Collection[str], *, at: datetime) -> None:
    later = sa.or_(_CONTENT.expires_at.is_(None), _CONTENT.expires_at > at)
    connection.execute(
        sa.update(tables.submission_content)
        .where(_CONTENT.submission.in_(sorted(submissions)), later)
        .values(expires_at=at)
    )
