"""Steps that come after another: how they are made, promoted when it is delivered, and set aside with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.model import Lane, StepKind, StepState
from hub.store import tables
from hub.store.columns import Id, Instant
from hub.store.hot import Hot

_STEP = tables.step.c

INSERT = Hot.insert(tables.step, without=("looks", "settled_at"))
_PROMOTE = Hot.update(
    tables.step,
    {"step": Id, "now": Instant()},
    where=lambda given: (_STEP.behind == given.step,),
    # One that is unclear (after a restore) stays a person's: there is nothing to look for that would tell.
    values=lambda given: {
        "behind": None,
        "due_at": sa.case((_STEP.state == sa.literal_column("'queued'"), given.now), else_=_STEP.due_at),
        "updated_at": given.now,
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterStep:
    """A step of the same delivery that follows its create."""

    id: str
    kind: StepKind
    call: str | None
    attachment: str | None = None


def later_rows(
    steps: Iterable[LaterStep], *, create: str, delivery: str, submission: str, destination: str, order_key: str,
    now: datetime, first: int = 1, due: datetime | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Rows for the steps of one delivery, behind its create unless they are `due` at once."""
    return [
        {
            "id": step.id,
            "delivery": delivery,
            "submission": submission,
            "destination": destination,
            "order_key": order_key,
            "position": first + at,
            "kind": step.kind.value,
            "attachment": step.attachment,
            "call": step.call,
            "state": StepState.QUEUED.value,
            "lane": Lane.FOLLOW_UP.value,
            "due_at": due,
            "behind": create if due is None else None,
            "attempts_used": 0,
            "lease_token": 0,
            "updated_at": now,
        }
        for at, step in enumerate(steps)
    ]


def promote(connection: Connection, delivered: Sequence[str], *, now: datetime) -> None:
    """What waited for these steps may go."""
    _PROMOTE.run(connection, [{"step": step, "now": now} for step in delivered])


def wait_for_number(connection: Connection, create: str, *, number: str) -> None:
    """The case is there and its number is not: what waited for the case needs the number to name it by."""
    connection.execute(sa.update(tables.step).where(_STEP.behind == create).values(behind=number))


def discard_behind(
    connection: Connection, step: str, *, reason: str, now: datetime, ahead: str | None = None
) -> list[str]:  # fmt: skip
    """Set aside all that waits behind this step, and behind that in turn; the deliveries whose create was among it.

    What waits behind a follow-up goes on without it, behind what that waited for (`ahead`): each says something
    of its own.
    """
    kind = connection.execute(sa.select(_STEP.kind).where(_STEP.id == step)).scalar_one()
    if kind in (StepKind.UPDATE.value, StepKind.CANCEL.value):
        if ahead is None:
            promote(connection, [step], now=now)
        else:
            connection.execute(sa.update(tables.step).where(_STEP.behind == step).values(behind=ahead))
        return []
    gone: list[str] = []
    heads = [step]
    while heads:
        rows = connection.execute(sa.select(_STEP.id, _STEP.delivery, _STEP.position).where(_STEP.behind.in_(heads)))
        found = rows.all()
        heads = [row.id for row in found]
        if heads:
            values = {"state": StepState.DISCARDED.value, "due_at": None, "behind": None, "reason": reason}
            connection.execute(sa.update(tables.step).where(_STEP.id.in_(heads)).values(**values, updated_at=now))
        gone += [row.delivery for row in found if row.position == 0]
    return gone


def unfinished_ahead(connection: Connection, step: str) -> str | None:
    """The step that this one waits for, locked, if that is not delivered or discarded."""
    ahead = tables.step.alias("ahead")
    query = (
        sa.select(ahead.c.id)
        .join(tables.step, _STEP.behind == ahead.c.id)
        .where(_STEP.id == step, ahead.c.state.not_in([StepState.DELIVERED.value, StepState.DISCARDED.value]))
        .with_for_update(of=ahead)
    )
    return connection.execute(query).scalar_one_or_none()


MAKES_THE_CASE = (StepKind.CREATE, StepKind.NUMBER)
SAYS = (*MAKES_THE_CASE, StepKind.UPDATE, StepKind.CANCEL)  #: a photo that is refused holds nobody up


def last_unfinished(
    connection: Connection, *, of_case: Sequence[Any], kinds: Sequence[StepKind] = SAYS
) -> str | None:  # fmt: skip
    """The step of these kinds that a further one of this case has to wait for, locked; None when nothing is before it.

    `of_case` says in terms of the delivery table which case it is. Locked, so
    that the one before cannot be delivered between this look and the insert of
    what is to wait for it.
    """
    query = (
        sa.select(_STEP.id)
        .join(tables.delivery, tables.delivery.c.id == _STEP.delivery)
        .where(
            *of_case,
            _STEP.kind.in_([kind.value for kind in kinds]),
            _STEP.state.not_in([StepState.DELIVERED.value, StepState.DISCARDED.value]),
        )
        # A number is asked for before whatever waits for it, and its step may be the newest of all.
        .order_by(_STEP.kind == StepKind.NUMBER.value, _STEP.id.desc())
        .with_for_update(of=tables.step)
    )
    rows = connection.execute(query).all()
    return rows[0].id if rows else None
