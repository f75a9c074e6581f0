"""A turn for each call: what the hub gives the seam, so that no system is asked faster than it may be."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

import aiohttp

if TYPE_CHECKING:
    from aiohttp.connector import Connection


class Turn(Protocol):
    """One call's turn among all calls to its destination, over all workers."""

    async def come(self) -> None:
        """Wait until it is this call's turn, or nearly. Nothing has left and no deadline runs meanwhile."""

    async def leave(self) -> None:
        """Wait for the exact moment; for another one where this call has missed its own. Bytes leave at once after."""


class Pace(Protocol):
    """Gives out the turns of one destination."""

    def turn(self, *, write: bool) -> Turn | None:
        """A turn for a call; None where nothing is to be kept to, which costs nothing."""


#: The turn of the call that this task is making.
turn_now: ContextVar[Turn | None] = ContextVar("turn_now", default=None)


class PacedRequest(aiohttp.ClientRequest):
    """Leaves when it is its turn: by then it has its connection, and nothing is left that could take time."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        turn = turn_now.get()
        if turn is not None:
            await turn.leave()
        return await super().send(conn)
