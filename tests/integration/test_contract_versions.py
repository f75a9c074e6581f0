"""Two versions of a contract side by side: published, kept as they came, and sent in the words of each mapping."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, ConfigDict

from hub.assembly import Core, RunRole, make_hub, running, web_app
from hub.connector import Delivery, Http, Operation, Receipt, ReplaySafety
from hub.generation import CurrentCouncils
from hub.registry import Registry
from hub.settings import Settings
from hub.standard import SERVICES
from hub.store import canaries, front_ends
from hub.store.ids import uuid7
from hub.store.store import Store
from tests.asgi import Caller
from tests.stores import HASHER, SEALER, lay

COUNCIL = """\
council: Northborough
slug: northborough
gss: E07000999
calendar: england-and-wales
destinations:
  old: {connector: depot, settings: {}}
  new: {connector: depot, settings: {}}
routes:
  - {service: missed-bin, to: old, mapping: old.yaml, when: "{{ details.reason != 'spillage' }}"}
  - {service: missed-bin, to: new, mapping: new.yaml}
"""
#: Written when there was one version.
OLD = """\
service: missed-bin
connector: depot
each: container in details.containers
create:
  operation: Book
  record: {to: old, bin: "{{ container.waste_type }}", why: "{{ details.reason_other | default(details.reason) }}",
           day: "{{ details.collection_date | default('unknown') }}"}
"""
NEW = """\
service: missed-bin
version: 2
connector: depot
each: container in details.containers
create:
  operation: Book
  record: {to: new, bin: "{{ container.waste_type }}", why: "{{ container.reason_other | default(container.reason) }}",
           day: "{{ container.collection_date | default('unknown') }}"}
"""
KEY = "key of the shared front end"
REFUSE = {"waste_type": "refuse", "reason": "part_collected", "collection_date": "2026-03-05"}
FOOD = {"waste_type": "food", "reason": "not_collected", "collection_date": "2026-03-09"}


class Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Job(BaseModel):
    model_config = ConfigDict(extra="forbid")

    to: str
    bin: str
    why: str
    day: str


def depot(records: list[Job]) -> type[Any]:
    class Depot:
        """A depot in a test."""

        name: ClassVar[str] = "depot"
        simulator: ClassVar[str] = ""
        Settings: ClassVar[type[BaseModel]] = Nothing
        operations: ClassVar[dict[str, Operation]] = {"Book": Operation(Job, replay_safety=ReplaySafety.IDEMPOTENT)}

        def __init__(self, settings: Nothing, http: Http) -> None: ...

        async def create(self, record: Job, delivery: Delivery) -> Receipt:
            await delivery.sending()
            records.append(record)
            return Receipt(reference=f"J-{len(records)}")

    return Depot


@dataclass
class Walk:
    """A hub in this process with its front door, and what its depot was told."""

    caller: Caller
    records: list[Job] = field(default_factory=list)

    async def send(self, *, version: int, **details: Any) -> Any:
        body = {**SERVICES["missed-bin"].good[0].body, "version": version, "details": details}
        answer = await self.caller.post("/v1/submissions", body)
        assert answer.status == 202, answer.body
        return answer.json()

    async def told(self, *, version: int, **details: Any) -> list[tuple[str, str, str, str]]:
        """What arrives of a submission, sorted: to which destination, which bin, why, and of which day."""
        here = (await self.send(version=version, **details))["links"]["self"].partition("/v1/")[2]
        async with asyncio.timeout(20):
            while not (status := (await self.caller.get(f"/v1/{here}")).json())["final"]:
                await asyncio.sleep(0.02)
        assert status["status"] == "delivered", status
        return sorted((one.to, one.bin, one.why, one.day) for one in self.records)


@asynccontextmanager
async def walk(folder: Path) -> AsyncIterator[Walk]:
    council = folder / "mappings" / "northborough"
    council.mkdir(parents=True)
    for name, text in (("council", COUNCIL), ("old", OLD), ("new", NEW)):
        (council / f"{name}.yaml").write_text(text)
    url = f"sqlite:///{folder}/hub.db"
    settings = Settings.read({"HUB_DATABASE_URL": url, "HUB_TICK": "100ms", "HUB_MAPPINGS": str(folder / "mappings")})
    store, records = Store(settings.database_url, sealer=SEALER, hasher=HASHER), list[Job]()
    try:
        lay(store, settings.database_url)
        store.transact_now(lambda c: canaries.check(c, SEALER, HASHER))
        store.transact_now(
            lambda c: front_ends.add(
                c, front_end=uuid7(), name="tests", hashed=front_ends.key_hash(HASHER, KEY), prefix=KEY[:8],
                councils=None, services=None,
            )
        )  # fmt: skip
        registry = Registry({"depot": depot(records)})
        councils = CurrentCouncils(store, registry=registry, secrets=str)
        councils.adopt(settings.mappings, by="tests")
        core = Core(settings=settings, store=store, registry=registry, councils=councils)
        async with running(make_hub(core, RunRole.ALL)) as hub:
            yield Walk(caller=Caller(web_app(hub), {"authorization": f"Bearer {KEY}"}), records=records)
    finally:
        store.close()


async def test_the_newest_front_end_reaches_a_council_that_knows_only_the_first_version(tmp_path: Path) -> None:
    async with walk(tmp_path) as here:
        told = await here.told(version=2, containers=[REFUSE, FOOD])
    why = "refuse: part_collected; food: not_collected"
    assert told == [
        ("new", "food", "not_collected", "2026-03-09"),
        ("new", "refuse", "part_collected", "2026-03-05"),
        ("old", "food", why, "unknown"),
        ("old", "refuse", why, "unknown"),
    ]


async def test_the_oldest_front_end_reaches_a_council_that_has_moved_on(tmp_path: Path) -> None:
    async with walk(tmp_path) as here:
        told = await here.told(version=1, containers=[{"waste_type": "glass"}], collection_date="2026-03-09")
    assert told == [
        ("new", "glass", "not_collected", "2026-03-09"),
        ("old", "glass", "not_collected", "2026-03-09"),
    ]


@pytest.mark.parametrize(
    ("version", "details"),
    [
        (1, {"containers": [{"waste_type": "food"}], "reason": "spillage"}),
        (2, {"containers": [{"waste_type": "food", "reason": "spillage"}]}),
    ],
)
async def test_a_route_decides_alike_whatever_version_was_sent(tmp_path: Path, version: int, details: Any) -> None:
    async with walk(tmp_path) as here:
        told = await here.told(version=version, **details)
    assert told == [("new", "food", "spillage", "unknown")]


async def test_each_version_is_refused_what_only_the_other_has(tmp_path: Path) -> None:
    async with walk(tmp_path) as here:
        for version, details, pointer in (
            (1, {"containers": [REFUSE]}, "#/details/containers/0/reason"),
            (2, {"containers": [{"waste_type": "food"}], "reason": "spillage"}, "#/details/reason"),
        ):
            body = {**SERVICES["missed-bin"].good[0].body, "version": version, "details": details}
            answer = await here.caller.post("/v1/submissions", body)
            assert answer.status == 422 and pointer in {fault["pointer"] for fault in answer.json()["errors"]}


async def test_what_was_sent_in_one_version_is_other_content_than_the_same_in_another(tmp_path: Path) -> None:
    async with walk(tmp_path) as here:
        for version, status in ((1, 202), (1, 202), (2, 422)):
            body = {**SERVICES["missed-bin"].good[0].body, "version": version}
            answer = await here.caller.post("/v1/submissions", body, idempotency_key="one-and-the-same")
            assert answer.status == status
