"""Every service from end to end: each good example is delivered as it was read, each bad one refused where it says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hub.assembly import Hub, RunRole, make_hub, now, open_core, running, web_app
from hub.connector.testing import Running, spawn
from hub.settings import Settings
from hub.standard import SERVICES, Envelope, Example, in_version, read_data
from hub.store import front_ends
from hub.store.ids import uuid7
from tests.asgi import Answer, Caller

KEY = "the key of a front end for every service"
COUNCIL = """\
council: Northborough
slug: northborough
gss: E07000999
calendar: england-and-wales
destinations:
  register: {connector: scriptable, settings: {url: "%s"}, limits: {concurrency: 16, timeout: 10s}}
routes:
"""
#: All of the submission but its files, which follow it: nothing may be lost on the way.
FIELDS = sorted(set(Envelope.model_fields) - {"council", "version", "attachments"})
MAPPING = """\
service: %s
version: %s
connector: scriptable
create:
  operation: CreateCase
  record:
    title: "{{ hub.reference }}"
    due_by: "{{ hub.due_by | default(omit) }}"
    warnings: "{{ hub.warnings }}"
""" + "".join(f'    {name}: "{{{{ {name} | default(omit) }}}}"\n' for name in FIELDS)


def every(kind: str) -> Iterator[tuple[str, Example]]:
    for service in SERVICES.values():
        for number, example in enumerate(getattr(service, kind), start=1):
            yield f"{service.code}-{example.version}-{kind}-{number}", written_today(example)


def written_today(example: Example) -> Example:
    return example.shifted(today=now().astimezone(ZoneInfo("Europe/London")).date())


@pytest.fixture
def office() -> Iterator[Running]:
    with spawn("hub.connector.testing.scriptable_simulator:app") as running_office:
        yield running_office


def files(folder: Path, url: str) -> Path:
    """A council that takes every service to one register, in the newest words of each."""
    council = folder / "mappings" / "northborough"
    council.mkdir(parents=True)
    text = COUNCIL % url
    for service in SERVICES.values():
        (council / f"{service.code}.yaml").write_text(MAPPING % (service.code, max(service.versions)))
        text += f"  - {{service: {service.code}, to: register, mapping: {service.code}.yaml}}\n"
    (council / "council.yaml").write_text(text)
    return council.parent


@contextmanager
def hub_for(folder: Path, url: str) -> Iterator[Hub]:
    """A hub that is put together, and not yet started."""
    settings = {"HUB_DATABASE_URL": f"sqlite:///{folder}/hub.db", "HUB_TICK": "100ms"}
    with open_core(Settings.read(settings)) as core:
        hashed = front_ends.key_hash(core.store.hasher, KEY)
        core.store.transact_now(
            lambda connection: front_ends.add(
                connection, front_end=uuid7(), name="tests", hashed=hashed, prefix=KEY[:8], councils=None, services=None
            )
        )
        core.councils.adopt(files(folder, url), by="tests")
        yield make_hub(core, RunRole.ALL)


def caller(hub: Hub) -> Caller:
    return Caller(web_app(hub), {"authorization": f"Bearer {KEY}"})


async def delivered(calling: Caller, references: list[str]) -> dict[str, Any]:
    """Each submission's status by its reference, once all of them are settled."""
    found: dict[str, Any] = {}
    async with asyncio.timeout(60):
        while waiting := [reference for reference in references if not found.get(reference, {}).get("final")]:
            for reference in waiting:
                found[reference] = (await calling.get(f"/v1/submissions/{reference}")).json()
            await asyncio.sleep(0.1)
    return found


def expected(example: Example, reference: str, received_at: str) -> dict[str, Any]:
    """The record of an example, by the contract alone."""
    today = datetime.fromisoformat(received_at).astimezone(ZoneInfo("Europe/London")).date()
    read = read_data(example.body, today=today)
    warnings = [warning.as_dict() for warning in read.warnings]
    data = in_version(read.data, max(read.service.versions))
    return {"title": reference, "warnings": warnings, **{name: data[name] for name in FIELDS if name in data}}


async def test_every_good_example_is_delivered_with_all_that_it_says(tmp_path: Path, office: Running) -> None:
    with hub_for(tmp_path, office.url) as hub:
        calling = caller(hub)
        taken: dict[str, tuple[Example, Answer]] = {}
        for name, example in every("good"):
            answer = await calling.post("/v1/submissions", example.body)
            assert answer.status == 202, (name, answer.body)
            assert tuple(one["pointer"] for one in answer.json()["warnings"]) == example.pointers, name
            taken[answer.json()["reference"]] = example, answer
        async with running(hub):
            statuses = await delivered(calling, list(taken))
        cases = {row["our_reference"]: row for row in office.ledger() if row["operation"] == "CreateCase"}
    for reference, (example, answer) in taken.items():
        (delivery,) = statuses[reference]["deliveries"]
        case = cases[delivery["our_reference"]]
        assert (statuses[reference]["status"], delivery["reference"]) == ("delivered", case["reference"])
        due = {name: value for name, value in statuses[reference].items() if name == "due_by"}
        told = expected(example, reference, answer.json()["received_at"])
        assert case["record"] == {"our_reference": delivery["our_reference"], **told, **due}, example.why
    dated = {status["service"] for status in statuses.values() if "due_by" in status}
    assert dated == {"foi-request", "subject-access-request"}


async def test_every_bad_example_is_refused_where_it_says(tmp_path: Path) -> None:
    found: dict[str, Any] = {}
    wanted: dict[str, Any] = {}
    with hub_for(tmp_path, "http://127.0.0.1:9") as hub:
        calling = caller(hub)
        for name, example in every("bad"):
            answer = await calling.post("/v1/submissions", example.body)
            pointers = {fault["pointer"] for fault in answer.json()["errors"]}
            found[name] = (answer.status, answer.headers["content-type"], pointers)
            wanted[name] = (422, "application/problem+json", set(example.pointers))
    assert found == wanted


def test_every_service_is_of_the_twelve() -> None:
    assert set(SERVICES) == {
        "missed-bin", "bulky-waste", "container-request", "assisted-collection", "garden-waste-subscription",
        "foi-request", "subject-access-request", "complaint", "general-enquiry", "fly-tipping", "street-issue",
        "abandoned-vehicle",
    }  # fmt: skip
