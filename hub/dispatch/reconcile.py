"""Asks councils' systems what they have, and holds it against what the hub says it delivered. Reads only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeVar

from hub.connector import StatusChange
from hub.core.dates import LONDON
from hub.core.pace import allowance
from hub.core.reconciling import OUR_REFERENCE, Finding, Line, Piece, Said, Standing, compare
from hub.councils import Councils, Destination
from hub.dispatch.pool import ConnectorPool
from hub.errors import HubError, NotThere
from hub.store import destinations, reconcile
from hub.store.reconcile import Accepted, Scope
from hub.store.store import Store

T = TypeVar("T")

AT_ONCE: Final = 4  #: calls to one destination, beside those of the workers
GIVE_UP: Final = 5  #: failures in a row, after which a destination is asked no more
#: What seems wrong is looked at twice: it may have been delivered meanwhile, and a look may be a little late.
SECOND_LOOK: Final = timedelta(seconds=1)
_CLOCKS_DIFFER: Final = timedelta(minutes=5)
_MOST_SAID: Final = 100_000


class NoAnswer(Exception):
    """A look could not be made; the code says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True, kw_only=True)
class Asked:
    """How a destination was asked; `code` is why it could not be, wholly or in part."""

    destination: str
    how: str  #: find, listing, none
    looks: int = 0
    code: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {"destination": self.destination, "how": self.how, "looks": self.looks, "could_not_be_asked": self.code}


@dataclass(slots=True, kw_only=True)
class Account:
    """What was found, by council, service and London day."""

    lines: dict[tuple[str, str, date], Line] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)
    asked: dict[str, Asked] = field(default_factory=dict)

    def line(self, council: str, service: str, day: date) -> Line:
        return self.lines.setdefault((council, service, day), Line())

    def total(self) -> Line:
        whole = Line()
        for line in self.lines.values():
            whole.submissions += line.submissions
            whole.accepted += line.accepted
            whole.standings += line.standings
            whole.findings += line.findings
        return whole

    def say(self, said: Said) -> None:
        if len(self.said) < _MOST_SAID:
            self.said.append(said)


@dataclass(slots=True, kw_only=True)
class _System:
    """One destination while it is asked."""

    asked: Asked
    destination: Destination | None
    connector: Any = None
    listing: dict[str, list[StatusChange]] | None = None
    unmatched: set[str] = field(default_factory=set)  #: what it lists under our references, and nothing here has met
    in_a_row: int = 0
    free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    @property
    def _finds(self) -> bool:
        return callable(getattr(self.connector, "find", None))

    async def there(self, reference: str, *, thorough: bool) -> Sequence[str | None] | None:
        """What is there under our reference. `thorough` asks for what a listing does not show. None: it cannot tell."""
        listed = None if self.listing is None else [change.reference for change in self.listing.get(reference, ())]
        if listed or (listed is not None and not (thorough and self._finds)):
            return listed
        if not self._finds or self.in_a_row >= GIVE_UP:
            return listed
        async with self.free:
            try:
                found = await self.answer(lambda: self.connector.find(reference))
            except NoAnswer:
                return listed
        return [] if found is None else [found.reference]

    async def answer(self, ask: Callable[[], Awaitable[T]]) -> T:
        """One call within its deadline. Raises NoAnswer."""
        assert self.destination is not None
        limits = self.destination.limits
        self.asked.looks += 1
        try:
            async with asyncio.timeout((limits.timeout + allowance(limits)).total_seconds()):
                found = await ask()
        except asyncio.CancelledError:
            raise
        except (StopAsyncIteration, NoAnswer):
            raise
        except Exception as failure:
            self.in_a_row += 1
            self.asked.code = _code(failure)
            raise NoAnswer(self.asked.code) from None
        self.in_a_row = 0
        return found

    async def list_changes(self, since: datetime) -> None:
        """Everything that it has of ours since then, by our reference."""
        found: dict[str, list[StatusChange]] = {}
        coming: AsyncIterator[StatusChange] = aiter(self.connector.changes(since))
        try:
            while True:
                change = await self.answer(lambda: anext(coming))
                if change.our_reference and change.reference not in {
                    known.reference for known in found.get(change.our_reference, ())
                }:
                    found.setdefault(change.our_reference, []).append(change)
        except StopAsyncIteration:
            self.listing, self.unmatched = found, set(found)
        except NoAnswer:
            return


def _code(failure: Exception) -> str:
    if isinstance(failure, TimeoutError):
        return "deadline"
    if isinstance(failure, HubError):
        return str(getattr(failure, "code", type(failure).__name__))
    return f"connector_bug_{type(failure).__name__}"


@dataclass(slots=True, kw_only=True)
class Reconciler:
    """Goes through everything of a scope once. What cannot be asked is told, and the rest goes on."""

    store: Store
    councils: Councils
    pool: ConnectorPool
    clock: Callable[[], datetime]
    lookup: bool = True
    progress: Callable[[int], None] = lambda submissions: None
    _systems: dict[str, _System] = field(default_factory=dict)
    _account: Account = field(default_factory=Account)

    async def run(self, scope: Scope) -> Account:
        if self.lookup:
            await self._open_listings(scope)
        page = await self._next(scope, after=None)
        while page:
            await self._page(page)
            self.progress(len(page))
            page = await self._next(scope, after=page[-1].id)
        for system in self._systems.values():
            await self._strangers(system, scope)
        self._account.asked = {name: self._systems[name].asked for name in sorted(self._systems)}
        return self._account

    async def _next(self, scope: Scope, *, after: str | None) -> list[Accepted]:
        return await self.store.read(lambda connection: reconcile.page(connection, scope, after=after))

    async def _open_listings(self, scope: Scope) -> None:
        """Also of destinations that the hub holds nothing for: what is there then is there without its knowledge."""
        mine = [each for each in self.councils.destinations() if scope.council in (None, each.council)]
        systems = [await self._system(each.id) for each in mine if each.can("changes")]
        since = scope.since - _CLOCKS_DIFFER
        await asyncio.gather(*(system.list_changes(since) for system in systems if system.connector is not None))

    async def _system(self, name: str) -> _System:
        known = self._systems.get(name)
        if known is None:
            known = self._systems[name] = await self._meet(name)
        return known

    async def _meet(self, name: str) -> _System:
        asked = Asked(destination=name, how="none")
        try:
            destination = self.councils.destination(name)
        except NotThere:
            asked.code = "no_destination"
            return _System(asked=asked, destination=None)
        asked.how = "listing" if destination.can("changes") else "find" if destination.can("find") else "none"
        system = _System(asked=asked, destination=destination)
        if asked.how == "none":
            return system
        asked.code = await self._closed(destination)
        if asked.code is None:
            try:
                system.connector = self.pool.get(destination)
            except HubError as failure:
                asked.code = _code(failure)
        system.free = asyncio.Semaphore(min(AT_ONCE, destination.limits.concurrency))
        return system

    async def _closed(self, destination: Destination) -> str | None:
        """A person's pause and a maintenance window hold for this as for everything else."""
        if destination.closed_until(self.clock()) is not None:
            return "closed"
        try:
            row = await self.store.read(lambda connection: destinations.get(connection, destination.id))
        except NotThere:
            return None
        return "paused" if row.paused_at is not None else None

    async def _page(self, page: Iterable[Accepted]) -> None:
        pieces = [piece for accepted in page for piece in accepted.pieces]
        for accepted in page:
            first = accepted.pieces[0]
            self._account.line(first.council, first.service, first.day).submissions += 1
        for piece in pieces:
            if piece.destination is not None and self.lookup:
                (await self._system(piece.destination)).unmatched.discard(piece.reference)
        found = await self._looked(pieces, thorough=False)
        doubtful = [piece for piece, said in found if _is_wrong(said)]
        if doubtful and self.lookup:
            await asyncio.sleep(SECOND_LOOK.total_seconds())
            now = await self.store.read(lambda connection: reconcile.again(connection, doubtful))
            second = await self._looked([now.get(piece.delivery or "", piece) for piece in doubtful], thorough=True)
            found = [(piece, said) for piece, said in found if not _is_wrong(said)] + second
        for piece, said in found:
            self._tell(piece, said)

    async def _looked(
        self, pieces: Sequence[Piece], *, thorough: bool
    ) -> list[tuple[Piece, list[tuple[Finding, str | None]]]]:
        there = await asyncio.gather(*(self._there(piece, thorough=thorough) for piece in pieces))
        return [(piece, compare(piece, found)) for piece, found in zip(pieces, there, strict=True)]

    async def _there(self, piece: Piece, *, thorough: bool) -> Sequence[str | None] | None:
        system = self._systems.get(piece.destination or "")
        if system is None or system.connector is None:
            return None
        return await system.there(piece.reference, thorough=thorough)

    def _tell(self, piece: Piece, said: Iterable[tuple[Finding, str | None]]) -> None:
        line = self._account.line(piece.council, piece.service, piece.day)
        line.accepted += 1
        line.standings[piece.standing] += 1
        if piece.standing is Standing.UNEXPLAINED:
            self._account.say(_said(Standing.UNEXPLAINED, piece, None))
        for finding, there in said:
            line.findings[finding] += 1
            if finding in (Finding.MISSING, Finding.EXTRA):
                self._account.say(_said(finding, piece, there))

    async def _strangers(self, system: _System, scope: Scope) -> None:
        """What a listing shows under a reference of our form that the hub knows nothing of."""
        name, ours = system.asked.destination, sorted(filter(OUR_REFERENCE.fullmatch, system.unmatched))
        for start in range(0, len(ours), reconcile.PAGE):
            some = ours[start : start + reconcile.PAGE]
            for reference in sorted(set(some) - await self._held(name, some)):
                for change in (system.listing or {})[reference]:
                    if scope.since <= change.at < scope.until + _CLOCKS_DIFFER:
                        self._stranger(name, reference, change)

    async def _held(self, destination: str, references: Sequence[str]) -> frozenset[str]:
        return await self.store.read(lambda connection: reconcile.held(connection, destination, references))

    def _stranger(self, destination: str, ours: str, change: StatusChange) -> None:
        council, day = destination.split("/")[0], change.at.astimezone(LONDON).date()
        self._account.line(council, "", day).findings[Finding.EXTRA] += 1
        self._account.say(
            Said(finding=Finding.EXTRA, council=council, service=None, day=day, destination=destination,
                 reference=ours, there=change.reference)
        )  # fmt: skip


def _is_wrong(said: Iterable[tuple[Finding, str | None]]) -> bool:
    return any(finding in (Finding.MISSING, Finding.EXTRA) for finding, _ in said)


def _said(finding: Finding | Standing, piece: Piece, there: str | None) -> Said:
    return Said(
        finding=finding, council=piece.council, service=piece.service, day=piece.day,
        destination=piece.destination, reference=piece.reference, theirs=piece.theirs, there=there,
    )  # fmt: skip
