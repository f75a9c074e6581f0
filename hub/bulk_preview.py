"""What a bulk operation would do, found out on paper: nothing is sent, and nobody's words are told."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json
from sqlalchemy import Connection

from hub.core.about import about
from hub.core.bulk import SKIPPED, OperationKind, Skip
from hub.core.difference import Difference, difference
from hub.councils import Council, Councils, Route
from hub.errors import HubError, MappingFault, NotThere
from hub.model import ReplaySafety, StepKind
from hub.store import bulk, bulk_items, bulk_sample, follow_ups
from hub.store.bulk_items import Item, Safety
from hub.store.bulk_sample import Sample
from hub.store.engine import database_now
from hub.store.store import Store

EACH: Final = 20  #: deliveries of one destination whose records are compared
MOST: Final = 100  #: of all destinations together
_WITHOUT_RECORD: Final = frozenset((StepKind.ATTACH.value, StepKind.NUMBER.value))
_LOOKED_AT: Final = 1_000

#: From the safest to the one that takes two people.
_SAFETIES: Final = (
    ReplaySafety.IDEMPOTENT,
    ReplaySafety.REJECTS_DUPLICATES,
    ReplaySafety.LOOKUP,
    ReplaySafety.LISTING,
    ReplaySafety.UNSAFE,
)


class Kind(StrEnum):
    """How the record that would be sent now stands to the one of the last attempt."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    MENDED = "mended"  #: failed before, maps now
    STILL_FAILS = "still_fails"
    FAILS_NOW = "fails_now"  #: mapped before
    NEVER_TRIED = "never_tried"  #: maps now; there is nothing to compare with
    NOT_COMPARED = "not_compared"  #: it is a file and has no record, or the council files cannot be loaded here


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of change. All of it stands in mapping files; none of it is a value of a submission."""

    kind: Kind
    difference: Difference = field(default_factory=Difference)
    where: str | None = None
    code: str | None = None

    def as_dict(self, count: int) -> dict[str, Any]:
        told: dict[str, Any] = {"kind": self.kind.value, "count": count}
        if self.difference:
            told |= {
                "changed": list(self.difference.changed),
                "added": list(self.difference.added),
                "removed": list(self.difference.removed),
            }
        if self.where is not None:
            told |= {"where": self.where, "code": self.code}
        return told


@dataclass(slots=True, kw_only=True)
class _Place:
    """One destination of the list, as far as it was counted."""

    count: int = 0
    goes: int = 0
    apart: int = 0
    safety: ReplaySafety = ReplaySafety.IDEMPOTENT
    sample: list[str] = field(default_factory=list)
    changes: Counter[Change] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Previewer:
    """Looks at a whole list as its runner would, and runs the mapping on a sample of it."""

    store: Store
    councils: Callable[[], Councils]
    past: Callable[[int, str], Council]
    safety_of: Safety

    async def make(self, operation: str) -> dict[str, Any]:
        """What stands in the operation's `preview`."""
        row = await self.store.read(lambda connection: bulk.get(connection, operation))
        kind = OperationKind(row.kind)
        places, found = await self._count(row.id, kind)
        if kind is OperationKind.REPLAY:
            await self._compare(places, generation=row.generation)
        now, known = await self.store.read(lambda connection: _places(connection, places))
        return {
            "at": now.isoformat().replace("+00:00", "Z"),
            "count": sum(place.count for place in places.values()),
            "goes": sum(place.goes for place in places.values()),
            "apart": sum(place.apart for place in places.values()),
            "rate": row.rate,
            "seconds": _seconds(places, known, rate=row.rate),
            "found": [
                {"state": state, "count": count, "goes": why is None, "why": SKIPPED[why] if why else None}
                for (state, why), count in sorted(found.items(), key=lambda pair: -pair[1])
            ],
            "destinations": [
                _told(name, place, known.get(name), now=now, rate=row.rate) for name, place in sorted(places.items())
            ],
        }

    async def _count(
        self, operation: str, kind: OperationKind
    ) -> tuple[dict[str, _Place], Counter[tuple[str, Skip | None]]]:
        places: dict[str, _Place] = {}
        found: Counter[tuple[str, Skip | None]] = Counter()
        behind, left = 0, MOST
        while items := await self.store.read(_chunk(operation, behind)):
            for item in items:
                why = item.why_not(kind, self.safety_of)
                found[item.state.value, why] += 1
                place = places.setdefault(item.destination, _Place())
                self._add(place, item, why)
                if why in (None, Skip.APART) and left and len(place.sample) < EACH:
                    place.sample.append(item.delivery)
                    left -= 1
            behind = items[-1].position
        return places, found

    def _add(self, place: _Place, item: Item, why: Skip | None) -> None:
        place.count += 1
        place.goes += why is None
        place.apart += why is Skip.APART
        safety = self.safety_of(item.council, item.route, item.kind)
        place.safety = max(place.safety, safety, key=_SAFETIES.index)

    async def _compare(self, places: Mapping[str, _Place], *, generation: int | None) -> None:
        names = [name for place in places.values() for name in place.sample]
        samples = await self.store.read(lambda connection: bulk_sample.load(connection, names))
        changes = await asyncio.to_thread(self._changes, samples, generation)
        for sample, change in zip(samples, changes, strict=True):
            places[sample.destination].changes[change] += 1

    def _changes(self, samples: Sequence[Sample], generation: int | None) -> list[Change]:
        return [self._change(sample, generation) for sample in samples]

    def _change(self, sample: Sample, generation: int | None) -> Change:
        try:
            named = generation if generation is not None else self.councils().generation
            submission = self._open(sample)
        except MappingFault as fault:
            return _fails(Kind.STILL_FAILS, fault)
        except HubError:
            # No council files are in force here, or the content was sealed with a key that is not at hand.
            return Change(Kind.NOT_COMPARED)
        if sample.kind in _WITHOUT_RECORD:
            return Change(Kind.NOT_COMPARED)
        new = self._record(sample, submission, named)
        tried = sample.generation
        if tried is None:
            return Change(Kind.NEVER_TRIED) if isinstance(new, _Made) else _fails(Kind.STILL_FAILS, new)
        if tried == named:
            return Change(Kind.UNCHANGED) if isinstance(new, _Made) else _fails(Kind.STILL_FAILS, new)
        old = self._record(sample, submission, tried)
        return _compared(old, new)

    def _open(self, sample: Sample) -> dict[str, Any]:
        if sample.body is None:
            raise MappingFault("the content was forgotten on time", where="retention", code="forgotten")
        place = f"submission_content|{sample.submission}|{sample.revision}"
        read: dict[str, Any] = from_json(self.store.sealer.open(sample.body, place=place))
        return read

    def _said(self, sample: Sample) -> dict[str, Any]:
        """What a follow-up's mapping sees besides."""
        if sample.follow_up is None:
            return {}
        if sample.said is None:
            raise MappingFault("what was said was forgotten on time", where="retention", code="forgotten")
        place = follow_ups.place(sample.follow_up)
        return {"update": from_json(self.store.sealer.open(sample.said, place=place))}

    def _record(self, sample: Sample, submission: Mapping[str, Any], generation: int) -> _Made | MappingFault | None:
        """The record that these files make, or why they make none; None when the files themselves are gone."""
        try:
            council = self._council(generation, sample.council)
        except NotThere:
            return None
        try:
            route = council.route(sample.route)
        except NotThere:
            problem = f"the council files have no route {sample.route}"
            return MappingFault(problem, where=f"{sample.council}/council.yaml", code="no_route")
        try:
            return _made(route, sample, submission, self._said(sample))
        except MappingFault as fault:
            return fault

    def _council(self, generation: int, slug: str) -> Council:
        councils = self.councils()
        return councils.find(slug) if generation == councils.generation else self.past(generation, slug)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    record: dict[str, Any]
    route: Route
    block: str


def _made(route: Route, sample: Sample, submission: Mapping[str, Any], said: Mapping[str, Any]) -> _Made:
    block = sample.kind
    route.admit(submission)
    of_case = {"case_reference": sample.our_reference.split("-u")[0]} if said else {}
    context = route.context(submission, {**about(sample), **of_case}, **said)
    record = route.record(block, context, item_index=sample.item_index)
    operation = route.destination.connector_class.operations.get(route.mapping.operation(block))
    if operation is None:
        raise MappingFault("its connector cannot do that", where=f"{route.mapping.file} {block}", code="no_operation")
    try:
        operation.record.model_validate(record)
    except ValidationError as failure:
        fields = sorted({str(each["loc"][0]) for each in failure.errors(include_input=False) if each["loc"]})
        known = ", ".join(name for name in fields if name in record) or "the record"
    else:
        return _Made(record=record, route=route, block=block)
    raise MappingFault("it does not fit", where=f"{route.mapping.file} {block}.record: {known}", code="record")


def _compared(old: _Made | MappingFault | None, new: _Made | MappingFault | None) -> Change:
    if not isinstance(new, _Made):
        return _fails(Kind.FAILS_NOW if isinstance(old, _Made) else Kind.STILL_FAILS, new)
    match old:
        case None:
            return Change(Kind.NOT_COMPARED)
        case MappingFault():
            return Change(Kind.MENDED)
        case _Made():
            trees = [made.route.mapping.blocks[made.block].tree for made in (old, new)]
            found = difference(old.record, new.record, trees=trees)
            return Change(Kind.CHANGED, found) if found else Change(Kind.UNCHANGED)


def _fails(kind: Kind, fault: _Made | MappingFault | None) -> Change:
    if isinstance(fault, MappingFault):
        return Change(kind, where=fault.where, code=fault.code)
    return Change(kind, where="council files", code="no_generation")


def _chunk(operation: str, behind: int) -> Callable[[Connection], list[Item]]:
    return lambda connection: bulk_items.look(connection, operation, behind=behind, limit=_LOOKED_AT)


def _places(connection: Connection, names: Iterable[str]) -> tuple[datetime, Mapping[str, Any]]:
    return database_now(connection), bulk_items.places(connection, list(names))


def _seconds(places: Mapping[str, _Place], known: Mapping[str, Any], *, rate: float | None) -> int | None:
    """How long it takes at least: at its own rate, and at that of each destination."""
    if rate is None:
        return None
    whole = sum(place.goes for place in places.values()) / rate
    return round(max([whole, *(place.goes / _pace(known.get(name), rate) for name, place in places.items())]))


def _pace(row: Any, rate: float) -> float:
    return float(min(rate, row.per_second)) if row is not None and row.per_second else rate


def _told(name: str, place: _Place, row: Any, *, now: datetime, rate: float | None) -> dict[str, Any]:
    return {
        "destination": name,
        "replay_safety": place.safety.value,
        "paused": row is not None and row.paused_at is not None,
        "breaker": row.breaker if row is not None else "closed",
        "closed": bool(row is not None and row.closed_until and row.closed_until > now),
        "count": place.count,
        "goes": place.goes,
        "apart": place.apart,
        "seconds": round(place.goes / _pace(row, rate)) if rate is not None else None,
        "changes": [change.as_dict(count) for change, count in place.changes.most_common()],
    }
