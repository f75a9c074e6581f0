"""The demo's judge: what went wrong is said in a sentence."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from hub.demo import bodies
from hub.demo.bodies import Letter
from hub.demo.judge import failures
from hub.demo.story import Played, Sent
from hub.standard import read_data

TODAY = date(2026, 3, 10)
#: By council and service: the destination, and what it speaks.
SYSTEMS = {
    ("northborough", "missed-bin"): ("northborough/waste", "whitespace"),
    ("northborough", "complaint"): ("northborough/crm", "jadu"),
    ("northborough", "foi-request"): ("northborough/foi", "infreemation"),
    ("eastvale", "missed-bin"): ("eastvale/waste", "soap"),
    ("eastvale", "fly-tipping"): ("eastvale/waste", "soap"),
    ("eastvale", "complaint"): ("eastvale/crm", "rest"),
    ("eastvale", "foi-request"): ("eastvale/foi", "email"),
    ("westmere", "street-issue"): ("westmere/clerk", "webhook"),
    ("westmere", "general-enquiry"): ("westmere/letters", "folder"),
    ("two-rivers", "street-issue"): ("two-rivers/county", "rest"),
}


def sent(number: int, letter: Letter, *, state: str = "delivered", attempts: int = 1, parts: int = 1) -> Sent:
    ours = [f"AAAA-{number:04}" + (f"-{part + 1}" if parts > 1 else "") for part in range(parts)]
    destination, connector = SYSTEMS[letter.body["council"], letter.body["service"]]
    deliveries = [
        {
            "id": one,
            "destination": destination,
            "connector": connector,
            "state": state,
            "reference": f"T{one}",
            "our_reference": one,
            "attempts": attempts,
        }
        for one in ours
    ]
    status = "delivered" if state == "delivered" else "needs_attention"
    return Sent(
        letter=letter, id=str(number), reference=f"AAAA-{number:04}", now={"status": status, "deliveries": deliveries}
    )


@pytest.fixture
def played() -> Played:
    """A demo in which all went as it should."""
    made = Played(
        ordinary=[sent(number, letter) for number, letter in enumerate(bodies.ordinary(TODAY))],
        split=sent(50, bodies.split(TODAY), parts=2),
        refused=sent(51, bodies.refused(TODAY), state="dead"),
        busy=sent(52, bodies.busy(TODAY), attempts=2),
        unmapped=sent(53, bodies.unmapped(TODAY), attempts=2),
        states_before_mending=["dead"],
        ledgers={destination: [] for destination, _ in SYSTEMS.values()},
    )
    for one in made.all():
        for at, delivery in enumerate(one.deliveries):
            if delivery["state"] == "delivered":
                made.ledgers[delivery["destination"]].append(row(delivery, service=81 + at))
    return made


def row(delivery: dict[str, Any], *, service: int) -> dict[str, Any]:
    record = {"CreateWorksheet": {"worksheetInput": {"ServiceId": str(service)}}}
    return {"reference": delivery["reference"], "our_reference": delivery["our_reference"], "record": record}


def test_when_all_went_well_nothing_is_said(played: Played) -> None:
    assert failures(played) == []


def test_a_case_that_was_made_twice_is_found(played: Played) -> None:
    ledger = played.ledgers["northborough/waste"]
    ledger.append({**ledger[0], "reference": "another"})
    (said,) = failures(played)
    assert "northborough/waste" in said and "another" in said


def test_a_case_that_no_ledger_holds_is_found(played: Played) -> None:
    played.ledgers["northborough/foi"].pop()
    assert len(failures(played)) == 1


def test_a_split_that_came_as_one_kind_is_found(played: Played) -> None:
    for held in played.ledgers["northborough/waste"]:
        held["record"] = {"ServiceId": "81"}
    assert failures(played) == ["they are of two kinds; found 81"]


def test_a_dead_letter_that_never_died_is_found(played: Played) -> None:
    played.states_before_mending = ["delivered"]
    assert failures(played) == ["the unmapped one is a dead letter at first; found delivered"]


@pytest.mark.parametrize("make", [bodies.split, bodies.refused, bodies.busy, bodies.unmapped])
def test_what_the_demo_sends_keeps_its_contract(make: Any) -> None:
    assert read_data(dict(make(TODAY).body), today=TODAY).warnings == []


def test_every_ordinary_one_keeps_its_contract_without_a_warning() -> None:
    for letter in (each for each in bodies.ordinary(TODAY) if each.raw is None):
        assert read_data(dict(letter.body), today=TODAY).warnings == []


def test_the_one_for_the_command_line_keeps_its_contract() -> None:
    assert read_data(bodies.curl_body(TODAY), today=TODAY).warnings == []
