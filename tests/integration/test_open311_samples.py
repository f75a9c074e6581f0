"""Reports as FixMyStreet sends them, on real sockets: to the record in the council's system, and back to the reader."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import uvicorn

from hub.assembly import Core, RunRole, make_hub, running, web_app
from hub.connector.testing import Running, spawn
from hub.generation import CurrentCouncils
from hub.registry import Registry
from hub.settings import Settings, secret
from hub.store import canaries, front_ends
from hub.store.ids import uuid7
from hub.store.store import Store
from tests.open311 import FLY_TIP, MISSED, Pair, form, multipart, xml_in
from tests.stores import HASHER, SEALER, lay

ROOT = Path(__file__).parent.parent.parent
KEY = "test"  # what the samples carry
OFFICES = {
    "NORTHBOROUGH_WASTE": "connectors.whitespace.simulator:app",
    "NORTHBOROUGH_CRM": "connectors.jadu.simulator:app",
    "EASTVALE_CRM": "hub.connector.testing.scriptable_simulator:app",
}
EASTVALE = """
council: Eastvale District Council
slug: eastvale
gss: E07000998
calendar: england-and-wales
destinations:
  crm: {connector: scriptable, settings: {url: "env:EASTVALE_CRM_URL"}}
routes:
  - service: fly-tipping
    to: crm
    mapping:
      service: fly-tipping
      connector: scriptable
      create:
        operation: CreateCase
        record:
          title: "{{ details.land_type ~ ', ' ~ (details.waste_types | join_lines(', ')) }}"
          uprn: "{{ location.easting ~ ' ' ~ location.northing }}"
          description: "{{ contact.full_name ~ ' saw ' ~ details.offender_description ~ ' ' ~ description }}"
"""
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")


@dataclass(frozen=True, slots=True)
class Town:
    """A hub behind a real server, and the ledgers of its councils' systems."""

    url: str
    offices: dict[str, Running]

    async def post(self, council: str, body: bytes, kind: str) -> Any:
        headers = {"Content-Type": kind, "User-Agent": "libwww-perl/6.76", "TE": "deflate,gzip;q=0.3"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.url}/open311/{council}/requests.xml", data=body, headers=headers) as answer,
        ):
            assert answer.status == 200, await answer.text()
            return xml_in(await answer.read())["request"][0]["service_request_id"]

    async def send(self, council: str, pairs: tuple[Pair, ...]) -> Any:
        return await self.post(council, form(pairs), "application/x-www-form-urlencoded")

    async def record(self, office: str, reference: str) -> dict[str, Any]:
        """The one record that came of a report."""
        async with asyncio.timeout(30):
            while not (rows := self._rows(office, reference)):
                await asyncio.sleep(0.05)
        [row] = rows
        record: dict[str, Any] = row["record"]
        return record

    def _rows(self, office: str, reference: str) -> list[dict[str, Any]]:
        return [row for row in self.offices[office].ledger() if row["our_reference"] == reference]


@pytest.fixture(scope="module")
def offices() -> Iterator[dict[str, Running]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(spawn(target)) for name, target in OFFICES.items()}


def kept_in_files(text: str, folder: Path, offices: dict[str, Running]) -> str:
    """A council's file with its references to the environment as references to files."""
    folder.mkdir(exist_ok=True)
    urls = {f"{name}_URL": office.url for name, office in offices.items()}
    for name in set(re.findall(r"env:([A-Z_]+)", text)):
        (folder / name).write_text(urls.get(name, "http://127.0.0.1:9"))
    return re.sub(r"env:([A-Z_]+)", rf"file:{folder}/\1", text)


@contextmanager
def core_in(folder: Path, offices: dict[str, Running]) -> Iterator[Core]:
    mappings = folder / "mappings"
    shutil.copytree(ROOT / "mappings" / "northborough", mappings / "northborough")
    (mappings / "eastvale").mkdir()
    (mappings / "eastvale" / "council.yaml").write_text(EASTVALE)
    for file in mappings.glob("*/council.yaml"):
        file.write_text(kept_in_files(file.read_text(), folder / "secrets", offices))
    settings = Settings.read({"HUB_DATABASE_URL": f"sqlite:///{folder}/hub.db", "HUB_TICK": "100ms"})
    store = Store(settings.database_url, sealer=SEALER, hasher=HASHER)
    try:
        lay(store, settings.database_url)
        store.transact_now(lambda c: canaries.check(c, SEALER, HASHER))
        store.transact_now(
            lambda c: front_ends.add(
                c, front_end=uuid7(), name="fixmystreet", hashed=front_ends.key_hash(HASHER, KEY), prefix=KEY,
                councils=None, services=None,
            )
        )  # fmt: skip
        registry = Registry.discover()
        councils = CurrentCouncils(store, registry=registry, secrets=secret)
        councils.adopt(mappings, by="tests")
        yield Core(settings=settings, store=store, registry=registry, councils=councils)
    finally:
        store.close()


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """The address of a real server in this loop."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, http="httptools", lifespan="off"
    )
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def town(folder: Path, offices: dict[str, Running]) -> AsyncIterator[Town]:
    with core_in(folder, offices) as core:
        async with running(make_hub(core, RunRole.ALL)) as hub, served(web_app(hub)) as url:
            yield Town(url, offices)


async def test_a_missed_collection_is_a_worksheet_in_whitespace(tmp_path: Path, offices: dict[str, Running]) -> None:
    async with town(tmp_path, offices) as here:
        reference = await here.send("northborough", MISSED)
        record = await here.record("NORTHBOROUGH_WASTE", reference)
        again = await here.send("northborough", MISSED)
    assert re.fullmatch(r"[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}", reference) and again == reference
    worksheet = record["CreateWorksheet"]["worksheetInput"]
    assert (worksheet["Uprn"], worksheet["ServiceId"], worksheet["WorksheetReference"]) == ("1000001", "81", reference)
    for words in ("Missed refuse\nNot taken", "Item: RES-180", "Where: Front of property", "Assisted collection: No"):
        assert words in worksheet["WorksheetMessage"]
    assert "Bob" not in repr(record)


async def test_fly_tipping_is_a_case_with_all_its_kinds_of_waste(tmp_path: Path, offices: dict[str, Running]) -> None:
    async with town(tmp_path, offices) as here:
        reference = await here.send("eastvale", FLY_TIP)
        record = await here.record("EASTVALE_CRM", reference)
    assert record["title"] == "footpath, asbestos, black_bags" and record["uprn"] == "512345 234567"
    assert record["description"] == "John Smith saw Stealthy. Near the junction."


async def test_the_same_with_a_photo_has_the_photo_behind_it(tmp_path: Path, offices: dict[str, Running]) -> None:
    kind, body = multipart(FLY_TIP, [("photo1", "31.jpeg", "image/jpeg", JPEG)])
    async with town(tmp_path, offices) as here:
        reference = await here.post("eastvale", body, kind)
        await here.record("EASTVALE_CRM", reference)
        async with asyncio.timeout(30):
            while not any("attach" in row["operation"].lower() for row in offices["EASTVALE_CRM"].ledger()):
                await asyncio.sleep(0.05)


async def test_two_at_once_are_one_case(tmp_path: Path, offices: dict[str, Running]) -> None:
    pairs = tuple((name, "77" if name == "attribute[fixmystreet_id]" else value) for name, value in FLY_TIP)
    async with town(tmp_path, offices) as here:
        numbers = await asyncio.gather(*[here.send("eastvale", pairs) for _ in range(6)])
        await here.record("EASTVALE_CRM", numbers[0])
    made = Counter(row["our_reference"] for row in offices["EASTVALE_CRM"].ledger())
    assert set(numbers) == {numbers[0]} and made[numbers[0]] == 1
