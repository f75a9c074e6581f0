"""What is committed while a connector speaks: that a write leaves, and that the case was taken."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from hub.dispatch.evidence import place
from hub.fuse import UNARMED, CrashPoint, Fuse
from hub.model import Phase
from hub.store.attempts import Sending, Took
from hub.store.claims import Claimed
from hub.store.store import Store

#: A create that is over within this time has its receipt in the conclusion, and needs no commit of its own for it.
#: Whoever is killed meanwhile leaves a doubt, as if he had been killed a moment earlier; never a second case.
TOOK_AFTER = timedelta(milliseconds=20)


@dataclass(slots=True, kw_only=True)
class Marks:
    """The marks of one attempt. `over` is called when the connector has returned or raised, `written` at its end."""

    store: Store
    claimed: Claimed
    fuse: Fuse = UNARMED
    _sent: bool = False
    _due: asyncio.TimerHandle | None = None
    _writing: asyncio.Task[None] | None = None

    async def sending(self) -> None:
        """Durable before this returns: from here on a lost lease means that it may have been taken."""
        if self.claimed.phase is Phase.PREPARED:
            one = self.claimed
            await self.store.write(Sending(attempt=one.attempt, step=one.step, token=one.token))
        if not self._sent:
            self._sent = True
            self.fuse.sending(+1)
        self.fuse.reach(CrashPoint.BEFORE_SEND)
        self.fuse.leaving()

    async def took(self, reference_or_token: str) -> None:
        """Durable soon: at once if the connector goes on for longer, with the conclusion if it does not."""
        loop = asyncio.get_running_loop()

        def write() -> None:
            self._writing = loop.create_task(self._write(reference_or_token))

        self._due = loop.call_later(TOOK_AFTER.total_seconds(), write)

    async def over(self) -> None:
        if self._due is not None:
            self._due.cancel()
        if self._writing is not None:
            await asyncio.wait([self._writing])

    def written(self) -> None:
        if self._sent:
            self.fuse.sending(-1)

    async def _write(self, reference_or_token: str) -> None:
        sealed = self.store.sealer.seal(reference_or_token.encode(), place=place(self.claimed.attempt))
        await self.store.write(Took(attempt=self.claimed.attempt, took=sealed))
