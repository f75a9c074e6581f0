"""The generation of council files that this process runs, kept up with the store's newest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path

import structlog
from sqlalchemy import Connection

from hub.core.findings import Severity
from hub.councils import Councils, Finding, load, read_tree
from hub.errors import HubError, StoreUnavailable
from hub.registry import Registry
from hub.store import audit, destinations, generations
from hub.store.destinations import DestinationSpec
from hub.store.store import Store

log = structlog.get_logger()

LOOK_EVERY = timedelta(seconds=2)


class CouncilFilesRefused(HubError):
    """The council files have faults; nothing was changed. `hub check` lists them with their remedies."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        errors = [finding for finding in self.findings if finding.severity is Severity.ERROR]
        first = errors[0] if errors else None
        told = f" The first of {len(errors)}: {first.file}:{first.line} {first.message}" if first else ""
        super().__init__(f"{(type(self).__doc__ or '').strip()}{told}")


class CurrentCouncils:
    """Calling it gives the councils in force. Every process, on every host, runs the same generation."""

    def __init__(self, store: Store, *, registry: Registry, secrets: Callable[[str], str]) -> None:
        self._store = store
        self._registry = registry
        self._secrets = secrets
        self._councils: Councils | None = None

    def __call__(self) -> Councils:
        if self._councils is None:
            raise CouncilFilesRefused(())
        return self._councils

    def adopt(self, folder: Path, *, by: str) -> Councils:
        """Check a folder and make it the next generation, or refuse it whole with CouncilFilesRefused. Blocks."""
        files = read_tree(folder)
        loaded = load(files, registry=self._registry, secrets=self._secrets)
        if loaded.councils is None:
            raise CouncilFilesRefused(loaded.findings)

        def work(connection: Connection) -> int:
            before = generations.newest_number(connection)
            number = generations.add(connection, files, by=by)
            if number != before:
                audit.record(connection, actor=by, verb="reload", subject=f"generation {number}")
            destinations.sync(connection, _specs(loaded.councils))  # type: ignore[arg-type]
            return number

        return self._use(files, number=self._store.transact_now(work))

    def load_newest(self) -> bool:
        """Use the store's newest generation, if it is not in use yet. Blocks. False when the store holds none."""
        newest = self._store.read_now(generations.newest)
        if newest is None:
            return False
        if self._councils is None or newest.number != self._councils.generation:
            self._use(newest.files, number=newest.number)
        return True

    async def follow(self) -> None:
        """Keep up with reloads made anywhere, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY.total_seconds())
            try:
                number = await self._store.read(generations.newest_number)
                if self._councils is None or number != self._councils.generation:
                    await asyncio.to_thread(self.load_newest)
            except StoreUnavailable:
                continue
            except HubError as failure:
                # This host lacks a connector or a secret that another has: keep the generation that works.
                log.error("generation.refused", error=type(failure).__name__)
            except Exception:
                log.exception("generation.unread")

    def _use(self, files: Mapping[str, str], *, number: int) -> Councils:
        # These files were checked, cases and all, when they were adopted.
        loaded = load(files, registry=self._registry, secrets=self._secrets, generation=number, cases=False)
        if loaded.councils is None:
            raise CouncilFilesRefused(loaded.findings)
        self._councils = loaded.councils
        log.info("generation.in_force", generation=number, councils=len(loaded.councils.slugs))
        return loaded.councils


def _specs(councils: Councils) -> Iterable[DestinationSpec]:
    for destination in councils.destinations():
        yield DestinationSpec(
            id=destination.id,
            council=destination.council,
            name=destination.name,
            connector=destination.connector,
            concurrency=destination.limits.concurrency,
            per_second=destination.limits.per_second,
            breaker=destination.breaker,
        )
