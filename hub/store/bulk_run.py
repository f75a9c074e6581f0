"""A bulk operation under way: items released at their rate, followed to their end, and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.bulk import (
    AT_ONCE,
    ItemState,
    OperationKind,
    OperationState,
    Skip,
    Underway,
    earned_since,
    may_release,
)
from hub.model import Lane, StepKind, StepState
from hub.store import audit, bulk, bulk_items, deliveries, events, tables
from hub.store.bulk import Tally
from hub.store.bulk_items import Ended, Item, Safety
from hub.store.engine import database_now, is_sqlite
from hub.store.ids import uuid7

_ITEM = tables.operation_item.c
_STEP = tables.step.c

HUB: Final = "hub"  #: who paused it, when it did so itself
_LOOKED_AT: Final = 200  #: items in one transaction, skipped ones included


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """What one step of an operation did."""

    state: OperationState
    destinations: frozenset[str] = frozenset()  #: that have something due now
    more: bool = False  #: there is more to do at once


def advance(connection: Connection, operation: str, *, safety_of: Safety, most: int = AT_ONCE) -> Advanced:
    """Follow what was released, stop if it must, and release what may go now: one transaction.

    Killed before it commits, nothing of it happened; after it, all did.
    """
    row = bulk.lock(connection, operation)
    state, counts = OperationState(row.state), Tally(row.counts or {})
    if row.ended_at is not None or state in (OperationState.DRAFT, OperationState.MARKING, OperationState.READY):
        return Advanced(state=state)
    run = _Run(connection=connection, row=row, counts=counts, now=database_now(connection))
    underway = run.follow()
    if state is OperationState.CANCELLED:
        more = run.give_up(limit=bulk.BATCH)
        run.keep()
        return Advanced(state=state, more=more)
    released: frozenset[str] = frozenset()
    more = False
    if state is OperationState.RUNNING and not run.stopped:
        released, more = run.release(underway, safety_of=safety_of, most=most)
    run.keep()
    return Advanced(state=run.state, destinations=released, more=more)


class _Run:
    """One transaction over a locked operation; `keep` writes what became of it."""

    def __init__(self, *, connection: Connection, row: Any, counts: Tally, now: datetime) -> None:
        self.connection = connection
        self.row = row
        self.counts = counts
        self.now = now
        self.state = OperationState(row.state)
        self.kind = OperationKind(row.kind)
        self.canary_left: int | None = row.canary_left
        self.released_at: datetime | None = row.released_at
        self.why: str | None = row.why
        self.stopped = False
        #: Destinations of the list that are not asked now: what waits for them must not keep the rest.
        self.unaskable = bulk_items.unaskable(connection, counts.by_destination, now=now)

    def follow(self) -> Underway:
        """Items that have come to their end are written down; how many have not."""
        over, underway = bulk_items.follow(self.connection, self.row.id, now=self.now, unaskable=self.unaskable)
        self._end(over)
        return underway

    def _end(self, over: Sequence[Ended]) -> None:
        if not over:
            return
        last = bulk_items.last_attempts(self.connection, [one.step for one in over])
        ended = []
        for one in over:
            attempt, code = last.get(one.step, (None, None))
            failed = one.state in (ItemState.FAILED, ItemState.UNCLEAR)
            ended.append(
                {"at": one.position, "to": one.state.value, "tried": attempt, "code": code if failed else None}
            )
            self.counts.move(one.destination, ItemState.QUEUED, one.state)
            self._judge(one, code)
        change = (
            sa.update(tables.operation_item)
            .where(_ITEM.operation == self.row.id, _ITEM.position == sa.bindparam("at"))
            .values(state=sa.bindparam("to"), attempt=sa.bindparam("tried"), result=sa.bindparam("code"))
        )
        self.connection.execute(change, ended)

    def _judge(self, one: Ended, code: str | None) -> None:
        """While the canary is out: one that was delivered is one fewer to wait for, one that failed stops it all."""
        if not self.canary_left:
            return
        if one.state is ItemState.DELIVERED:
            self.canary_left -= 1
        elif one.state in (ItemState.FAILED, ItemState.UNCLEAR) and self.state is OperationState.RUNNING:
            self.stopped = True
            self.state = OperationState.PAUSED
            self.canary_left = self.row.canary
            how = "failed again" if one.state is ItemState.FAILED else "had no clear answer"
            self.why = (
                f"The canary stopped it: item {one.position}, to {one.destination}, {how}"
                f"{f' ({code})' if code else ''}. Mend it, then resume; a new canary goes first."
            )
            audit.record(self.connection, actor=HUB, verb="operation_paused", council=council_of(self.row),
                         subject=self.row.id, reason=self.why)  # fmt: skip

    def release(self, underway: Underway, *, safety_of: Safety, most: int) -> tuple[frozenset[str], bool]:
        """The next items that may go; the destinations that have work now, and whether more might have gone."""
        allowed, since = self._allowed(underway, most)
        if not allowed:
            return frozenset(), False
        where = [_ITEM.operation == self.row.id, _ITEM.state == ItemState.PENDING.value]
        if self.kind is OperationKind.REPLAY and self.unaskable:
            where.append(_ITEM.destination.not_in(sorted(self.unaskable)))
        positions = self.connection.execute(
            sa.select(_ITEM.position, _ITEM.delivery).where(*where).order_by(_ITEM.position).limit(_LOOKED_AT)
        ).all()
        free = self._lock_steps([one.delivery for one in positions])
        chosen = [one.position for one in positions if one.delivery in free]
        going: list[Item] = []
        skipped: list[tuple[Item, Skip]] = []
        for item in bulk_items.at(self.connection, self.row.id, chosen):
            if len(going) == allowed:
                break
            why = item.why_not(self.kind, safety_of)
            if why is None or (why is Skip.APART and self.row.include_unsafe and self.row.approved_by):
                going.append(item)
            else:
                skipped.append((item, why))
        self._let_go(going)
        self._skip(skipped)
        if going and self.row.rate is not None:
            self.released_at = since + timedelta(seconds=len(going) / self.row.rate)
        more = len(positions) == _LOOKED_AT if len(going) < allowed else self.row.rate is None
        return frozenset(item.destination for item in going), more and bool(going or skipped)

    def _allowed(self, underway: Underway, most: int) -> tuple[int, datetime]:
        rate = self.row.rate
        earned, since = earned_since(self.released_at, self.now, rate=rate) if rate is not None else (0.0, self.now)
        allowed = may_release(
            rate=rate, earned=earned, underway=underway, canary_left=self.canary_left, most=most,
        )  # fmt: skip
        return allowed, since

    def _lock_steps(self, names: Sequence[str]) -> set[str]:
        """Deliveries whose create step is ours for now; what another has locked has its turn later."""
        query = sa.select(_STEP.delivery).where(_STEP.delivery.in_(names), _STEP.position == 0)
        if not is_sqlite(self.connection):
            query = query.order_by(_STEP.delivery).with_for_update(skip_locked=True)
        return set(self.connection.execute(query).scalars()) if names else set()

    def _let_go(self, going: Sequence[Item]) -> None:
        reached = ItemState.QUEUED if self.kind is OperationKind.REPLAY else ItemState.DISCARDED
        done = []
        for item in going:
            steps = [item.step] if not item.stuck else self._stuck_steps(item)
            for step in steps:
                self._move(step)
            self.counts.move(item.destination, ItemState.PENDING, reached)
            done.append(_Written(item.position, reached, step=steps[0]))
        self._write(done)
        self._tell(going)

    def _stuck_steps(self, item: Item) -> list[str]:
        query = (
            sa.select(_STEP.id)
            .where(_STEP.delivery == item.delivery, _STEP.position > 0, _STEP.state == StepState.DEAD.value)
            .order_by(_STEP.position)
            .with_for_update()
        )
        return list(self.connection.execute(query).scalars()) or [item.step]

    def _move(self, step: str) -> None:
        if self.kind is OperationKind.REPLAY:
            deliveries.requeue(self.connection, step, lane=Lane.REPLAY, reason=self.row.reason, operation=self.row.id)
        else:
            deliveries.settle(self.connection, step, state=StepState.DISCARDED, reason=self.row.reason)

    def _skip(self, skipped: Sequence[tuple[Item, Skip]]) -> None:
        for item, _ in skipped:
            self.counts.move(item.destination, ItemState.PENDING, ItemState.SKIPPED)
        self._write([_Written(item.position, ItemState.SKIPPED, why=why) for item, why in skipped])

    def _write(self, items: Sequence[_Written]) -> None:
        if not items:
            return
        change = (
            sa.update(tables.operation_item)
            .where(_ITEM.operation == self.row.id, _ITEM.position == sa.bindparam("at"))
            .values(state=sa.bindparam("to"), result=sa.bindparam("why"), step=sa.bindparam("moved"))
        )
        rows = [{"at": one.position, "to": one.state.value, "why": one.why, "moved": one.step} for one in items]
        self.connection.execute(change, rows)

    def _tell(self, going: Sequence[Item]) -> None:
        """Each delivery's own event and audit row; the operation's id says whose wish it was."""
        by, detail = self.row.started_by, {"operation": self.row.id}
        told = [
            events.row(event_id=uuid7(), at=self.now, kind=self._event(item), council=item.council,
                       front_end=item.front_end, submission=item.submission, delivery=item.delivery, actor=by,
                       detail=detail)
            for item in going
        ]  # fmt: skip
        events.INSERT.run(self.connection, told)
        acts = [
            {"id": uuid7(), "at": self.now, "actor": by, "verb": self.kind.value, "council": item.council,
             "subject": item.delivery, "reason": self.row.reason, "detail": detail}
            for item in going
        ]  # fmt: skip
        if acts:
            self.connection.execute(sa.insert(tables.audit), acts)

    def _event(self, item: Item) -> str:
        if self.kind is OperationKind.REPLAY:
            return events.REPLAYED
        return events.LATER_DONE if item.stuck or item.kind is not StepKind.CREATE else events.DISCARDED

    def give_up(self, *, limit: int) -> bool:
        """What was not released never is. True when there is more of it."""
        query = (
            sa.select(_ITEM.position, _ITEM.destination)
            .where(_ITEM.operation == self.row.id, _ITEM.state == ItemState.PENDING.value)
            .order_by(_ITEM.position)
            .limit(limit)
        )
        found = self.connection.execute(query).all()
        if found:
            change = sa.update(tables.operation_item).where(
                _ITEM.operation == self.row.id,
                _ITEM.state == ItemState.PENDING.value,
                _ITEM.position <= found[-1].position,
            )
            self.connection.execute(change.values(state=ItemState.CANCELLED.value))
        for one in found:
            self.counts.move(one.destination, ItemState.PENDING, ItemState.CANCELLED)
        return len(found) == limit

    def keep(self) -> None:
        open_ = self.counts.of(ItemState.PENDING, ItemState.QUEUED)
        if self.state is OperationState.RUNNING and not open_:
            self.state = OperationState.DONE
        over = not open_ and self.state in (OperationState.DONE, OperationState.CANCELLED)
        bulk.change(
            self.connection, self.row, self.state if self.state.value != self.row.state else None,
            counts=self.counts.by_destination, canary_left=self.canary_left, released_at=self.released_at,
            why=self.why, ended_at=self.now if over else None,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Written:
    """What becomes of one item now."""

    position: int
    state: ItemState
    step: str | None = None
    why: Skip | None = None


def council_of(row: Any) -> str | None:
    """The one council that an operation reaches into, where it is one: whose audit its acts stand in."""
    return row.councils[0] if row.councils and len(row.councils) == 1 else None
