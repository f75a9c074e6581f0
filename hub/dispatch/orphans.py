"""Sweeps up files that no row knows: whoever wrote them died before the commit, or was refused after it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import Connection

from hub.store import attachments, jobs, retention
from hub.store.blobs import folder_of
from hub.store.ids import first_id
from hub.store.retention import Run
from hub.store.store import Store

log = structlog.get_logger()

#: Nothing younger is touched: its transaction may still be under way, on a machine whose clock is off.
OLDER: Final = timedelta(days=1)
#: By the clock of the folder's own machine, where that is another. Shorter: a name is as old as its first byte.
_UNTOUCHED: Final = OLDER / 2
#: Where the sweep came to, in the memory of the job: nothing is written into folders that are older.
REACHED: Final = "files"
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphans:
    """Goes through each folder once, when everything in it is old enough. Any number may run."""

    store: Store

    async def sweep(self, run: Run) -> int:
        """How many there were. Raises StoreUnavailable."""
        reached, until, swept = run.starts.get(REACHED, ""), folder_of(first_id(run.now - OLDER)), 0
        for folder in await self.store.blobs.folders(after=reached, before=until):
            swept += await self._folder(folder)
            await self.store.transact(lambda c, folder=folder: _reach(c, folder))  # type: ignore[misc]
        if swept:
            log.warning("retention.orphans", files=swept, meaning="files were written that no submission came to have")
        return swept

    async def _folder(self, folder: str) -> int:
        names = await self.store.blobs.names(folder, older=_UNTOUCHED)
        swept = 0
        for some in _portions(sorted(names.items())):
            orphans = await self._without_a_row(dict(some))
            await self.store.blobs.remove(orphans)
            swept += len(orphans)
        await self.store.blobs.drop_empty(folder)
        return swept

    async def _without_a_row(self, names: dict[str, str]) -> list[str]:
        ids = set(names.values())
        unknown = await self.store.read(lambda connection: attachments.without_a_row(connection, ids))
        return [blob for blob, id in names.items() if id in unknown or blob.endswith(".part")]


def _portions(items: list[tuple[str, str]]) -> Iterable[list[tuple[str, str]]]:
    return (items[at : at + _AT_ONCE] for at in range(0, len(items), _AT_ONCE))


def _reach(connection: Connection, folder: str) -> None:
    state = jobs.lock_state(connection, retention.NAME)
    if state is not None:
        jobs.keep_state(connection, retention.NAME, state | {REACHED: max(state.get(REACHED, ""), folder)})
