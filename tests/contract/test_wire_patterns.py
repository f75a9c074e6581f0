"""Northborough's files, from a submission to the case in each pretend system."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.infreemation import Infreemation
from connectors.infreemation.simulator import InfreemationBackOffice
from connectors.jadu import Jadu
from connectors.jadu.simulator import JaduBackOffice
from connectors.whitespace import Whitespace
from connectors.whitespace.simulator import WhitespaceBackOffice
from hub import councils, standard
from hub.connector import Connector
from hub.connector.testing import BackOffice
from hub.registry import Registry
from tests.offices import connected, delivery, on_the_wire

MAPPINGS = Path(__file__).parents[2] / "mappings"
CONNECTORS: list[type[Connector]] = [Whitespace, Jadu, Infreemation]
OFFICES: dict[str, type[BackOffice]] = {
    "waste": WhitespaceBackOffice,
    "crm": JaduBackOffice,
    "foi": InfreemationBackOffice,
}
KEYS: dict[str, dict[str, str]] = {
    "waste": {"username": "hub", "password": "p"},
    "crm": {"api_key": "k", "username": "hub", "password": "p"},
    "foi": {"key": "k", "username": "hub"},
}
TODAY = date(2026, 11, 23)


def _files() -> dict[str, str]:
    """Northborough and the patterns: other councils have connectors of their own."""
    kept = ("northborough/", "patterns/")
    return {file: text for file, text in councils.read_tree(MAPPINGS).items() if file.startswith(kept)}


@pytest.fixture(scope="module")
def loaded() -> councils.Loaded:
    registry = Registry({kind.name: kind for kind in CONNECTORS})
    files = _files()
    return councils.load(files, registry=registry, secrets=lambda ref: "http://x" if ref.endswith("_URL") else "secret")


def test_northborough_is_without_fault(loaded: councils.Loaded) -> None:
    assert [finding.as_dict() for finding in loaded.findings if finding.file.startswith("northborough")] == []
    assert [finding.as_dict() for finding in loaded.errors] == []


def test_every_case_of_northborough_holds(loaded: councils.Loaded) -> None:
    results = councils.run_cases(_files(), loaded, "northborough")
    assert len(results) >= 22
    assert {result.file: [p.as_dict() for p in result.problems] for result in results if not result.ok} == {}


def _previews(loaded: councils.Loaded, service: str) -> list[councils.Preview]:
    assert loaded.councils is not None
    known = standard.SERVICES[service]
    shown: list[councils.Preview] = []
    for example in (one for version in known.versions for one in known.examples(version, today=TODAY)[0]):
        data = standard.read_data({**example.body, "council": "northborough"}, today=TODAY).data
        hub: dict[str, Any] = {
            "our_reference": "ABCD-EFGH",
            "reference": "ABCD-EFGH",
            "received_at": "2026-11-23T09:00:00Z",
            "council": "northborough",
            "warnings": [],
        }
        shown += councils.preview(loaded.councils, "northborough", service, data, hub)
    return shown


SERVICES = (
    "missed-bin", "foi-request", "complaint", "general-enquiry", "fly-tipping", "street-issue", "abandoned-vehicle",
    "bulky-waste", "container-request", "assisted-collection", "garden-waste-subscription",
)  # fmt: skip


@pytest.mark.parametrize("service", SERVICES)
async def test_every_good_example_becomes_a_case_with_our_reference(loaded: councils.Loaded, service: str) -> None:
    for shown in _previews(loaded, service):
        assert shown.faults == ()
        place = shown.destination.partition("/")[2]
        kind = next(each for each in CONNECTORS if shown.operation in each.operations and _speaks(loaded, place, each))
        record = kind.operations[shown.operation].record.model_validate(shown.record)
        office = OFFICES[place]()
        async with connected(kind, office, **KEYS[place]) as connector:
            receipt = await connector.create(record, delivery(shown.operation, our_reference=shown.our_reference))
        (row,) = office.ledger.items
        assert (row["reference"], row["our_reference"]) == (receipt.reference, shown.our_reference)


def _speaks(loaded: councils.Loaded, place: str, kind: type[Connector]) -> bool:
    return loaded.draft.destination(f"northborough/{place}").connector_class is kind


def test_refuse_and_food_are_two_worksheets_with_two_services(loaded: councils.Loaded) -> None:
    waste = [shown for shown in _previews(loaded, "missed-bin") if shown.destination.endswith("/waste")]
    both = [shown for shown in waste if shown.our_reference != "ABCD-EFGH"]
    assert [(shown.our_reference, (shown.record or {})["ServiceId"]) for shown in both] == [
        ("ABCD-EFGH-1", 81),
        ("ABCD-EFGH-2", 85),
    ] * 2  # an example of each version


def test_no_worksheet_says_who_the_resident_is(loaded: councils.Loaded) -> None:
    sent = [str(shown.record) for shown in _previews(loaded, "missed-bin") if shown.destination.endswith("/waste")]
    assert sent
    assert not any(word in text for text in sent for word in ("Alex", "example.org", "900123", "High Street"))


async def test_the_pin_of_a_fly_tip_is_a_street_where_there_is_a_gazetteer(loaded: councils.Loaded) -> None:
    pinned, *_ = _previews(loaded, "fly-tipping")
    settings = {"url": "{url}/", **KEYS["crm"], "gazetteer": {"url": "{url}/", "api_key": "g"}}
    search, _, create = await on_the_wire(Jadu, JaduBackOffice(), settings=settings, record=pinned.record or {})
    assert "easting=458310&northing=304697" in search.target
    assert json.loads(create.body).items() >= {"usrn": "25202550", "ens-street": "Monk's Walk"}.items()
