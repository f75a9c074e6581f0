"""The thought that keeps a body in a front end's own format, and the submission that it is, in one commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Self

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.errors import Conflict, HubError
from hub.model import ReceivedState
from hub.store import accept, attachments, events, tables
from hub.store.accept import Accept, IdempotencyKey, ReferenceTaken
from hub.store.hot import Hot


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What became of it: new, or the first result of the same key (`replayed`).

    `id` is that of the received body and of the submission that it is, or is
    to be. `differs`: the same key came with other content.
    """

    id: str
    reference: str
    council: str
    state: ReceivedState
    service: str | None = None
    why: str | None = None
    replayed: bool = False
    differs: bool = False

    @property
    def parked(self) -> bool:
        return self.state is ReceivedState.PARKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """A body that is durable when this is written, as a submission (`accept`) or parked (`why`).

    `body` is sealed already. `accept` has the same id and reference, and no
    idempotency key of its own: the key stands for the body, so that a repeat
    gets the first reference whether or not it could be mapped. Results in Kept;
    raises Conflict or ReferenceTaken.
    """

    rank: ClassVar[int] = 4

    id: str
    reference: str
    council: str
    format: str
    profile: str
    front_end: str
    received_at: datetime
    body: bytes
    idempotency: IdempotencyKey
    event_id: str
    service: str | None = None
    accept: Accept | None = None
    why: str | None = None
    attachments: Sequence[str] = ()  #: files that came along; those of a parked one wait with it

    @classmethod
    def write_all(cls, connection: Connection, thoughts: Sequence[Self]) -> list[Any]:
        results: dict[int, Kept] = {}
        known = _known(connection, thoughts)
        firsts: dict[_Key, Keep] = {}
        for index, thought in enumerate(thoughts):
            key = _key_of(thought)
            row = known.get(key)
            if row is not None:
                results[index] = _of_row(thought, row)
            elif key in firsts:
                first = firsts[key]
                differs = first.idempotency.fingerprint != thought.idempotency.fingerprint
                results[index] = replace(first.result_if_landed(), replayed=True, differs=differs)
            else:
                firsts[key] = thought
                results[index] = thought.result_if_landed()
        try:
            _insert(connection, list(firsts.values()))
        except sa.exc.IntegrityError as clash:
            # Alone in its transaction, the cause is known; in a batch the writer tries them one by one.
            if len(thoughts) == 1:
                raise _cause(clash) from None
            raise
        return [results[index] for index in range(len(thoughts))]

    @property
    def state(self) -> ReceivedState:
        return ReceivedState.PARKED if self.accept is None else ReceivedState.MAPPED

    def landed(self, connection: Connection) -> bool:
        query = sa.select(tables.received.c.id).where(tables.received.c.id == self.id)
        return connection.execute(query).first() is not None

    def result_if_landed(self) -> Kept:
        return Kept(
            id=self.id,
            reference=self.reference,
            council=self.council,
            state=self.state,
            service=self.service,
            why=self.why,
        )


_Key = tuple[str, str, bytes]
_COLUMN = tables.idempotency.c
_KEY = sa.tuple_(_COLUMN.front_end, _COLUMN.scope, _COLUMN.key_hash)


def _key_of(thought: Keep) -> _Key:
    return thought.front_end, thought.idempotency.scope, thought.idempotency.key_hash


def _known(connection: Connection, thoughts: Sequence[Keep]) -> dict[_Key, Any]:
    """What the keys of these answer already. One that ran out, or whose first body is gone, is let go."""
    key, row, made = _COLUMN, tables.received.c, tables.submission.c
    query = (
        sa.select(
            key.front_end, key.scope, key.key_hash, key.fingerprint, key.expires_at, key.submission,
            sa.func.coalesce(row.reference, made.reference).label("reference"),
            sa.func.coalesce(row.council, made.council).label("council"),
            row.state, row.why, made.service,
        )
        .outerjoin(tables.received, row.id == key.submission)
        .outerjoin(tables.submission, made.id == key.submission)
        .where(_KEY.in_(list(dict.fromkeys(_key_of(thought) for thought in thoughts))))
    )  # fmt: skip
    now = max(thought.received_at for thought in thoughts)
    known: dict[_Key, Any] = {}
    for found in connection.execute(query).all():
        name = (found.front_end, found.scope, bytes(found.key_hash))
        if found.reference is None or (found.expires_at is not None and found.expires_at <= now):
            connection.execute(sa.delete(tables.idempotency).where(_KEY.in_([name])))
        else:
            known[name] = found
    return known


def _of_row(thought: Keep, row: Any) -> Kept:
    return Kept(
        id=row.submission,
        reference=row.reference,
        council=row.council,
        state=ReceivedState(row.state) if row.state is not None else ReceivedState.MAPPED,
        service=row.service or thought.service,
        why=row.why,
        replayed=True,
        differs=bytes(row.fingerprint) != thought.idempotency.fingerprint,
    )


def _cause(clash: sa.exc.IntegrityError) -> HubError:
    # Both drivers name the table or the constraint; only names that we gave are looked for.
    if "idempotency" in str(clash.orig):
        return Conflict()  # the other one has just committed: a repeat gets its answer
    return ReferenceTaken()


_RECEIVED = Hot.insert(tables.received)
_KEYS = Hot.insert(tables.idempotency, without=("follow_up",))


def _insert(connection: Connection, thoughts: Sequence[Keep]) -> None:
    _RECEIVED.run(connection, [_received_row(thought) for thought in thoughts])
    _KEYS.run(connection, [_key_row(thought) for thought in thoughts])
    accepts = [thought.accept for thought in thoughts if thought.accept is not None]
    if accepts:
        accept.insert(connection, accepts)
    parked = [thought for thought in thoughts if thought.accept is None]
    events.INSERT.run(connection, [_event_row(thought) for thought in parked])
    for thought in parked:
        if thought.attachments:
            attachments.hold(connection, thought.attachments, front_end=thought.front_end)


def _received_row(thought: Keep) -> dict[str, Any]:
    return {
        "id": thought.id,
        "reference": thought.reference,
        "council": thought.council,
        "format": thought.format,
        "profile": thought.profile,
        "front_end": thought.front_end,
        "state": thought.state.value,
        "why": thought.why,
        "body": thought.body,
        "received_at": thought.received_at,
    }


def _key_row(thought: Keep) -> dict[str, Any]:
    return {
        "front_end": thought.front_end,
        "scope": thought.idempotency.scope,
        "key_hash": thought.idempotency.key_hash,
        "submission": thought.id,
        "fingerprint": thought.idempotency.fingerprint,
        "expires_at": thought.idempotency.expires_at,
    }


def _event_row(thought: Keep) -> dict[str, Any]:
    """A parked body has no submission, but the id that it will have: its front end follows that."""
    return events.row(
        event_id=thought.event_id,
        at=thought.received_at,
        kind=events.NEEDS_ATTENTION,
        council=thought.council,
        front_end=thought.front_end,
        submission=thought.id,
    )
