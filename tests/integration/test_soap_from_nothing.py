"""A council whose SOAP system no connector knows goes live in one file, from an empty folder: that of the README."""

from __future__ import annotations

import asyncio
import base64
import re
from pathlib import Path
from typing import Any

import pytest

import connectors.soap
from connectors.soap import SoapConnector
from connectors.soap.simulator import EastvaleBackOffice
from hub.assembly import web_app
from hub.connector.testing import Mode, serving
from hub.councils import load, read_tree
from hub.intake.follow_ups import say
from hub.model import StepState
from hub.registry import Registry
from hub.standard.attachment import DOT
from tests.bodies import MARKER, missed_bin
from tests.live import findings, live, write
from tests.offices import misbehave

HERE = Path(connectors.soap.__file__).parent
REGISTRY = Registry({"soap": SoapConnector})
MANNERS = "    limits: {concurrency: 4, timeout: 2s}\n    settle: 1s\n    retry: [1s, 1s, 1s]\nroutes:\n"


def council() -> str:
    found = re.search(r"```yaml\n(.*?)```", (HERE / "README.md").read_text(), re.DOTALL)
    assert found is not None
    return found[1].replace("routes:\n", MANNERS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and what a council's operators put into the environment."""
    monkeypatch.setenv("EASTVALE_WASTE_WSDL", str(HERE / "example.wsdl"))
    monkeypatch.setenv("EASTVALE_WASTE_URL", "http://127.0.0.1:9/eastvale/Requests.svc")
    monkeypatch.setenv("EASTVALE_WASTE_PASSWORD", "correct-horse-battery")
    return tmp_path


def checked(folder: Path, text: str) -> list[str]:
    write(folder / "mappings", "eastvale", text)
    return [each for each in findings(folder / "mappings", registry=REGISTRY) if " error " in each]


def body(*waste_types: str) -> dict[str, Any]:
    return missed_bin(*waste_types) | {"council": "eastvale"}


async def test_the_file_of_the_readme_passes_the_check_and_carries_everything(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = EastvaleBackOffice()
    office.option |= {"username": "hub", "password": "correct-horse-battery"}
    async with serving(office) as at:
        monkeypatch.setenv("EASTVALE_WASTE_URL", f"{at.url}/eastvale/Requests.svc")
        assert checked(folder, council()) == []
        async with live(folder, registry=REGISTRY) as here:
            sent = await here.publish(body("refuse", "food"))
            cases = await here.settled(sent.id)
    assert {(each.state, each.reference) for each in cases} == {
        (StepState.DELIVERED, "EV700001"),
        (StepState.DELIVERED, "EV700002"),
    }
    rows = {row["our_reference"]: row["record"]["SubmitRequest"]["Request"] for row in office.ledger.items}
    request = rows[f"{sent.reference}-2"]
    assert request["Place"] == {"Uprn": "100090215480"} and request["Items"]["Item"] == {"Code": "22", "Quantity": "1"}
    assert request["Notes"] == f"Left behind, says {MARKER}. Dyma'r bin gwyrdd 🗑️"


async def test_what_it_never_confirmed_is_sent_again_and_is_one_case(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = EastvaleBackOffice()
    async with serving(office) as at:
        monkeypatch.setenv("EASTVALE_WASTE_URL", f"{at.url}/eastvale/Requests.svc")
        write(folder / "mappings", "eastvale", council())
        async with live(folder, registry=REGISTRY) as here:
            misbehave(office, Mode.COMMIT_THEN_DROP, times=1)
            sent = await here.publish(body("food"))
            (case,) = await here.unhurried(sent.id)
    assert (case.state, case.reference, len(office.ledger.items)) == (StepState.DELIVERED, "EV700001", 1)


async def test_a_photo_goes_to_the_case_as_a_step_of_its_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = {"name": "gate.png", "media_type": "image/png", "content_base64": DOT}
    office = EastvaleBackOffice()
    async with serving(office) as at:
        monkeypatch.setenv("EASTVALE_WASTE_URL", f"{at.url}/eastvale/Requests.svc")
        write(folder / "mappings", "eastvale", council())
        async with live(folder, registry=REGISTRY) as here:
            await here.publish(body("food") | {"attachments": [photo]})
            async with asyncio.timeout(20):
                while len(office.ledger.items) < 2:
                    await asyncio.sleep(0.02)
    assert office.ledger.items[1] | {"received_at": ""} == {
        "reference": "EV700001",
        "our_reference": office.ledger.items[0]["our_reference"],
        "operation": "AttachDocument",
        "record": {
            "AttachDocument": {
                "FileName": "gate.png",
                "MediaType": "image/png",
                "bytes": len(base64.b64decode(DOT)),
            }
        },
        "received_at": "",
    }


async def test_what_is_said_afterwards_is_a_note_on_the_same_case(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = EastvaleBackOffice()
    async with serving(office) as at:
        monkeypatch.setenv("EASTVALE_WASTE_URL", f"{at.url}/eastvale/Requests.svc")
        write(folder / "mappings", "eastvale", council())
        async with live(folder, registry=REGISTRY) as here:
            sent = await here.publish(body("food"))
            app: Any = web_app(here.hub)
            said = {"kind": "comment", "text": "The gate was open"}
            await say(said, submission=str(sent.id), front_end=here.front_end, deps=app.state.room.deps)
            async with asyncio.timeout(20):
                while len(office.ledger.items) < 2:
                    await asyncio.sleep(0.02)
    case, note = office.ledger.items
    assert note["record"] == {"AddNote": {"RequestNumber": case["reference"], "Text": "The gate was open"}}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("operation: SubmitRequest", "operation: SubmitReqest", "create.operation"),
        (
            "reference: SubmitRequestResult/RequestNumber\n",
            "reference: SubmitRequestResult/Number\n",
            "create.reference",
        ),
        ("Category: MISSED-BIN", "Kategory: MISSED-BIN", "`Request/Kategory` is unknown to the WSDL"),
        ("Code: 22", "Code: a bin", "`Request/Items/Item/Code` must be a whole number"),
        ("            Category: MISSED-BIN\n", "", "`Request/Category` is missing"),
        ("port: RequestsSoap ", "port: RequestsSoup ", "`port`"),
        ("{token}", "{tokn}", "knows no {tokn}"),
        ("means: expired", "means: expird", "faults.1.means"),
        ('"env:EASTVALE_WASTE_PASSWORD"', "swordfish", "`Password` is a secret, written in plain"),
        ("      update:\n        operation: AddNote", "      cancel:\n        operation: AddNote", "cannot `update`"),
    ],
)
def test_the_check_finds_what_would_fail_when_it_is_sent(folder: Path, old: str, new: str, said: str) -> None:
    assert old in council()
    found = checked(folder, council().replace(old, new))
    assert any(said in each for each in found), found


def test_a_wsdl_that_is_not_there_is_found_where_it_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASTVALE_WASTE_WSDL", "/nowhere/Requests.wsdl")
    (found,) = checked(folder, council())
    assert "bad_setting `wsdl`: Requests.wsdl cannot be read" in found and "/nowhere" not in found


def test_a_placeholder_is_no_secret_in_plain_whatever_it_is_called(folder: Path) -> None:
    found = checked(
        folder, council().replace("      create:\n", '      arguments: {token: "{token}"}\n      create:\n', 1)
    )
    assert found and not any("is a secret" in each for each in found)


def test_what_a_council_refers_to_in_a_tree_of_its_own_is_hidden_in_evidence(folder: Path) -> None:
    tenant = council().replace('headers: {"ev:Session"', 'headers: {"ev:Tenant": "env:EASTVALE_TENANT", "ev:Session"')
    write(folder / "mappings", "eastvale", tenant)
    draft = load(read_tree(folder / "mappings"), registry=REGISTRY, secrets=None).draft
    values = draft.destination("eastvale/waste").secret_values(lambda reference: f"value of {reference}")
    assert set(values) == {"value of env:EASTVALE_TENANT", "value of env:EASTVALE_WASTE_PASSWORD"}
