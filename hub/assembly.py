"""Puts the machine together; the only place that knows all the parts."""

from __future__ import annotations

import asyncio
import fcntl
import random
import socket
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import structlog
from fastapi import FastAPI

from hub import __version__
from hub.broker import Bell
from hub.councils import Councils
from hub.dispatch.attempt import Sender
from hub.dispatch.doubt import Doubts
from hub.dispatch.pool import ConnectorPool
from hub.dispatch.sweep import Sweep
from hub.dispatch.worker import Worker
from hub.errors import HubError, SettingsError
from hub.generation import CurrentCouncils
from hub.intake.app import Face, make_app
from hub.intake.deps import Deps
from hub.intake.limits import Rate
from hub.keys import database_file, keys_for
from hub.metrics import Metrics
from hub.model import ReplaySafety, StepKind
from hub.operations import Operations
from hub.registry import Registry
from hub.settings import Settings, secret
from hub.store import canaries, schema
from hub.store.ids import reference, uuid7
from hub.store.store import Store

log = structlog.get_logger()


EVIDENCE_FOR = timedelta(days=30)  #: from when what was sent and answered may be forgotten


class RunRole(StrEnum):
    """Which rooms a process runs."""

    ALL = "all"
    INTAKE = "intake"
    WORKER = "worker"
    CONSOLE = "console"

    @property
    def works(self) -> bool:
        return self in (RunRole.ALL, RunRole.WORKER)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What every process and every command has: settings, store, connectors, council files."""

    settings: Settings
    store: Store
    registry: Registry
    councils: CurrentCouncils


@contextmanager
def open_core(settings: Settings, *, upgrade: bool | None = None) -> Iterator[Core]:
    """Open the store with its keys proved. SQLite is brought to the newest schema; PostgreSQL must be there already."""
    sealer, hasher = keys_for(settings)
    store = Store(settings.database_url, sealer=sealer, hasher=hasher)
    try:
        if settings.sqlite if upgrade is None else upgrade:
            schema.upgrade(store.writing)
        schema.require(store.writing)
        store.transact_now(lambda connection: canaries.check(connection, sealer, hasher))
        registry = Registry.discover()
        councils = CurrentCouncils(store, registry=registry, secrets=secret)
        yield Core(settings=settings, store=store, registry=registry, councils=councils)
    finally:
        store.close()


def operations_for(core: Core, bell: Bell) -> Operations:
    def safety_of(council: str, route: str, kind: StepKind) -> ReplaySafety:
        try:
            return core.councils().find(council).route(route).safety(kind.value)
        except HubError:  # a route that is gone, or no council files at hand: assume the worst
            return ReplaySafety.UNSAFE

    return Operations(store=core.store, ring=bell.ring, safety_of=safety_of)


@contextmanager
def sole_owner(settings: Settings) -> Iterator[None]:
    """One process on one SQLite file: a second one is refused, for its claims would not be fenced from ours."""
    if not settings.sqlite:
        yield
        return
    path = database_file(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SettingsError(
                f"Another hub runs on {path}; stop it, or use PostgreSQL and RabbitMQ for more than one process."
            ) from None
        yield


def check_role(settings: Settings, role: RunRole) -> None:
    """Refuse what cannot work: memory and SQLite live in one process."""
    if role is RunRole.ALL:
        return
    if settings.sqlite:
        raise SettingsError(
            f"Role {role.value} needs a database that processes share; set HUB_DATABASE_URL=postgresql+psycopg://…, "
            "or run `hub run` for everything in one process."
        )
    if settings.broker_url.startswith("memory:"):
        raise SettingsError(
            f"Role {role.value} needs a broker that processes share; set HUB_BROKER_URL=amqp://…, "
            "or run `hub run` for everything in one process."
        )


@dataclass(slots=True, kw_only=True)
class Hub:
    """One running process: its rooms, and how they are started and stopped."""

    core: Core
    role: RunRole
    bell: Bell
    metrics: Metrics
    operations: Operations
    worker: Worker | None = None
    sweep: Sweep | None = None
    pool: ConnectorPool | None = None
    _loops: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self.bell.start(loop, self.worker.ring if self.worker else None)
        if self.sweep and self.worker:
            await self.sweep.start()
            self._loops += [loop.create_task(self.worker.run()), loop.create_task(self.sweep.run())]
        self._loops.append(loop.create_task(self.core.councils.follow()))

    async def stop(self) -> None:
        """Take nothing more, let what is away come back, then leave."""
        if self.worker:
            await self.worker.stop(patience=_longest_call(self.core.councils()))
        for task in self._loops:
            task.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        if self.sweep:
            await self.sweep.stop()
        if self.pool:
            await self.pool.close()
        await asyncio.to_thread(self.bell.stop)


def _longest_call(councils: Councils) -> timedelta:
    calls = [destination.limits.timeout for destination in councils.destinations()]
    return max(calls, default=timedelta(seconds=30)) + timedelta(seconds=5)


def make_hub(core: Core, role: RunRole) -> Hub:
    """Every part of one process, put together and not yet started."""
    settings = core.settings
    bell, metrics = Bell(settings.broker_url), Metrics()
    hub = Hub(core=core, role=role, bell=bell, metrics=metrics, operations=operations_for(core, bell))
    if not role.works:
        return hub
    hub.pool = ConnectorPool(registry=core.registry, secrets=secret)
    doubts = Doubts(store=core.store, pool=hub.pool)
    sender = Sender(
        store=core.store, councils=core.councils, pool=hub.pool, doubts=doubts, metrics=metrics, clock=now,
        dice=random.random, ids=uuid7, evidence_for=EVIDENCE_FOR,
    )  # fmt: skip
    hub.worker = Worker(
        id=uuid7(), store=core.store, sender=sender, councils=core.councils, ids=uuid7,
        slots=settings.max_in_flight, lease_margin=settings.lease_margin, tick=settings.tick,
    )  # fmt: skip
    hub.sweep = Sweep(
        store=core.store, worker=hub.worker, doubts=doubts, councils=core.councils, host=socket.gethostname(),
        role=role.value, version=__version__, silence=settings.lease_margin, sole=settings.sqlite,
    )  # fmt: skip
    return hub


@asynccontextmanager
async def running(hub: Hub) -> AsyncIterator[Hub]:
    await hub.start()
    try:
        yield hub
    finally:
        await hub.stop()


def web_app(hub: Hub, *, faces: Collection[Face] | None = None) -> FastAPI:
    """The doors of this process as an ASGI app: those of its role, or the `faces` named. It starts no rooms."""
    settings = hub.core.settings
    deps = Deps(
        store=hub.core.store, councils=hub.core.councils, ring=hub.bell.ring, clock=now, ids=uuid7,
        references=reference, metrics=hub.metrics, public_url=settings.public_url or "",
        max_body=settings.max_body, rate=Rate(per_second=settings.rate, burst=int(settings.rate * 4)),
        operations=hub.operations, serves=hub.role.value,
    )  # fmt: skip
    return make_app(deps, faces=faces)
