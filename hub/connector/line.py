"""Any other wire than HTTP: the same turn, the same deadline, the same evidence."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from hub.connector.apart import Apart
from hub.connector.door import Delivery
from hub.connector.evidence import CAP, Exchange, recorder
from hub.connector.http import Http
from hub.connector.outcomes import of_code, of_transport
from hub.connector.pacing import Turn
from hub.errors import DeliveryFailure

Said = TypeVar("Said")


class Call:
    """One call while it is under way, as the connector that makes it sees it.

    `said` and `heard` keep what a person may be shown: never tell them a
    credential. The product's own code for how it went is `status`.
    """

    def __init__(self, *, delivery: Delivery | None, turn: Turn | None) -> None:
        self.left = False  #: whether what cannot be taken back may have happened
        self.writes = delivery is not None
        self.status: int | None = None
        self._delivery = delivery
        self._turn = turn
        self._said: list[bytes] = []
        self._heard: list[bytes] = []

    async def leaves(self) -> None:
        """What cannot be taken back comes next: it is marked, and it waits for its turn. Only in a write.

        Until here nothing was done, so whatever goes wrong is Unavailable;
        from here on it may have been, and is Unclear. Say it as late as the
        product allows.
        """
        if self._delivery is None:
            raise RuntimeError("a read leaves nothing behind; change the case with `write`")
        await self._delivery.sending()
        self.left = await self._in_turn(self._delivery)

    def said(self, what: str | bytes) -> None:
        _keep(self._said, what)

    def heard(self, what: str | bytes) -> None:
        _keep(self._heard, what)

    def failed(self, code: str, *reasons: str) -> DeliveryFailure:
        """What to raise where nobody can say how it went: Unclear once it has left, Unavailable before."""
        failure = of_code(code, write=self.writes, left=self.left)
        failure.reasons = reasons
        return failure

    def told(self) -> tuple[bytes, bytes]:
        """All that was said, and all that was heard."""
        return b"\n".join(self._said), b"\n".join(self._heard)

    async def _in_turn(self, delivery: Delivery) -> bool:
        if self._turn is None:
            return True
        came = False
        try:
            await self._turn.leave()
            came = True
        finally:
            if not came:
                delivery.not_taken()
        return True


class Line:
    """The calls of one destination that does not speak HTTP: a mail server, a folder, a port.

    Made from the `Http` that a connector is given, whose terms it keeps to. It
    opens nothing and knows no protocol: `talk` does, within the one deadline
    for everything. `talk` may raise any OSError, EOFError or TimeoutError, and
    the failure is the right one by whether it had left.
    """

    def __init__(self, http: Http, *, name: str) -> None:
        self._terms = http.terms
        self._apart = Apart(name=name)

    async def read(self, verb: str, address: str, talk: Callable[[Call], Awaitable[Said]]) -> Said:
        """Ask something. May be repeated at will, so it is never Unclear."""
        turn = self._turn(write=False)
        if turn is not None:
            await turn.come()
            await turn.leave()
        return await self._hold(Call(delivery=None, turn=None), verb, address, talk)

    async def write(self, delivery: Delivery, verb: str, address: str, talk: Callable[[Call], Awaitable[Said]]) -> Said:
        """Make or change the case. `talk` awaits `call.leaves()` just before what cannot be taken back."""
        turn = self._turn(write=True)
        if turn is not None:
            await turn.come()
        return await self._hold(Call(delivery=delivery, turn=turn), verb, address, talk)

    async def apart(self, work: Callable[[], Said]) -> Said:
        """Blocking work, done in a thread while the event loop turns.

        A deadline ends the wait and not the work, so what may be cut off must
        be harmless if it goes on by itself.
        """
        return await self._apart.run(work)

    def _turn(self, *, write: bool) -> Turn | None:
        return self._terms.pace.turn(write=write) if self._terms.pace is not None else None

    async def _hold(self, call: Call, verb: str, address: str, talk: Callable[[Call], Awaitable[Said]]) -> Said:
        log, started, code = recorder(), time.monotonic(), "bug"
        try:
            outcome = await self._talk(call, talk)
            code = outcome.code if isinstance(outcome, DeliveryFailure) else ""
        except asyncio.CancelledError:
            code = "cancelled"
            raise
        finally:
            if log is not None:
                log.append(self._kept(call, verb, address, code, started))
        if isinstance(outcome, DeliveryFailure):
            raise outcome
        return outcome

    async def _talk(self, call: Call, talk: Callable[[Call], Awaitable[Said]]) -> Said | DeliveryFailure:
        trouble: Exception
        try:
            async with asyncio.timeout(self._terms.timeout) as deadline:
                return await talk(call)
        except DeliveryFailure as failure:
            return failure
        except (OSError, EOFError) as error:  # a TimeoutError is an OSError
            trouble = error
        if deadline.expired():
            return call.failed("read_timeout" if call.left else "deadline")
        # Made outside the `except`: the system's texts name files and hosts, and must not hang on as __context__.
        return of_transport(trouble, write=call.writes, left=call.left)

    def _kept(self, call: Call, verb: str, address: str, code: str, started: float) -> Exchange:
        veil = self._terms.veil
        said, heard = call.told()
        return Exchange(
            method=verb,
            url=veil.cover_text(address),
            request_headers=(),
            request=veil.cover(said),
            status=call.status,
            response_headers=(),
            response=veil.cover(heard),
            failure=code or None,
            started_at_monotonic=started,
            ms=(time.monotonic() - started) * 1000,
        )


def _keep(kept: list[bytes], what: str | bytes) -> None:
    # A secret that straddles the cut is looked for whole, so a little more is kept than will be shown.
    if sum(map(len, kept)) < 2 * CAP:
        kept.append((what.encode("utf-8", "replace") if isinstance(what, str) else what)[: 2 * CAP])
