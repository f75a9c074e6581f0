"""Puts the machine together; the only place that knows all the parts."""

from __future__ import annotations

import asyncio
import fcntl
import random
import socket
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

import structlog
from fastapi import FastAPI

from hub import __version__
from hub.broker import Bell
from hub.broker.line import Patience
from hub.broker.mailbox import Mailbox
from hub.broker.outage import Outage
from hub.broker.queues import Mailboxes
from hub.bulk import Bulk
from hub.bulk_preview import Previewer
from hub.core.retention import Keep
from hub.councils import Councils
from hub.dispatch.attempt import Sender
from hub.dispatch.bulk import BulkJob
from hub.dispatch.conclusions import Conclusions
from hub.dispatch.doubt import Doubts
from hub.dispatch.health import Pulse
from hub.dispatch.pace import Pacer
from hub.dispatch.pool import ConnectorPool
from hub.dispatch.resolver import Resolver
from hub.dispatch.retention import Retention
from hub.dispatch.steps import Steps
from hub.dispatch.sweep import Sweep
from hub.dispatch.worker import Worker
from hub.errors import HubError, SettingsError
from hub.fuse import UNARMED, Fuse
from hub.generation import CurrentCouncils
from hub.intake.amqp import QueueDoor
from hub.intake.app import Face, make_app
from hub.intake.deps import Deps
from hub.intake.limits import Rate
from hub.keys import database_file, keys_for
from hub.metrics import Metrics
from hub.model import ReplaySafety, StepKind
from hub.operations import Operations
from hub.past import Past
from hub.registry import Registry
from hub.settings import Settings, secret
from hub.store import canaries, schema
from hub.store.ids import reference, uuid7
from hub.store.store import BLOBS, Store

log = structlog.get_logger()


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


def clock_for(settings: Settings) -> Callable[[], datetime]:
    """This process's clock; a rehearsal may have set it wrong."""
    skew = settings.clock_skew
    return (lambda: now() + skew) if skew else now


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
    store = Store(settings.database_url, sealer=sealer, hasher=hasher, blobs=settings.blobs)
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


def safety_of(councils: Callable[[], Councils]) -> Callable[[str, str, StepKind], ReplaySafety]:
    """What a repeat does, by council, route name and kind of step."""

    def safety(council: str, route: str, kind: StepKind) -> ReplaySafety:
        try:
            return councils().find(council).route(route).safety(kind.value)
        except HubError:  # a route that is gone, or no council files at hand: assume the worst
            return ReplaySafety.UNSAFE

    return safety


def retention_for(core: Core, fuse: Fuse = UNARMED) -> Retention:
    """What forgets, as the settings say."""
    return Retention(store=core.store, keep=keep_for(core.settings), reach=fuse.reach)


def keep_for(settings: Settings) -> Keep:
    return Keep(content=settings.retention_content, evidence=settings.retention_evidence)


def operations_for(core: Core, bell: Bell) -> Operations:
    return Operations(store=core.store, ring=bell.ring, safety_of=safety_of(core.councils))


def bulk_for(core: Core) -> Bulk:
    """The verbs on many."""
    past = Past(core.store, registry=core.registry)
    preview = Previewer(store=core.store, councils=core.councils, past=past, safety_of=safety_of(core.councils))
    return Bulk(store=core.store, preview=preview)


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
    bulk: Bulk
    fuse: Fuse
    worker: Worker | None = None
    sweep: Sweep | None = None
    door: QueueDoor | None = None
    mailbox: Mailbox | None = None
    pool: ConnectorPool | None = None
    _loops: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self.bell.start(loop, self.worker.ring if self.worker else None)
        if self.door and self.mailbox:
            self.door.open(self.mailbox, loop)
            self.mailbox.start()
        if self.sweep and self.worker:
            await self.sweep.start()
            self._loops += [loop.create_task(self.worker.run()), loop.create_task(self.sweep.run())]
        self._loops.append(loop.create_task(self.core.councils.follow()))

    async def rest(self) -> None:
        """Claim nothing more from this moment, and let what is away come back. May be called again."""
        if self.mailbox:
            self.mailbox.stop()
        if self.worker:
            await self.worker.stop(patience=_longest_call(self.core.councils()))

    async def stop(self) -> None:
        """Take nothing more, let what is away come back, then leave."""
        await self.rest()
        if self.door and self.mailbox:
            await asyncio.to_thread(self.mailbox.join, timeout=_MAILBOX_LEAVES.total_seconds())
            await self.door.close()
        for task in self._loops:
            task.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        self.core.store.hurry()
        if self.sweep:
            await self.sweep.stop()
        if self.pool:
            await self.pool.close()
        await asyncio.to_thread(self.bell.stop)


_MAILBOX_LEAVES = timedelta(seconds=8)  #: longer than it waits for what it has in hand


def _longest_call(councils: Councils) -> timedelta:
    calls = [destination.limits.timeout for destination in councils.destinations()]
    return max(calls, default=timedelta(seconds=30)) + timedelta(seconds=5)


def make_hub(core: Core, role: RunRole) -> Hub:
    """Every part of one process, put together and not yet started."""
    settings = core.settings
    bell, metrics, fuse = Bell(settings.broker_url), Metrics(), Fuse(settings.charge)
    hub = Hub(
        core=core, role=role, bell=bell, metrics=metrics, operations=operations_for(core, bell), bulk=bulk_for(core),
        fuse=fuse,
    )  # fmt: skip
    _add_queue_door(hub)
    if settings.blobs is None and not settings.sqlite and role is not RunRole.CONSOLE:
        log.warning("blobs.not_named", folder=str(BLOBS), remedy="set HUB_BLOBS to a folder that every process shares")
    if not role.works:
        return hub
    hub.pool = ConnectorPool(secrets=secret, pace=Pacer(store=core.store).of)
    doubts, pulse = Doubts(store=core.store, pool=hub.pool), Pulse(store=core.store, dice=random.random)
    steps = Steps(
        store=core.store, councils=core.councils, past=Past(core.store, registry=core.registry), pool=hub.pool
    )
    conclusions = Conclusions(
        store=core.store, metrics=metrics, ids=uuid7, evidence_for=settings.retention_evidence, fuse=fuse
    )
    sender = Sender(
        store=core.store, steps=steps, doubts=doubts, pulse=pulse, conclusions=conclusions, dice=random.random,
        fuse=fuse,
    )  # fmt: skip
    resolver = Resolver(store=core.store, steps=steps, doubts=doubts, pulse=pulse, conclusions=conclusions)
    hub.worker = Worker(
        id=uuid7(), store=core.store, sender=sender, resolver=resolver, clock=clock_for(settings),
        councils=core.councils, ids=uuid7, slots=settings.max_in_flight, lease_margin=settings.lease_margin,
        tick=settings.tick, fuse=fuse,
    )  # fmt: skip
    job = BulkJob(store=core.store, verbs=hub.bulk, safety_of=safety_of(core.councils), ring=hub.worker.ring,
                  fuse=fuse.reach)  # fmt: skip
    hub.sweep = Sweep(
        store=core.store, worker=hub.worker, doubts=doubts, bulk=job, retention=retention_for(core, fuse),
        councils=core.councils, host=socket.gethostname(), role=role.value, version=__version__,
        silence=settings.lease_margin, sole=settings.sqlite,
    )  # fmt: skip
    return hub


def _add_queue_door(hub: Hub) -> None:
    """Where front ends publish to a queue: with a broker that others can reach, in every process that takes things."""
    settings = hub.core.settings
    url = settings.door_url or settings.broker_url
    if hub.role not in (RunRole.ALL, RunRole.INTAKE) or url.startswith("memory:"):
        return
    hub.door = QueueDoor(deps_for(hub))
    where = ", ".join(urlsplit(node).netloc.rpartition("@")[2] for node in url.split(";"))
    outage = hub.bell.outage if url == settings.broker_url else Outage(broker=where)
    hub.mailbox = Mailbox(
        url, names=Mailboxes(), hear=hub.door.hear, patience=Patience(), outage=outage
    )  # fmt: skip


@asynccontextmanager
async def running(hub: Hub) -> AsyncIterator[Hub]:
    await hub.start()
    try:
        yield hub
    finally:
        await hub.stop()


def web_app(hub: Hub, *, faces: Collection[Face] | None = None) -> FastAPI:
    """The doors of this process as an ASGI app: those of its role, or the `faces` named. It starts no rooms."""
    return make_app(deps_for(hub), faces=faces)


def deps_for(hub: Hub) -> Deps:
    """What the front room needs of this process."""
    settings = hub.core.settings
    return Deps(
        store=hub.core.store, councils=hub.core.councils, ring=hub.bell.ring,
        clock=clock_for(settings), ids=uuid7, references=reference, metrics=hub.metrics,
        public_url=settings.public_url or "", max_body=settings.max_body,
        rate=Rate(per_second=settings.rate, burst=int(settings.rate * 4)),
        operations=hub.operations, bulk=hub.bulk, serves=hub.role.value, fuse=hub.fuse, keep=keep_for(settings),
    )  # fmt: skip
