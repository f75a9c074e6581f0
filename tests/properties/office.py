"""Pretend councils' systems: each keeps a ledger, and each call stops wherever a test wants it to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from hub.connector import Delivery, Health, Misconfigured, Receipt, Refused, StatusChange, Unavailable, Unclear
from hub.core.resolving import LOOKED_UP
from hub.errors import MappingFault
from hub.model import Limits, ReplaySafety, StepKind

R = ReplaySafety
SETTLES = (timedelta(seconds=5), timedelta(seconds=30))
LADDER = (timedelta(seconds=10), timedelta(seconds=60))
_ONE_ROW = frozenset({R.IDEMPOTENT, R.REJECTS_DUPLICATES})


class Fate(StrEnum):
    """What the other side does with a call, from where it stands."""

    WELL = "well"
    LOST = "lost"  #: taken, and the answer never comes
    VANISHED = "vanished"  #: not taken, and no answer comes
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    LATER = "later"  #: with a Retry-After
    WRONG_KEY = "wrong_key"
    SUSPECT = "suspect"  #: it may be our key, or this request
    BUG = "bug"  #: the connector falls over; whether it was taken, nobody knows
    UNMAPPED = "unmapped"  #: the mapping cannot make the record
    TOOK = "took"  #: it says that it has it, and then the connection breaks
    TOKEN = "token"  #: it says that it has it; its number follows


class Stage(StrEnum):
    """Where a call stands."""

    PREPARED = "prepared"  #: nothing is committed
    LEAVING = "leaving"  #: `sending` is committed, no byte has left
    AWAY = "away"  #: the other side has it, or it never arrived
    TOOK = "took"  #: `took` was told
    READING = "reading"  #: a look, or the question for a number


TAKEN = frozenset({Fate.WELL, Fate.LOST, Fate.TOOK, Fate.TOKEN, Fate.BUG})


@dataclass(eq=False)
class Call:
    """One call of a connector, while it waits at a gate."""

    process: Any
    office: Office
    what: str
    stage: Stage = Stage.PREPARED
    gate: asyncio.Future[Fate] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the ledger: what was taken, of which step, and from when a look finds it."""

    step: str
    kind: StepKind
    ours: str
    at: float
    seen_from: float

    @property
    def theirs(self) -> str:
        return f"C-{self.ours}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is drawn about a destination."""

    safety: ReplaySafety
    later: ReplaySafety = R.UNSAFE  #: of files and follow-ups
    cap: int = 2
    slow: bool = False  #: it has a rate
    settle: timedelta = SETTLES[0]
    checks: bool = True
    numbers: bool = False
    breaker: bool = True


@dataclass(eq=False)
class Office:
    """One destination: as council files have it, and as it behaves. Times are the world's."""

    name: str
    place: Place
    leaves: Callable[[str, StepKind], None]  #: told of each write that arrives
    rows: list[Row] = field(default_factory=list)
    key_is_well: bool = True
    closed_for: float = 0.0
    now: float = 0.0

    council = "northborough"
    connector = "pretend"
    retry = LADDER

    @property
    def id(self) -> str:
        return f"{self.council}/{self.name}"

    @property
    def breaker(self) -> bool:
        return self.place.breaker

    @property
    def limits(self) -> Limits:
        return Limits(concurrency=self.place.cap, per_second=0.5 if self.place.slow else None)

    @property
    def connector_class(self) -> Any:
        return self

    operations = {"case": None, "file": None, "note": None}  # noqa: RUF012

    def settles_in(self, operation: str) -> timedelta:
        return self.place.settle

    def closed_until(self, instant: datetime) -> datetime | None:
        return instant + timedelta(seconds=self.closed_for) if self.closed_for > 0 else None

    def safety(self, block: str) -> ReplaySafety:
        """What a repeat does; nobody says anything of asking for a number."""
        if block == StepKind.NUMBER.value:
            return R.UNSAFE
        return self.place.safety if block == StepKind.CREATE.value else self.place.later

    def of(self, step: str) -> list[Row]:
        return [row for row in self.rows if row.step == step]

    def has(self, step: str) -> bool:
        return bool(self.of(step))

    def take(self, step: str, kind: StepKind, ours: str, *, late: bool) -> None:
        self.leaves(step, kind)
        if self.has(step) and self.safety(kind.value) in _ONE_ROW:
            return
        hidden = self.place.settle.total_seconds() if late and self.safety(kind.value) in LOOKED_UP else 0.0
        self.rows.append(Row(step, kind, ours, self.now, self.now + hidden * 0.9))


class Product:
    """The connector of one office in one process."""

    def __init__(self, office: Office, process: Any, calls: list[Call]) -> None:
        self.office, self.process, self.calls = office, process, calls
        looks = {office.place.safety, office.place.later}
        optional: dict[str, tuple[bool, Any]] = {
            "find": (R.LOOKUP in looks, self._find),
            "changes": (R.LISTING in looks, self._changes),
            "number": (office.place.numbers, self._number),
            "check": (office.place.checks, self._check),
        }
        for name, (has, verb) in optional.items():
            if has:
                setattr(self, name, verb)

    async def create(self, step: str, delivery: Delivery) -> Receipt:
        return await self._write(step, delivery)

    async def update(self, step: str, receipt: Receipt, delivery: Delivery) -> Receipt:
        return await self._write(step, delivery)

    async def cancel(self, step: str, receipt: Receipt, delivery: Delivery) -> Receipt:
        return await self._write(step, delivery)

    async def attach(self, file: Any, receipt: Receipt, delivery: Delivery) -> None:
        await self._write(file, delivery)

    async def _write(self, step: str, delivery: Delivery) -> Receipt:
        call = Call(self.process, self.office, f"{delivery.kind.value} {delivery.our_reference}")
        fate = await self._gate(call, Stage.PREPARED)
        if fate in (Fate.WRONG_KEY, Fate.UNMAPPED, Fate.UNAVAILABLE):
            raise _failure(fate)
        await delivery.sending()
        fate = await self._gate(call, Stage.LEAVING)
        taken = fate in TAKEN
        if taken:
            self.office.take(step, delivery.kind, delivery.our_reference, late=fate is not Fate.WELL)
        fate = await self._gate(call, Stage.AWAY)
        if not taken:
            known = self.office.has(step)
            raise _failure(Fate.VANISHED if known and fate is Fate.REFUSED else fate)
        return await self._answer(call, fate, delivery)

    async def _answer(self, call: Call, fate: Fate, delivery: Delivery) -> Receipt:
        theirs, token = f"C-{delivery.our_reference}", f"T-{delivery.our_reference}"
        create, numbers = delivery.kind is StepKind.CREATE, self.office.place.numbers
        if create and fate in (Fate.TOOK, Fate.TOKEN):
            await delivery.took(token if numbers else theirs)
            if fate is Fate.TOKEN:
                return Receipt(token=token) if numbers else Receipt()
            await self._gate(call, Stage.TOOK)
            raise Unclear
        if fate in (Fate.WELL, Fate.TOKEN):
            return Receipt(reference=theirs if create else None)
        if fate is Fate.BUG:
            raise KeyError("a bug")
        raise Unclear

    async def _read(self, what: str) -> None:
        fate = await self._gate(Call(self.process, self.office, what), Stage.READING)
        if fate not in (Fate.WELL, Fate.LOST, Fate.TOOK, Fate.TOKEN):
            raise Unavailable if fate in (Fate.VANISHED, Fate.REFUSED, Fate.UNMAPPED) else _failure(fate)

    async def _find(self, ours: str) -> Receipt | None:
        await self._read(f"find {ours}")
        seen = [row for row in self._seen() if row.ours == ours]
        return Receipt(reference=seen[0].theirs) if seen else None

    async def _changes(self, since: datetime) -> AsyncIterator[StatusChange]:
        await self._read("changes")
        began = self.office.now + (since - datetime.now(UTC)).total_seconds()
        for row in self._seen():
            if row.at >= began:
                yield StatusChange(reference=row.theirs, status="open", at=since, our_reference=row.ours)

    async def _number(self, token: str, delivery: Delivery) -> Receipt:
        await self._read(f"number {token}")
        return Receipt(reference=f"C-{token[2:]}")

    async def _check(self) -> Health:
        return Health(ok=self.office.key_is_well)

    def _seen(self) -> list[Row]:
        """Cases, as far as the index goes."""
        return [row for row in self.office.rows if row.kind is StepKind.CREATE and row.seen_from <= self.office.now]

    async def _gate(self, call: Call, stage: Stage) -> Fate:
        call.stage, call.gate = stage, asyncio.get_running_loop().create_future()
        self.calls.append(call)
        try:
            return await call.gate
        finally:
            self.calls.remove(call)
            call.gate = None


def _failure(fate: Fate) -> Exception:
    """What a connector raises for one that was certainly not taken, or whose fate nobody knows."""
    match fate:
        case Fate.REFUSED:
            return Refused()
        case Fate.UNAVAILABLE:
            return Unavailable()
        case Fate.LATER:
            return Unavailable(code="later", retry_after=timedelta(seconds=45))
        case Fate.WRONG_KEY:
            return Misconfigured()
        case Fate.SUSPECT:
            return Misconfigured(suspect=True)
        case Fate.UNMAPPED:
            return MappingFault("no such field", where="f:1")
        case Fate.BUG:
            return KeyError("a bug")
        case _:
            return Unclear()
