"""Bodies as front ends sent them in formats of their own; parked if they cannot be a submission yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.retention import AGAIN
from hub.errors import NotThere, WrongState
from hub.model import ReceivedState
from hub.store import accept, attachments, audit, events, tables
from hub.store.accept import Accept
from hub.store.ids import uuid7
from hub.store.paging import Page, after, cut

_ROW = tables.received.c
_WITHOUT_BODY = [column for column in tables.received.c if column.name != "body"]


def place(id: str) -> str:
    """What a body is sealed for: it opens nowhere else."""
    return f"received|{id}|1"


def page(
    connection: Connection,
    *,
    state: str | None = None,
    councils: Sequence[str] | None = None,
    format: str | None = None,
    profile: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[Any]:
    """What was received, the newest first, without the bodies."""
    query = sa.select(*_WITHOUT_BODY).order_by(_ROW.id.desc()).limit(limit + 1)
    if state is not None:
        query = query.where(_ROW.state == state)
    if councils is not None:
        query = query.where(_ROW.council.in_(councils))
    if format is not None:
        query = query.where(_ROW.format == format)
    if profile is not None:
        query = query.where(_ROW.profile == profile)
    if cursor is not None:
        query = query.where(_ROW.id < after(cursor))
    rows, following = cut(connection.execute(query).all(), limit)
    return Page(items=rows, next=following)


def get(connection: Connection, id: str) -> Any:
    """One of them, without its body. Raises NotThere."""
    row = connection.execute(sa.select(*_WITHOUT_BODY).where(_ROW.id == id)).one_or_none()
    if row is None:
        raise NotThere("Nothing was received under that id; `hub received list` shows what was.")
    return row


def named(connection: Connection, reference: str) -> str:
    """The id of one, by the reference that its sender was told. Raises NotThere."""
    found: str | None = connection.execute(sa.select(_ROW.id).where(_ROW.reference == reference)).scalar_one_or_none()
    if found is None:
        raise NotThere("Nothing was received under that reference; `hub received list` shows what was.")
    return found


def with_body(connection: Connection, id: str) -> Any:
    """One of them with its sealed body, which is None once it is forgotten. Raises NotThere."""
    row = connection.execute(sa.select(tables.received).where(_ROW.id == id)).one_or_none()
    if row is None:
        raise NotThere("Nothing was received under that id; `hub received list` shows what was.")
    return row


def locked(connection: Connection, id: str) -> Any:
    """The same, and nobody else does anything with it before this transaction ends. Raises NotThere."""
    row = connection.execute(sa.select(tables.received).where(_ROW.id == id).with_for_update()).one_or_none()
    if row is None:
        raise NotThere("Nothing was received under that id; `hub received list` shows what was.")
    return row


def put(connection: Connection, id: str, *, body: bytes) -> None:
    """Another sealed body in place of the one that is there."""
    connection.execute(sa.update(tables.received).where(_ROW.id == id).values(body=body))


def waiting(connection: Connection, name: str, *, front_end: str | None = None) -> Any:
    """One that is no submission (yet), by the id or reference that its front end knows. None where there is none."""
    query = sa.select(*_WITHOUT_BODY).where(_ROW.state != ReceivedState.MAPPED.value)
    query = query.where(_ROW.id == name) if len(name) == 36 else query.where(_ROW.reference == name.upper())
    if front_end is not None:
        query = query.where(_ROW.front_end == front_end)
    return connection.execute(query).one_or_none()


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who does something with a body that was received, when, and why."""

    actor: str
    at: datetime
    reason: str | None = None


def mend(connection: Connection, thought: Accept, *, act: Act) -> None:
    """It is a submission now: with the id and reference that its front end was told. Raises WrongState."""
    _leave(connection, thought.id, to=ReceivedState.MAPPED, why=None)
    # Retention has passed by ids of this age, so the content says itself when it is to be looked at.
    accept.insert(connection, [replace(thought, expires_at=act.at + AGAIN)])
    _audit(connection, thought.id, thought.council, "received.replay", act, {"state": ReceivedState.MAPPED.value})


def park(connection: Connection, id: str, *, council: str, why: str, act: Act) -> None:
    """It cannot be one yet, and this is why. Raises WrongState."""
    _leave(connection, id, to=ReceivedState.PARKED, why=why)
    _audit(connection, id, council, "received.replay", act, {"state": ReceivedState.PARKED.value})


def discard(connection: Connection, id: str, *, act: Act, expires_at: datetime, files: Sequence[str]) -> None:
    """It is set aside, with a reason, and forgotten at `expires_at`; its `files` at once.

    Raises NotThere, and WrongState for one that is not parked.
    """
    row = locked(connection, id)
    if row.state != ReceivedState.PARKED.value:
        raise WrongState(_UNFIT[ReceivedState(row.state)])
    _leave(connection, id, to=ReceivedState.DISCARDED, why=row.why, expires_at=expires_at)
    if files:
        attachments.release(connection, files, front_end=row.front_end)
    told = events.row(
        event_id=uuid7(), at=act.at, kind=events.DISCARDED, council=row.council, front_end=row.front_end,
        submission=id, actor=act.actor,
    )  # fmt: skip
    events.INSERT.run(connection, [told])
    _audit(connection, id, row.council, "received.discard", act, None)


_UNFIT = {
    ReceivedState.MAPPED: "It is a submission already; replay its deliveries (`hub deliveries replay`).",
    ReceivedState.DISCARDED: "It is discarded already; `hub received replay` brings it back.",
    ReceivedState.PARKED: "Somebody else has just done something with it; look at it again.",
}


def _leave(
    connection: Connection, id: str, *, to: ReceivedState, why: str | None, expires_at: datetime | None = None
) -> None:
    """From parked or discarded to another state; whoever comes second finds it gone from there."""
    waits = _ROW.state.in_((ReceivedState.PARKED.value, ReceivedState.DISCARDED.value))
    becomes = {"state": to.value, "why": why, "expires_at": expires_at}
    if connection.execute(sa.update(tables.received).where(_ROW.id == id, waits).values(becomes)).rowcount == 0:
        raise WrongState(_UNFIT[ReceivedState.MAPPED])


def _audit(connection: Connection, id: str, council: str, verb: str, act: Act, detail: dict[str, Any] | None) -> None:
    audit.record(connection, actor=act.actor, verb=verb, subject=id, council=council, reason=act.reason, detail=detail)
