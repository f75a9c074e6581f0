"""Bulk operations in tests: a store with many dead letters, the verbs, the job, and an office that answers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from hub.bulk import Bulk
from hub.bulk_preview import Previewer
from hub.core.bulk import ItemState, OperationKind
from hub.dispatch.bulk import BulkJob
from hub.fuse import CrashPoint
from hub.model import ReplaySafety, Role, StepState, User
from hub.past import Past
from hub.store import bulk, tables
from hub.store.bulk import Tally, Wish
from hub.store.deliveries import DeliveryFilter
from hub.store.store import Store
from tests.integration.intake_house import REGISTRY, councils
from tests.stores import accept

ANN = User(id="a", name="ann", role=Role.OPERATOR)
BEN = User(id="b", name="ben", role=Role.APPROVER)
ALL_DEAD = DeliveryFilter(state=(StepState.DEAD,))
FAST = 1000.0

_STEP = tables.step.c


class Killed(BaseException):
    """The process is gone: nothing may catch this."""


@dataclass(slots=True)
class Many:
    """One hub's bulk operations. `ledger` is how often the office took each delivery."""

    store: Store
    safety: ReplaySafety = ReplaySafety.IDEMPOTENT
    stages: int = 1
    fuse: Callable[[CrashPoint], None] = lambda point: None
    ledger: Counter[str] = field(default_factory=Counter)
    rung: list[str] = field(default_factory=list)

    @property
    def verbs(self) -> Bulk:
        past = Past(self.store, registry=REGISTRY)
        preview = Previewer(store=self.store, councils=councils, past=past, safety_of=lambda *_: self.safety)
        return Bulk(store=self.store, preview=preview, stages=self.stages)

    @property
    def job(self) -> BulkJob:
        """A worker's, fresh each time: it remembers nothing."""
        return BulkJob(
            store=self.store, verbs=self.verbs, safety_of=lambda *_: self.safety, ring=self.rung.append, fuse=self.fuse
        )

    async def dead(self, number: int, *, state: StepState = StepState.DEAD) -> list[str]:
        """So many deliveries in that state, in the order they were made."""
        thoughts = [accept() for _ in range(number)]
        for some in range(0, number, 200):
            await asyncio.gather(*map(self.store.write, thoughts[some : some + 200]))
        made = sorted(thought.deliveries[0].id for thought in thoughts)
        self.put(made, state)
        return made

    def put(self, deliveries: Iterable[str], state: StepState) -> None:
        change = sa.update(tables.step).where(_STEP.delivery.in_(list(deliveries))).values(state=state.value)
        self.store.transact_now(lambda connection: connection.execute(change))

    async def draft(self, *, wanted: DeliveryFilter = ALL_DEAD, by: User = ANN, **wish: Any) -> Any:
        values = {"kind": OperationKind.REPLAY, "reason": "mended", "rate": FAST, **wish}
        return await self.verbs.draft(Wish(wanted=wanted, **values), actor=by)

    async def started(self, **wish: Any) -> str:
        """The id of an operation that runs."""
        made = await self.draft(**wish)
        while (await self.show(made.id)).state in ("draft", "marking"):
            await self.job.turn()
        await self.verbs.start(made.id, actor=BEN)
        return str(made.id)

    async def turn(self, *, answer: StepState = StepState.DELIVERED) -> None:
        """A quarter of a second: the job releases, and the office answers what is there."""
        self.pass_time()
        await self.job.turn()
        self.answer(answer)

    def pass_time(self) -> None:
        """What was released last was released long ago."""
        row = tables.operation.c
        query = sa.select(row.id, row.released_at).where(row.released_at.is_not(None))

        def work(connection: sa.Connection) -> None:
            for one in connection.execute(query).all():
                earlier = one.released_at - timedelta(seconds=10)
                connection.execute(sa.update(tables.operation).where(row.id == one.id).values(released_at=earlier))

        self.store.transact_now(work)

    def answer(self, state: StepState) -> None:
        """The office takes what an operation has queued."""

        def work(connection: sa.Connection) -> None:
            due = sa.and_(_STEP.state == "queued", _STEP.operation.is_not(None))
            found = list(connection.execute(sa.select(_STEP.delivery).where(due)).scalars())
            connection.execute(sa.update(tables.step).where(due).values(state=state.value, due_at=None))
            self.ledger.update(found)

        self.store.transact_now(work)

    async def run(self, operation: str, *, answer: StepState = StepState.DELIVERED) -> Any:
        """Turns until it stops; the operation then."""
        for _ in range(500):
            if (row := await self.show(operation)).state != "running":
                return row
            await self.turn(answer=answer)
        raise AssertionError((await self.show(operation)).counts)

    async def show(self, operation: str) -> Any:
        return await self.store.read(lambda connection: bulk.get(connection, operation))

    def counted(self, operation: str) -> dict[str, int]:
        """Items by state: as the rows say, which is as the operation says."""
        item = tables.operation_item.c
        query = sa.select(item.state, sa.func.count()).where(item.operation == operation).group_by(item.state)
        rows = self.store.read_now(lambda connection: {one.state: one[1] for one in connection.execute(query)})
        kept = Tally(self.store.read_now(lambda connection: bulk.get(connection, operation)).counts)
        told = {state.value: kept.of(state) for state in ItemState if kept.of(state)}
        assert told == rows
        return told

    def listed(self, operation: str) -> list[str]:
        item = tables.operation_item.c
        query = sa.select(item.delivery).where(item.operation == operation).order_by(item.position)
        return self.store.read_now(lambda connection: list(connection.execute(query).scalars()))
