"""A hub in this process beside back offices of every replay safety: its store may be put back, its ledgers changed."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hub.assembly import Core, Hub, RunRole, make_hub, now, running, web_app
from hub.connector import Connector
from hub.connector.testing import Running, spawn
from hub.connector.testing.scriptable import ALL
from hub.generation import CurrentCouncils
from hub.intake.taking import Letter, take
from hub.model import FrontEnd
from hub.registry import Registry
from hub.settings import Settings
from hub.store import canaries, tables
from hub.store.ids import uuid7
from hub.store.store import Store
from tests.bodies import missed_bin
from tests.stores import HASHER, SEALER, lay

#: What a repeat does at each destination, with its connector and its back office.
CLASSES = {
    "idempotent": ("scriptable", "app"),
    "rejects": ("scriptable-rejects", "rejects"),
    "lookup": ("scriptable-lookup", "plain"),
    "listing": ("scriptable-listing", "plain"),
    "unsafe": ("scriptable-unsafe", "plain"),
}
COUNCIL = """\
council: Northborough
slug: northborough
gss: E07000999
calendar: england-and-wales
destinations:
"""
DESTINATION = """\
  {name}: {{connector: {connector}, settings: {{url: "{url}"}}, limits: {{concurrency: 2, timeout: 5s}}}}
"""
ROUTE = """\
  - service: missed-bin
    to: {name}
    when: "{{{{ front_end_reference | default('') == '{name}' }}}}"
    mapping: {name}.yaml
    name: {name}
"""
MAPPING = """\
service: missed-bin
connector: %s
create: {operation: CreateCase, record: {title: "{{ hub.reference }}"}}
"""


@dataclass
class Place:
    """A folder with a hub's council files, and the councils' systems beside it."""

    folder: Path
    database_url: str
    offices: dict[str, Running]
    settings: dict[str, str] = field(default_factory=dict)
    connectors: Sequence[type[Connector]] = ALL
    front_end: FrontEnd = field(
        default_factory=lambda: FrontEnd(id=uuid7(), name="tests", councils=None, services=None)
    )

    @property
    def environment(self) -> dict[str, str]:
        """The same hub for the command line."""
        return {
            "HUB_DATABASE_URL": self.database_url,
            "HUB_MAPPINGS": str(self.folder / "mappings"),
            "HUB_ENCRYPTION_KEYS": ",".join(f"{name}:{_text(key)}" for name, key in SEALER.keys.items()),
            "HUB_HASH_KEY": _text(HASHER.key),
        }

    @contextmanager
    def core(self) -> Iterator[Core]:
        settings = Settings.read({"HUB_DATABASE_URL": self.database_url, "HUB_TICK": "100ms", **self.settings})
        store = Store(settings.database_url, sealer=SEALER, hasher=HASHER)
        try:
            lay(store, settings.database_url)
            store.transact_now(lambda c: canaries.check(c, SEALER, HASHER))
            registry = Registry({connector.name: connector for connector in self.connectors})
            councils = CurrentCouncils(store, registry=registry, secrets=str)
            councils.adopt(self.folder / "mappings", by="tests")
            yield Core(settings=settings, store=store, registry=registry, councils=councils)
        finally:
            store.close()

    @asynccontextmanager
    async def hub(self) -> AsyncIterator[Hub]:
        with self.core() as core:
            async with running(make_hub(core, RunRole.ALL)) as hub:
                yield hub

    async def publish(self, hub: Hub, kind: str) -> str:
        """A submission for the destination of this replay safety; its reference."""
        app: Any = web_app(hub)
        raw = json.dumps(missed_bin() | {"front_end_reference": kind}).encode()
        letter = Letter(front_end=self.front_end, raw=raw, received_at=now())
        return (await take(letter, deps=app.state.room.deps)).reference

    def file(self, kind: str, ours: str) -> str:
        """Make a case behind the hub's back; the system's own reference."""
        raw = json.dumps({"our_reference": ours, "title": "by hand"}).encode()
        request = urllib.request.Request(
            f"{self.offices[kind].url}/cases", data=raw, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(json.load(answer)["reference"])

    def made(self) -> Counter[str]:
        """How often each reference of ours stands in a ledger."""
        return Counter(str(row["our_reference"]) for office in self.offices.values() for row in office.ledger())

    def back_up(self, name: str) -> None:
        with sqlite3.connect(self._file) as source, sqlite3.connect(self.folder / name) as target:
            source.backup(target)
        source.close()
        target.close()

    def put_back(self, name: str) -> None:
        for suffix in ("", "-wal", "-shm"):
            self._file.with_name(self._file.name + suffix).unlink(missing_ok=True)
        self._file.write_bytes((self.folder / name).read_bytes())

    @property
    def _file(self) -> Path:
        return Path(self.database_url.removeprefix("sqlite:///"))


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode()


@contextmanager
def offices_of(*kinds: str) -> Iterator[dict[str, Running]]:
    """Back offices of these replay safeties, by that name."""
    with ExitStack() as stack:
        yield {
            kind: stack.enter_context(spawn(f"hub.connector.testing.scriptable_simulator:{CLASSES[kind][1]}"))
            for kind in kinds
        }


def place_in(folder: Path, database_url: str, offices: dict[str, Running]) -> Place:
    """A place with a destination for each of these back offices."""
    council = folder / "mappings" / "northborough"
    council.mkdir(parents=True)
    text = COUNCIL
    for name, office in offices.items():
        connector = CLASSES[name][0]
        text += DESTINATION.format(name=name, connector=connector, url=office.url)
        (council / f"{name}.yaml").write_text(MAPPING % connector)
    (council / "council.yaml").write_text(text + "routes:\n" + "".join(ROUTE.format(name=n) for n in offices))
    return Place(folder=folder, database_url=database_url, offices=offices)


def standing(store: Store) -> dict[str, Any]:
    """Every delivery's create step, by our reference."""
    step, delivery = tables.step.c, tables.delivery.c
    query = sa.select(delivery.our_reference, step.id, step.destination, step.state, step.due_at).join(
        tables.delivery, delivery.id == step.delivery
    )
    return {row.our_reference: row for row in store.read_now(lambda c: list(c.execute(query)))}


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.05)


def is_at_rest(row: Any) -> bool:
    return row.state == "delivered" or (row.state == "unclear" and row.due_at is None)


def kind_of(row: Any) -> str:
    return str(row.destination.split("/")[1])
