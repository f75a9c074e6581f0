"""A hub in this process over council files that a test writes itself, beside pretend systems in the same process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hub.assembly import Core, Hub, RunRole, make_hub, now, running, web_app
from hub.connector import Connector
from hub.councils import load, read_tree
from hub.generation import CurrentCouncils
from hub.intake import follow_ups
from hub.intake.taking import Letter, take
from hub.model import FrontEnd, StepState
from hub.registry import Registry
from hub.settings import Settings, secret
from hub.store import canaries, deliveries, tables
from hub.store.accept import Accepted
from hub.store.ids import uuid7
from hub.store.store import Store
from hub.store.submissions import DeliveryView
from tests.stores import HASHER, SEALER, lay

FINISHED = (StepState.DELIVERED, StepState.DEAD, StepState.DISCARDED, StepState.UNCLEAR)


#: One for each choice of connectors: what is made of the shared patterns is kept with it.
_REGISTRIES: dict[tuple[tuple[str, type[Connector]], ...], Registry] = {}


@dataclass
class Live:
    """A hub, the folder of its council files, and what a test asks of it."""

    hub: Hub
    folder: Path
    councils: CurrentCouncils
    front_end: FrontEnd = field(
        default_factory=lambda: FrontEnd(id=uuid7(), name="tests", councils=None, services=None)
    )

    async def publish(self, body: Mapping[str, Any]) -> Accepted:
        app: Any = web_app(self.hub)
        letter = Letter(front_end=self.front_end, raw=json.dumps(body).encode(), received_at=now())
        return await take(letter, deps=app.state.room.deps)

    async def say(self, submission: str, words: Mapping[str, Any]) -> None:
        """A follow-up by the same front end."""
        app: Any = web_app(self.hub)
        await follow_ups.say(words, submission=submission, front_end=self.front_end, deps=app.state.room.deps)

    async def at_rest(self, submission: str) -> None:
        """Wait until every step of all its deliveries is delivered."""
        step = tables.step.c
        query = sa.select(step.id).where(step.submission == submission, step.state != StepState.DELIVERED.value)
        async with asyncio.timeout(20):
            while await self.hub.core.store.read(lambda c: c.execute(query).first()):
                await asyncio.sleep(0.02)

    async def deliveries(self, submission: str) -> list[DeliveryView]:
        wanted = deliveries.DeliveryFilter(submission=submission)
        return list((await self.hub.core.store.read(lambda c: deliveries.page(c, wanted))).items)

    async def settled(self, submission: str) -> list[DeliveryView]:
        """Its deliveries once none of them moves any more."""
        async with asyncio.timeout(20):
            while not all(each.state in FINISHED for each in await self.deliveries(submission)):
                await asyncio.sleep(0.02)
        return await self.deliveries(submission)

    async def unhurried(self, submission: str) -> list[DeliveryView]:
        """Its deliveries once all are delivered or dead: an unclear one is given the time to be resolved."""
        async with asyncio.timeout(30):
            while any(each.state not in FINISHED[:3] for each in await self.deliveries(submission)):
                await asyncio.sleep(0.02)
        return await self.deliveries(submission)

    def write(self, slug: str, council: str) -> None:
        """Change a council's file and make it the next generation."""
        write(self.folder, slug, council)
        self.councils.adopt(self.folder, by="tests")


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.02)


def write(folder: Path, slug: str, council: str) -> None:
    (folder / slug).mkdir(parents=True, exist_ok=True)
    (folder / slug / "council.yaml").write_text(council)


def kept(folder: Path, **secrets: str) -> dict[str, str]:
    """Put these away as files, where council files may refer to them; the references."""
    for name, value in secrets.items():
        (folder / name).write_text(value)
    return {name: f"file:{folder / name}" for name in secrets}


def findings(folder: Path, *, registry: Registry) -> list[str]:
    """What `hub check` says of a folder: nothing of the patterns, which come with the hub."""
    made = load(read_tree(folder), registry=registry, secrets=secret)
    ours = [each for each in made.findings if not each.file.startswith("patterns/")]
    return [f"{each.file}:{each.line} {each.severity} {each.code} {each.message}" for each in ours]


@asynccontextmanager
async def live(folder: Path, *, registry: Registry) -> AsyncIterator[Live]:
    """Everything up in this event loop, from the files in `folder`/mappings."""
    registry = _REGISTRIES.setdefault(tuple((name, registry.get(name)) for name in registry.names), registry)
    settings = Settings.read(
        {
            "HUB_DATABASE_URL": f"sqlite:///{folder}/hub.db",
            "HUB_TICK": "100ms",
            "HUB_MAPPINGS": str(folder / "mappings"),
        }
    )
    store = Store(settings.database_url, sealer=SEALER, hasher=HASHER)
    try:
        lay(store, settings.database_url)
        store.transact_now(lambda connection: canaries.check(connection, SEALER, HASHER))
        councils = CurrentCouncils(store, registry=registry, secrets=secret)
        councils.adopt(settings.mappings, by="tests")
        core = Core(settings=settings, store=store, registry=registry, councils=councils)
        async with running(make_hub(core, RunRole.ALL)) as hub:
            yield Live(hub=hub, folder=settings.mappings, councils=councils)
    finally:
        store.close()
