"""The control plane of a pretend back office."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hub.connector.testing import BackOffice, load, serving
from hub.connector.testing.scriptable_simulator import ScriptableBackOffice
from tests.offices import Stranger, stranger


@pytest.fixture
async def office() -> AsyncIterator[Stranger]:
    async with stranger(ScriptableBackOffice()) as asking:
        yield asking


async def test_the_ledger_holds_what_was_committed(office: Stranger) -> None:
    await office.ask("POST", "/cases", json={"our_reference": "ABCD-EFGH", "title": "Tŷ 🗑"})
    ledger = (await office.ask("GET", "/_ledger")).json
    row = ledger["items"][0]
    assert set(row) == {"reference", "our_reference", "operation", "record", "received_at"}
    assert (row["reference"], row["our_reference"]) == ("CASE-000001", "ABCD-EFGH")
    assert row["record"] == {"our_reference": "ABCD-EFGH", "title": "Tŷ 🗑"}
    assert row["received_at"].endswith("Z")


async def test_the_ledger_can_be_emptied(office: Stranger) -> None:
    await office.ask("POST", "/cases", json={"our_reference": "ABCD-EFGH"})
    assert (await office.ask("DELETE", "/_ledger")).json == {"forgotten": 1}
    assert (await office.ask("GET", "/_ledger")).json == {"items": []}
    assert (await office.ask("GET", "/cases?our_reference=ABCD-EFGH")).json == {"items": []}


async def test_a_behaviour_lasts_as_many_times_as_it_was_told(office: Stranger) -> None:
    await office.behave("unavailable", times=2)
    seen = [(await office.ask("POST", "/cases", json={"our_reference": "A"})).status for _ in range(3)]
    assert seen == [503, 503, 201]


async def test_a_behaviour_without_times_lasts_until_it_is_changed(office: Stranger) -> None:
    await office.behave("unavailable", times=None)
    seen = [(await office.ask("POST", "/cases", json={"our_reference": "A"})).status for _ in range(3)]
    await office.behave("ok")
    assert seen == [503, 503, 503]
    assert (await office.ask("POST", "/cases", json={"our_reference": "A"})).status == 201


async def test_a_behaviour_for_writes_leaves_reads_alone(office: Stranger) -> None:
    await office.behave("unavailable")
    assert (await office.ask("GET", "/cases?our_reference=A")).status == 200
    await office.behave("unavailable", at="read")
    assert (await office.ask("GET", "/cases?our_reference=A")).status == 503


async def test_a_wrong_key_is_wrong_everywhere(office: Stranger) -> None:
    await office.behave("bad_auth")
    assert (await office.ask("GET", "/cases?our_reference=A")).status == 401
    assert (await office.ask("POST", "/cases", json={"our_reference": "A"})).status == 401


async def test_what_is_in_force_can_be_read(office: Stranger) -> None:
    await office.behave("slow", times=3, seconds=0.5, at="read")
    assert (await office.ask("GET", "/_behaviour")).json == {"read": {"mode": "slow", "times": 3, "seconds": 0.5}}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "mode is missing"),
        ('{"mode": "sleepy"}', "mode must be one of ok, refuse"),
        ('{"mode": "slow", "second": 3}', "unknown key second"),
        ('{"mode": "slow", "times": 0}', "times must be a whole number"),
        ('{"mode": "slow", "times": true}', "times must be a whole number"),
        ('{"mode": "slow", "seconds": -1}', "seconds must be a number"),
        ('{"mode": "slow", "seconds": "2"}', "seconds must be a number"),
        ('{"mode": "slow", "at": "night"}', "at must be one of write, read, login"),
        ("[" * 100_000, "not JSON"),
    ],
)
async def test_a_control_request_that_means_nothing_is_told_so(office: Stranger, body: str, words: str) -> None:
    said = await office.ask("POST", "/_behaviour", data=body)
    assert said.status == 400
    assert words in said.json["error"]


async def test_an_option_is_set_and_an_unknown_one_refused(office: Stranger) -> None:
    assert (await office.ask("PUT", "/_options", json={"idempotent": False})).json["idempotent"] is False
    unknown = await office.ask("PUT", "/_options", json={"idempotant": True})
    wrong = await office.ask("PUT", "/_options", json={"idempotent": "yes"})
    assert (unknown.status, wrong.status) == (400, 400)
    assert "known are idempotent, api_key" in unknown.json["error"]
    assert wrong.json["error"] == "idempotent must be like True"


async def test_a_control_address_that_is_not_there_names_those_that_are(office: Stranger) -> None:
    assert (await office.ask("GET", "/_leger")).status == 404
    assert (await office.ask("PUT", "/_ledger")).status == 405


async def test_the_control_plane_may_have_a_port_of_its_own() -> None:
    async with serving(ScriptableBackOffice(), control_port=0) as address:
        assert address.control != address.url


@pytest.mark.parametrize("target", ["nonsense", "no.such.module:app", "hub.connector.testing:app", "json:loads"])
def test_a_target_that_is_no_back_office_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match=r"MODULE:app|BackOffice"):
        load(target)


def test_every_load_is_a_new_back_office() -> None:
    first, second = (load("hub.connector.testing.scriptable_simulator:app") for _ in range(2))
    assert isinstance(first, BackOffice)
    assert first is not second
