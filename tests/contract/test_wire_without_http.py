"""Connectors whose wire is no HTTP pass the same kit; it says what it could not ask, and catches those that lie."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from connectors.email import Email, Message
from connectors.folder import Document, Folder
from hub.connector import Connector, Delivery, Operation, Receipt, ReplaySafety
from hub.connector.testing import Running, spawn
from hub.connector.testing.conformance import Report, conform, trials
from hub.councils import load
from hub.registry import Registry


async def _tried(kind: type[Connector], **how: Any) -> Report:
    return await conform(kind, say=lambda _: None, **how)


async def _failed(kind: type[Connector], **how: Any) -> list[str]:
    return [check.name for check in (await _tried(kind, **how)).failed]


@pytest.mark.parametrize("kind", [Folder, Email])
async def test_ours_conform_with_every_example_of_their_settings(kind: type[Connector]) -> None:
    tried = trials(kind)
    assert [await _failed(kind, example=example, operation=name) for example, name in tried] == [[]] * len(tried)


async def test_a_mailbox_can_be_asked_everything_and_a_folder_says_what_it_cannot() -> None:
    asked = {kind: await _tried(kind, only=["refused", "drip", "bad_auth", "nobody"]) for kind in (Email, Folder)}
    assert [check.detail for check in asked[Email].checks] == ["", "", "", ""]
    assert [bool(check.detail) for check in asked[Folder].checks] == [True, True, True, False]
    assert "not asked, its wire cannot be refuse" in {check.detail for check in asked[Folder].checks}


async def test_file_work_that_holds_up_the_event_loop_is_caught() -> None:
    class Blocking(Folder):
        """Files."""

        async def create(self, record: Document, delivery: Delivery) -> Receipt:  # type: ignore[override]
            await delivery.sending()
            made = Path(self._settings.folder) / f"{delivery.our_reference}.json"
            made.write_text(json.dumps(record.tree()))
            await delivery.took(delivery.our_reference)
            return Receipt(reference=delivery.our_reference)

        @classmethod
        def configured(cls, settings: Mapping[str, Any]) -> type[Connector]:
            return cls

    report = await _tried(Blocking, only=["delivers", "slow", "replay_safety"])
    blocked, repeated = report.failed
    assert blocked.detail == "open holds up the event loop: give file work to `line.apart`"
    assert repeated.detail == "declared idempotent, but a repeat made case number 2"


async def test_a_folder_that_forgets_what_it_put_there_is_caught() -> None:
    class Forgetful(Folder):
        """Files."""

        async def create(self, record: Document, delivery: Delivery) -> Receipt:  # type: ignore[override]
            self._drop = replace(self._drop, work=self._drop.folder / f".{id(delivery)}")
            return await super().create(record, delivery)

        @classmethod
        def configured(cls, settings: Mapping[str, Any]) -> type[Connector]:
            return cls

    assert await _failed(Forgetful, only=["delivers", "replay_safety"]) == ["what a repeat does is what it declares"]
    kept = await _failed(Forgetful, only=["replay_safety"], options={"keep": True})
    assert kept == []  # where nobody takes the file away it needs no note


async def test_a_mailbox_that_claims_to_know_a_second_email_is_caught() -> None:
    class Liar(Email):
        """E-mails."""

        operations: ClassVar[Mapping[str, Operation]] = {
            "create": Operation(Message, replay_safety=ReplaySafety.IDEMPOTENT)
        }

    assert await _failed(Liar, only=["delivers", "replay_safety"]) == ["what a repeat does is what it declares"]


def _checked(kind: type[Connector], old: str = "", new: str = "") -> set[str]:
    """What `hub check` finds in the council on the connector's page, with a word changed."""
    page = Path(__file__).parents[2] / "connectors" / kind.name / "README.md"
    block = re.search(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None and old in block[1]
    head = "council: Northborough\nslug: northborough\ngss: E07000999\ncalendar: england-and-wales\n"
    files = {"northborough/council.yaml": head + block[1].replace(old, new)}
    return {each.code for each in load(files, registry=Registry({kind.name: kind}), secrets=str).findings}


@pytest.mark.parametrize("kind", [Folder, Email])
def test_the_council_on_the_page_of_each_passes_hub_check(kind: type[Connector]) -> None:
    assert _checked(kind) <= {"no_case"}


@pytest.mark.parametrize(
    ("kind", "old", "new", "code"),
    [
        (Folder, "record: {Reference:", "record: {Refrence:", "unknown_field"),
        (Folder, "format: csv", "format: cvs", "bad_setting"),
        (Folder, "/srv/northborough", "srv/northborough", "bad_setting"),
        (Email, "subject:", "subjekt:", "unknown_field"),
        (Email, '"env:NORTHBOROUGH_SMTP_PASSWORD"', "hunter2", "plain_secret"),
        (Email, "sender: hub@", "sender: hub ", "bad_setting"),
    ],
)
def test_a_mistake_in_it_is_found_before_anything_is_sent(kind: type[Connector], old: str, new: str, code: str) -> None:
    assert code in _checked(kind, old, new)


@pytest.fixture(params=["connectors.folder.simulator:app", "connectors.email.simulator:app"])
def simulated(request: pytest.FixtureRequest) -> Iterator[Running]:
    with spawn(request.param) as running:
        yield running


def test_the_control_plane_stands_beside_a_wire_that_is_no_http(simulated: Running) -> None:
    assert urlsplit(simulated.url).scheme in ("file", "smtp") and simulated.control.startswith("http://")
    assert simulated.ledger() == []
    simulated.behave("unavailable")
    simulated.reset()
    with pytest.raises(ValueError, match="must be one of"):
        simulated.behave("asleep")


def test_a_folder_cannot_be_told_to_do_what_no_folder_does() -> None:
    with spawn("connectors.folder.simulator:app") as running:
        with pytest.raises(ValueError, match="this one cannot be drip; it can be ok, unavailable, bad_auth"):
            running.behave("drip")
        with pytest.raises(HTTPError) as caught, urlopen(Request(running.control + "/cases"), timeout=5):
            pass
        assert caught.value.code == 404
        caught.value.close()


def test_a_folder_is_watched_and_emptied_and_gone_with_its_simulator() -> None:
    with spawn("connectors.folder.simulator:app") as running:
        folder = Path(urlsplit(running.url).path)
        (folder / "ABCD-EFGH.json").write_text('{"a": 1}')
        (folder / "ABCD-EFGH-2.update.ABCD-EFGH-u1.csv").write_text("Ref,Notes\r\nx,y\r\n")
        told = {(row["reference"], row["operation"]): row["record"] for row in running.ledger()}
        assert list(folder.iterdir()) == []
    assert told == {("ABCD-EFGH", "create"): {"a": 1}, ("ABCD-EFGH-2", "update"): {"Ref": "x", "Notes": "y"}}
    assert not folder.exists()


def test_a_file_that_cannot_be_read_is_in_the_ledger_all_the_same() -> None:
    with spawn("connectors.folder.simulator:app") as running:
        (Path(urlsplit(running.url).path) / "ABCD-EFGH.json").write_bytes(b"\xff{half")
        (row,) = running.ledger()
    assert row["record"] == {"unreadable": "b'\\xff{half'"}
