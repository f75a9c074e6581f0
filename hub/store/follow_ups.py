"""What is said of a case afterwards: one delivery to every destination that has it, in order and after the create."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.retention import AGAIN
from hub.errors import Conflict, KeyReused, NotThere
from hub.model import DeliveryKind, Lane, StepKind, StepState
from hub.store import attachments, events, tables
from hub.store.accept import IdempotencyKey
from hub.store.attachments import Claim, NewFile
from hub.store.cases import same_case
from hub.store.engine import database_now
from hub.store.ids import uuid7
from hub.store.steps import MAKES_THE_CASE, last_unfinished

_DEL = tables.delivery.c
_STEP = tables.step.c
_SUB = tables.submission.c
_KEY = tables.idempotency.c
_CONTENT = tables.submission_content.c

#: What a step asks its connector for, by route name and kind; None where the council files say nothing of it.
Calls = Callable[[str, StepKind], str | None]

_BY_HAND = "its case was set aside, so nothing is sent; tell the council by hand, or discard this"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a follow-up asks of a system: `kind` is the verb that carries what it says; `ATTACH` brings files alone."""

    kind: StepKind
    files: Sequence[str] = ()  #: each becomes a step of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp(Words):
    """A follow-up as it comes: `body` is sealed for `place(id)`."""

    id: str
    submission: str
    front_end: str
    body: bytes
    told: str = ""  #: what its front end calls it: comment, cancel, evidence
    new: Sequence[NewFile] = ()  #: those of them that came inside it
    claims: Sequence[Claim] = ()  #: those that were uploaded before
    idempotency: IdempotencyKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of it: new, or the first result of the same key (`replayed`)."""

    id: str
    deliveries: Sequence[str] = ()
    destinations: Sequence[str] = ()  #: that have something to do now, or later
    replayed: bool = False


def place(follow_up: str) -> str:
    """What its body is sealed for."""
    return f"follow_up|{follow_up}|1"


def add(connection: Connection, new: FollowUp, *, call_of: Calls | None = None) -> Added:
    """Write it down with its deliveries, all or nothing.

    Where every system has set the case aside its deliveries are dead letters
    at once, for a person to tell the council; where no system was ever to have
    it, the submission itself is a person's again. Raises KeyReused, Conflict,
    NotThere, and Invalid for a file that it cannot have.
    """
    now = database_now(connection)
    # Locked: two that come at once are one after the other, and so are their numbers.
    about = connection.execute(
        sa.select(tables.submission).where(_SUB.id == new.submission).with_for_update()
    ).one_or_none()
    if about is None:
        raise NotThere
    if (first := _said_before(connection, new, now=now)) is not None:
        return first
    connection.execute(
        sa.insert(tables.follow_up).values(
            id=new.id, submission=new.submission, kind=new.told or new.kind.value, body=new.body,
            front_end=new.front_end, received_at=now,
        )
    )  # fmt: skip
    if new.new:
        attachments.add(connection, new.new, front_end=new.front_end, submission=new.submission)
    if new.claims:
        attachments.claim(connection, new.claims)
    cases = _cases(connection, new.submission)
    living = [case for case in cases if case.state != StepState.DISCARDED.value]
    made = [
        _deliver(connection, new, case, of=new.id, now=now, dead=not living, call_of=call_of or _nothing_said)
        for case in living or cases
    ]
    if not cases:
        connection.execute(sa.update(tables.submission).where(_SUB.id == new.submission).values(discarded_at=None))
    _forget_in_time(connection, new.submission, now=now)
    events.INSERT.run(connection, [_event(new, about, now=now)])
    return Added(id=new.id, deliveries=made, destinations=sorted({case.destination for case in living}))


def catch_up(
    connection: Connection, submission: str, *, cases: Sequence[str], said: Callable[[Any], Words], call_of: Calls
) -> None:
    """What was said of a submission before these cases of it were there follows them, in the order it was said.

    `said` reads a row of follow_up; one that is forgotten already stays a person's.
    """
    now, row = database_now(connection), tables.follow_up.c
    query = sa.select(tables.follow_up).where(row.submission == submission, row.body.is_not(None))
    earlier = connection.execute(query.order_by(row.received_at, row.id)).all()
    new = [case for case in _cases(connection, submission) if case.id in cases] if earlier else []
    for each in earlier:
        for case in new:
            _deliver(connection, said(each), case, of=each.id, now=now, dead=False, call_of=call_of)


def for_sending(connection: Connection, delivery: str) -> Any:
    """The follow-up of a delivery (`id`, sealed `body`) and both references of its case, as they are now."""
    row, case = tables.follow_up.c, tables.delivery.alias("the_case")
    query = (
        sa.select(row.id, row.body, case.c.their_reference, case.c.our_reference)
        .select_from(tables.delivery)
        .join(tables.follow_up, _DEL.follow_up == row.id)
        .join(case, sa.and_(case.c.kind == DeliveryKind.CASE.value, *same_case(case.c, _DEL)))
        .where(_DEL.id == delivery)
    )
    return connection.execute(query).one()


def _nothing_said(_route: str, _kind: StepKind) -> str | None:
    return None


def _said_before(connection: Connection, new: FollowUp, *, now: datetime) -> Added | None:
    """What an earlier one of the same key became. None where there was none; its key is then kept."""
    key = new.idempotency
    if key is None:
        return None
    same = _KEY.front_end == new.front_end, _KEY.scope == key.scope, _KEY.key_hash == key.key_hash
    row = connection.execute(sa.select(tables.idempotency).where(*same)).one_or_none()
    if row is not None and row.expires_at is not None and row.expires_at <= now:
        connection.execute(sa.delete(tables.idempotency).where(*same))
        row = None
    if row is not None:
        if bytes(row.fingerprint) != key.fingerprint or row.follow_up is None:
            raise KeyReused
        made = connection.execute(sa.select(_DEL.id).where(_DEL.follow_up == row.follow_up).order_by(_DEL.id))
        return Added(id=row.follow_up, deliveries=list(made.scalars()), replayed=True)
    try:
        with connection.begin_nested():
            connection.execute(
                sa.insert(tables.idempotency).values(
                    front_end=new.front_end, scope=key.scope, key_hash=key.key_hash, submission=new.submission,
                    follow_up=new.id, fingerprint=key.fingerprint, expires_at=key.expires_at,
                )
            )  # fmt: skip
    except sa.exc.IntegrityError:
        raise Conflict from None  # something else has just come with this key: a repeat hears of it
    return None


def _cases(connection: Connection, submission: str) -> Sequence[Any]:
    query = (
        sa.select(tables.delivery, _STEP.state)
        .join(tables.step, sa.and_(_STEP.delivery == _DEL.id, _STEP.position == 0))
        .where(_DEL.submission == submission, _DEL.kind == DeliveryKind.CASE.value)
        .order_by(_DEL.id)
    )
    return connection.execute(query).all()


def _deliver(
    connection: Connection, said: Words, case: Any, *, of: str, now: datetime, dead: bool, call_of: Calls
) -> str:  # fmt: skip
    of_case = same_case(_DEL, case)
    ahead = None if dead else last_unfinished(connection, of_case=of_case)
    # Files wait for the case alone: words that a system cannot be told must not hold them up.
    there = None if dead else last_unfinished(connection, of_case=of_case, kinds=MAKES_THE_CASE)
    before = sa.select(sa.func.count()).where(
        _DEL.order_key == case.order_key, _DEL.destination == case.destination,
        _DEL.kind == DeliveryKind.FOLLOW_UP.value,
    )  # fmt: skip
    number = connection.execute(before).scalar_one() + 1
    made = uuid7()
    connection.execute(
        sa.insert(tables.delivery).values(
            id=made, submission=case.submission, follow_up=of, kind=DeliveryKind.FOLLOW_UP.value,
            council=case.council, service=case.service, destination=case.destination, route=case.route,
            order_key=case.order_key, item_index=case.item_index, generation=case.generation,
            our_reference=f"{case.our_reference[:9]}-u{number}", joined=False, created_at=now,
        )
    )  # fmt: skip
    steps: list[tuple[StepKind, str | None]] = [] if said.kind is StepKind.ATTACH else [(said.kind, None)]
    steps += [(StepKind.ATTACH, file) for file in said.files]
    common = {
        "delivery": made, "submission": case.submission, "destination": case.destination, "order_key": case.order_key,
        "state": (StepState.DEAD if dead else StepState.QUEUED).value, "lane": Lane.FOLLOW_UP.value,
        "attempts_used": 0, "lease_token": 0, "updated_at": now, "reason": _BY_HAND if dead else None,
    }  # fmt: skip
    rows = []
    for at, (kind, file) in enumerate(steps):
        behind = there if kind is StepKind.ATTACH else ahead
        rows.append(
            {**common, "id": uuid7(), "position": at, "kind": kind.value, "attachment": file, "behind": behind,
             "due_at": None if dead or behind else now, "call": call_of(case.route, kind)}
        )  # fmt: skip
    connection.execute(sa.insert(tables.step), rows)
    return made


def _forget_in_time(connection: Connection, submission: str, *, now: datetime) -> None:
    """What was submitted may be forgotten already, and nobody would come by this: it is looked at again."""
    over = _CONTENT.submission == submission, _CONTENT.body.is_(None), _CONTENT.expires_at.is_(None)
    connection.execute(sa.update(tables.submission_content).where(*over).values(expires_at=now + AGAIN))


def _event(new: FollowUp, about: Any, *, now: datetime) -> dict[str, Any]:
    return events.row(
        event_id=uuid7(), at=now, kind=events.FOLLOW_UP, council=about.council, front_end=about.front_end,
        submission=about.id, detail={"follow_up": new.id, "kind": new.told or new.kind.value},
    )  # fmt: skip
