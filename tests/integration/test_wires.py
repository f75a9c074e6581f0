"""A council without an API: its requests are files in a folder and e-mails in a mailbox, carried by a whole hub."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from pydantic_core import from_json

from connectors.email import Email
from connectors.email.simulator import EmailOffice
from connectors.folder import Folder
from hub.assembly import Hub, now, web_app
from hub.connector.testing import Mode, serving
from hub.dispatch.evidence import place
from hub.intake.taking import Letter, take
from hub.model import Role, User
from hub.store import tables
from tests.bodies import MARKER, complaint, foi_request, missed_bin
from tests.drops import files
from tests.offices import misbehave
from tests.places import Place, standing

COUNCIL = """\
council: Northborough
slug: northborough
gss: E07000999
calendar: england-and-wales
destinations:
  drop:
    connector: folder
    settings: {{folder: "{drop}"}}
  sheets:
    connector: folder
    settings: {{folder: "{sheets}", format: csv, columns: [Reference, Who, What]}}
  foi:
    connector: email
    settings: {{host: 127.0.0.1, port: {port}, security: none, sender: hub@council.example, to: foi@council.example}}
    limits: {{concurrency: 8, per_second: {rate}, timeout: 2s}}
    retry: [1s, 1s]
routes:
  - service: missed-bin
    to: drop
    mapping:
      service: missed-bin
      each: container in details.containers
      create:
        operation: create
        record: {{ours: "{{{{ hub.our_reference }}}}", type: "{{{{ container.waste_type }}}}"}}
  - service: complaint
    to: sheets
    mapping:
      service: complaint
      create:
        operation: create
        record: {{Reference: "{{{{ hub.our_reference }}}}", What: "={{{{ details.what_happened }}}}"}}
  - service: foi-request
    to: foi
    mapping:
      service: foi-request
      create:
        operation: create
        record:
          subject: "{{{{ details.subject | default('A request') }}}}"
          body: "{{{{ details.request_text }}}}"
          reply_to: "{{{{ contact.email | default(omit) }}}}"
"""
STAFF = User(id="u", name="tester", role=Role.ADMIN)
PHOTO = b"\xff\xd8\xff\xe0 a photo"


@dataclass
class Wires:
    """A running hub, the folders that others pick up from, and the mailbox."""

    place: Place
    hub: Hub
    drop: Path
    sheets: Path
    mailbox: EmailOffice

    async def publish(self, body: dict[str, Any]) -> str:
        app: Any = web_app(self.hub)
        letter = Letter(front_end=self.place.front_end, raw=json.dumps(body).encode(), received_at=now())
        return (await take(letter, deps=app.state.room.deps)).reference

    async def states(self) -> dict[str, str]:
        rows = await asyncio.to_thread(standing, self.hub.core.store)
        return {ours: row.state for ours, row in rows.items()}

    async def until(self, true: Callable[[dict[str, str]], bool]) -> dict[str, str]:
        async with asyncio.timeout(30):
            while not true(states := await self.states()):
                await asyncio.sleep(0.05)
        return states

    async def evidence(self) -> list[dict[str, Any]]:
        store, attempt = self.hub.core.store, tables.attempt.c
        query = sa.select(attempt.id, attempt.evidence).order_by(attempt.id)
        rows = await store.read(lambda connection: connection.execute(query).all())
        return [from_json(store.sealer.open(row.evidence, place=place(row.id))) for row in rows]


@asynccontextmanager
async def wires(folder: Path, *, rate: float = 100) -> AsyncIterator[Wires]:
    drop, sheets, council = folder / "drop", folder / "sheets", folder / "mappings" / "northborough"
    for each in (drop, sheets, council):
        each.mkdir(parents=True)
    mailbox = EmailOffice()
    async with serving(mailbox) as address:
        text = COUNCIL.format(drop=drop, sheets=sheets, port=urlsplit(address.url).port, rate=rate)
        (council / "council.yaml").write_text(text)
        place = Place(folder, f"sqlite:///{folder / 'hub.db'}", {}, connectors=(Folder, Email))
        async with place.hub() as hub:
            yield Wires(place, hub, drop, sheets, mailbox)


def delivered(states: dict[str, str]) -> bool:
    return bool(states) and set(states.values()) == {"delivered"}


async def test_each_part_of_a_request_is_a_file_of_its_own(tmp_path: Path) -> None:
    async with wires(tmp_path) as here:
        reference = await here.publish(missed_bin("refuse", "food"))
        await here.until(delivered)
    found = {name: json.loads(content) for name, content in files(here.drop).items()}
    assert found == {
        f"{reference}-{n}.json": {"ours": f"{reference}-{n}", "type": kind} for n, kind in ((1, "refuse"), (2, "food"))
    }


async def test_a_row_has_the_columns_of_its_council_and_no_formula(tmp_path: Path) -> None:
    async with wires(tmp_path) as here:
        reference = await here.publish(complaint())
        await here.until(delivered)
    assert files(here.sheets) == {
        f"{reference}.csv": f"Reference,Who,What\r\n{reference},,'={MARKER} waited for an hour.\r\n".encode()
    }


async def test_files_of_a_resident_follow_the_request_into_the_folder(tmp_path: Path) -> None:
    photo = {"name": "the bin.jpg", "media_type": "image/jpeg", "content_base64": base64.b64encode(PHOTO).decode()}
    async with wires(tmp_path) as here:
        reference = await here.publish(complaint() | {"attachments": [photo]})
        async with asyncio.timeout(20):
            while len(files(here.sheets)) < 2:
                await asyncio.sleep(0.05)
    assert files(here.sheets)[f"{reference}/the bin.jpg"] == PHOTO


async def test_a_folder_that_goes_away_is_waited_for_and_loses_nothing(tmp_path: Path) -> None:
    async with wires(tmp_path) as here:
        here.drop.rename(tmp_path / "away")
        await here.publish(missed_bin())
        store = here.hub.core.store
        query = sa.select(tables.destination.c.paused_by).where(tables.destination.c.id == "northborough/drop")
        async with asyncio.timeout(20):
            while not await store.read(lambda connection: connection.execute(query).scalar()):
                await asyncio.sleep(0.05)
        await here.until(lambda states: set(states.values()) == {"queued"})
        (tmp_path / "away").rename(here.drop)
        await here.hub.operations.resume("northborough/drop", actor=STAFF)
        await here.until(delivered)
    assert len(files(here.drop)) == 1


async def test_an_email_is_in_the_mailbox_and_its_conversation_is_sealed_evidence(tmp_path: Path) -> None:
    async with wires(tmp_path) as here:
        reference = await here.publish(foi_request())
        await here.until(delivered)
        (attempt,) = await here.evidence()
    (row,) = here.mailbox.ledger.items
    assert row["our_reference"] == reference and row["record"]["reply_to"] == f"{MARKER}@example.com"
    (exchange,) = attempt["exchanges"]
    assert (exchange["method"], exchange["status"], exchange["failure"]) == ("SMTP", 250, None)
    assert "RCPT TO:<foi@council.example>" in exchange["request"] and "queued" in exchange["response"]


async def test_an_email_that_may_have_been_taken_waits_for_a_person_and_is_never_sent_again(tmp_path: Path) -> None:
    async with wires(tmp_path) as here:
        misbehave(here.mailbox, Mode.COMMIT_THEN_DROP, times=1)
        await here.publish(foi_request())
        await here.until(lambda states: set(states.values()) == {"unclear"})
        await asyncio.sleep(1.5)
        assert set((await here.states()).values()) == {"unclear"} and len(here.mailbox.ledger.items) == 1


@pytest.mark.parametrize("mode", [Mode.UNAVAILABLE, Mode.RATE_LIMITED])
async def test_an_email_that_was_not_taken_is_sent_again_by_itself(tmp_path: Path, mode: Mode) -> None:
    async with wires(tmp_path) as here:
        misbehave(here.mailbox, mode, times=1)
        await here.publish(foi_request())
        await here.until(delivered)
        assert len(here.mailbox.ledger.items) == 1


async def test_emails_keep_to_the_rate_of_their_destination(tmp_path: Path) -> None:
    async with wires(tmp_path, rate=2) as here:
        began = time.monotonic()
        for _ in range(5):
            await here.publish(foi_request())
        await here.until(lambda states: len(states) == 5 and delivered(states))
        assert time.monotonic() - began > 1.5 and len(here.mailbox.ledger.items) == 5
