"""The thought that writes a submission down: content, deliveries, steps, idempotency row and first event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, Protocol, Self

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.errors import Conflict, HubError, KeyReused
from hub.model import DeliveryKind, Lane, StepKind, StepState
from hub.store import attachments, events, tables
from hub.store.attachments import Claim, NewFile
from hub.store.engine import database_now
from hub.store.hot import Hot
from hub.store.steps import INSERT as _STEPS
from hub.store.steps import LaterStep, later_rows


class ReferenceTaken(HubError):
    """That reference is in use; draw another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """A front end's own key, hashed, and a fingerprint of what came with it."""

    scope: str
    key_hash: bytes
    fingerprint: bytes
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    id: str
    step: str
    destination: str
    route: str
    item_index: int | None
    our_reference: str
    call: str | None = None  #: the connector's operation
    later: Sequence[LaterStep] = ()  #: what follows once the case is there


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What became of it: new, or the first result of the same key (`replayed`)."""

    id: str
    reference: str
    council: str
    service: str
    accepted_at: datetime
    warnings: Sequence[dict[str, str]]
    planned: bool  #: False: no delivery could be planned, so it is a person's
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept:
    """A submission, complete: nothing is asked of the outside while it is written.

    `body` is sealed already; `deliveries` are empty when routing found no way,
    and then `faults` says why. Results in Accepted; raises KeyReused, Conflict,
    ReferenceTaken, or Invalid where it names a file that it cannot have.
    """

    rank: ClassVar[int] = 0

    id: str
    reference: str
    council: str
    service: str
    version: int
    front_end: str
    front_end_reference: str | None
    channel: str
    accepted_at: datetime
    due_by: date | None
    warnings: Sequence[dict[str, str]]
    faults: Sequence[str]
    test: bool
    trace_id: str | None
    body: bytes
    attrs: Sequence[tuple[str, bytes]]
    deliveries: Sequence[NewDelivery]
    idempotency: IdempotencyKey | None
    event_id: str
    expires_at: datetime | None = None
    files: Sequence[NewFile] = ()  #: that came inside it
    claims: Sequence[Claim] = ()  #: files that were uploaded before

    @classmethod
    def write_all(cls, connection: Connection, thoughts: Sequence[Self]) -> list[Any]:
        results: list[Any] = [None] * len(thoughts)
        firsts = _answered_before(connection, thoughts, results)
        fresh = [thought for index, thought in enumerate(thoughts) if results[index] is None and index not in firsts]
        if fresh:
            try:
                insert(connection, fresh)
            except sa.exc.IntegrityError as clash:
                # Alone in its transaction, the cause is known; in a batch the writer tries them one by one.
                if len(thoughts) == 1:
                    raise _cause(clash) from None
                raise
        by_id = {thought.id: thought.result_if_landed() for thought in fresh}
        for index, thought in enumerate(thoughts):
            if results[index] is None:
                twin = thoughts[firsts[index]] if index in firsts else thought
                results[index] = _of_twin(thought, twin) if twin is not thought else by_id[thought.id]
        return results

    @property
    def planned(self) -> bool:
        return bool(self.deliveries) and not self.faults

    def landed(self, connection: Connection) -> bool:
        query = sa.select(tables.submission.c.id).where(tables.submission.c.id == self.id)
        return connection.execute(query).first() is not None

    def result_if_landed(self) -> Accepted:
        return Accepted(
            id=self.id,
            reference=self.reference,
            council=self.council,
            service=self.service,
            accepted_at=self.accepted_at,
            warnings=self.warnings,
            planned=self.planned,
        )


def _answered_before(connection: Connection, thoughts: Sequence[Accept], results: list[Any]) -> dict[int, int]:
    """Fill in what an earlier key answers already; returns which thought of this batch repeats which other."""
    keyed = {
        (thought.front_end, thought.idempotency.scope, thought.idempotency.key_hash): None
        for thought in thoughts
        if thought.idempotency
    }
    if not keyed:
        return {}
    known = {
        (row.front_end, row.scope, bytes(row.key_hash)): row for row in connection.execute(_keys_query(list(keyed)))
    }
    firsts: dict[tuple[str, str, bytes], int] = {}
    repeats: dict[int, int] = {}
    for index, thought in enumerate(thoughts):
        if thought.idempotency is None:
            continue
        key = (thought.front_end, thought.idempotency.scope, thought.idempotency.key_hash)
        row = known.get(key)
        if row is not None and row.expires_at is not None and row.expires_at <= thought.accepted_at:
            connection.execute(sa.delete(tables.idempotency).where(_KEY.in_([key])))
            row = None
        if row is not None:
            results[index] = _of_row(thought, row)
        elif key in firsts:
            repeats[index] = firsts[key]
        else:
            firsts[key] = index
    return repeats


_KEY = sa.tuple_(tables.idempotency.c.front_end, tables.idempotency.c.scope, tables.idempotency.c.key_hash)


def _keys_query(keys: list[tuple[str, str, bytes]]) -> Any:
    key = tables.idempotency.c
    row = tables.submission.c
    return (
        sa.select(
            key.front_end, key.scope, key.key_hash, key.fingerprint, key.expires_at,
            row.id, row.reference, row.council, row.service, row.accepted_at, row.warnings, row.faults,
        )
        .join(tables.submission, row.id == key.submission)
        .where(_KEY.in_(keys))
    )  # fmt: skip


def _of_row(thought: Accept, row: Any) -> Accepted | KeyReused:
    assert thought.idempotency is not None
    if bytes(row.fingerprint) != thought.idempotency.fingerprint:
        return KeyReused()
    return Accepted(
        id=row.id,
        reference=row.reference,
        council=row.council,
        service=row.service,
        accepted_at=row.accepted_at,
        warnings=row.warnings or (),
        planned=row.faults is None,
        replayed=True,
    )


def _of_twin(thought: Accept, twin: Accept) -> Accepted | KeyReused:
    assert thought.idempotency is not None and twin.idempotency is not None
    if thought.idempotency.fingerprint != twin.idempotency.fingerprint:
        return KeyReused()
    first = twin.result_if_landed()
    return Accepted(
        id=first.id, reference=first.reference, council=first.council, service=first.service,
        accepted_at=first.accepted_at, warnings=first.warnings, planned=first.planned, replayed=True,
    )  # fmt: skip


def _cause(clash: sa.exc.IntegrityError) -> HubError:
    # Both drivers name the table or the constraint; only names that we gave are looked for.
    text = str(clash.orig)
    if "idempotency" in text:
        return Conflict()  # the other one has just committed: a repeat gets its answer
    return ReferenceTaken()


def insert(connection: Connection, thoughts: Sequence[Accept]) -> None:
    """Everything of these submissions, in a handful of statements."""
    _SUBMISSIONS.run(connection, [_submission_row(thought) for thought in thoughts])
    _CONTENTS.run(connection, [_content_row(thought) for thought in thoughts])
    _ATTRS.run(
        connection,
        [{"submission": t.id, "name": name, "value_hash": value} for t in thoughts for name, value in t.attrs],
    )
    _KEYS.run(connection, [_key_row(thought) for thought in thoughts if thought.idempotency])
    _DELIVERIES.run(connection, [_delivery_row(t, d, at=t.accepted_at) for t in thoughts for d in t.deliveries])
    # Due by the database's clock: this process's own may show any time.
    now = database_now(connection)
    _STEPS.run(connection, [row for t in thoughts for d in t.deliveries for row in _step_rows(t, d, now)])
    events.INSERT.run(connection, [_event_row(thought) for thought in thoughts])
    if any(thought.files or thought.claims for thought in thoughts):
        _take_files(connection, thoughts)


class Whose(Protocol):
    """The submission that deliveries belong to."""

    @property
    def id(self) -> str: ...
    @property
    def council(self) -> str: ...
    @property
    def service(self) -> str: ...


def deliver(connection: Connection, whose: Whose, deliveries: Sequence[NewDelivery], *, now: datetime) -> None:
    """More deliveries for a submission that is there."""
    _DELIVERIES.run(connection, [_delivery_row(whose, each, at=now) for each in deliveries])
    _STEPS.run(connection, [row for each in deliveries for row in _step_rows(whose, each, now)])


def _take_files(connection: Connection, thoughts: Sequence[Accept]) -> None:
    """Behind the keys: who repeats a submission hears of the first one, not that its files are taken."""
    for thought in thoughts:
        if thought.files:
            attachments.add(connection, thought.files, front_end=thought.front_end, submission=thought.id)
    if claims := [claim for thought in thoughts for claim in thought.claims]:
        attachments.claim(connection, claims)


_SUBMISSIONS = Hot.insert(tables.submission)
_CONTENTS = Hot.insert(tables.submission_content)
_ATTRS = Hot.insert(tables.submission_attr)
_KEYS = Hot.insert(tables.idempotency, without=("follow_up",))
_DELIVERIES = Hot.insert(tables.delivery)


def _submission_row(thought: Accept) -> dict[str, Any]:
    return {
        "id": thought.id,
        "reference": thought.reference,
        "front_end_reference": thought.front_end_reference,
        "council": thought.council,
        "service": thought.service,
        "version": thought.version,
        "front_end": thought.front_end,
        "channel": thought.channel,
        "accepted_at": thought.accepted_at,
        "due_by": thought.due_by,
        "warnings": list(thought.warnings) or None,
        "faults": list(thought.faults) or (None if thought.planned else ["no route takes it"]),
        "test": thought.test,
        "trace_id": thought.trace_id,
    }


def _content_row(thought: Accept) -> dict[str, Any]:
    return {
        "submission": thought.id,
        "revision": 1,
        "body": thought.body,
        "created_at": thought.accepted_at,
        "expires_at": thought.expires_at,
    }


def _key_row(thought: Accept) -> dict[str, Any]:
    assert thought.idempotency is not None
    return {
        "front_end": thought.front_end,
        "scope": thought.idempotency.scope,
        "key_hash": thought.idempotency.key_hash,
        "submission": thought.id,
        "fingerprint": thought.idempotency.fingerprint,
        "expires_at": thought.idempotency.expires_at,
    }


def _delivery_row(whose: Whose, delivery: NewDelivery, *, at: datetime) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "submission": whose.id,
        "kind": DeliveryKind.CASE.value,
        "council": whose.council,
        "service": whose.service,
        "destination": delivery.destination,
        "route": delivery.route,
        "order_key": whose.id,
        "item_index": delivery.item_index,
        "generation": 1,
        "our_reference": delivery.our_reference,
        "joined": False,
        "created_at": at,
    }


def _step_rows(whose: Whose, delivery: NewDelivery, now: datetime) -> list[dict[str, Any]]:
    create = {
        "id": delivery.step,
        "delivery": delivery.id,
        "submission": whose.id,
        "destination": delivery.destination,
        "order_key": whose.id,
        "position": 0,
        "kind": StepKind.CREATE.value,
        "call": delivery.call,
        "state": StepState.QUEUED.value,
        "lane": Lane.FRESH.value,
        "due_at": now,
        "attempts_used": 0,
        "lease_token": 0,
        "updated_at": now,
    }
    if not delivery.later:
        return [create]
    later = later_rows(
        delivery.later, create=delivery.step, delivery=delivery.id, submission=whose.id,
        destination=delivery.destination, order_key=whose.id, now=now,
    )  # fmt: skip
    return [create, *later]


def _event_row(thought: Accept) -> dict[str, Any]:
    kind = events.ACCEPTED if thought.planned else events.NEEDS_ATTENTION
    return events.row(
        event_id=thought.event_id,
        at=thought.accepted_at,
        kind=kind,
        council=thought.council,
        front_end=thought.front_end,
        submission=thought.id,
    )
