"""Bad input ends in a clear error that says what to do next, and nothing is kept of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.bodies import MARKER, missed_bin
from tests.towns import Town


def changed(**changes: Any) -> dict[str, Any]:
    return missed_bin() | changes


def detailed(**changes: Any) -> dict[str, Any]:
    body = missed_bin()
    return body | {"details": body["details"] | changes}


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        pytest.param(changed(colour="green"), 422, "#/colour", id="unknown key"),
        pytest.param(changed(description=5), 422, "#/description", id="wrong type"),
        pytest.param(detailed(collection_date="2026-02-30"), 422, "#/details/collection_date", id="30 February"),
        pytest.param(changed(property={"uprn": 100090215480}), 422, "#/property/uprn", id="uprn as a number"),
        pytest.param(detailed(containers=[]), 422, "#/details/containers", id="nothing missed"),
        pytest.param(changed(version=99), 422, "#/version", id="unknown version"),
        pytest.param(changed(council="atlantis"), 404, None, id="unknown council"),
        pytest.param(changed(service="teleport"), 404, None, id="unknown service"),
        pytest.param(b"\xff\xfe{}", 400, None, id="invalid utf-8"),
        pytest.param(b'{"council": ', 400, None, id="not json"),
        pytest.param(b"[" * 5_000 + b"]" * 5_000, 400, None, id="deep nesting"),
        pytest.param(b"[]", 400, None, id="not an object"),
        pytest.param(b" " * 13_000_000, 413, None, id="over the limit"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_a_remedy(
    northborough: Town, body: Any, status: int, pointer: str | None
) -> None:
    got, problem = northborough.ask("POST", "/v1/submissions", body)
    assert got == status, problem
    assert problem["status"] == status and problem["title"] and problem["detail"]
    if pointer:
        assert pointer in [fault["pointer"] for fault in problem["errors"]]
    assert MARKER not in json.dumps(problem)


def test_every_fault_is_told_at_once(northborough: Town) -> None:
    body = detailed(collection_date="2026-02-30", containers=[{"waste_type": "gold"}]) | {"colour": "green"}
    _, problem = northborough.ask("POST", "/v1/submissions", body)
    assert {fault["pointer"] for fault in problem["errors"]} == {
        "#/colour",
        "#/details/collection_date",
        "#/details/containers/0/waste_type",
    }


def test_control_characters_are_removed_with_a_warning_and_emoji_and_welsh_arrive(northborough: Town) -> None:
    body = changed(description="Dŵr\u0000 a sbwriel\u0007 🗑️\nar y stryd")
    status, answer = northborough.ask("POST", "/v1/submissions", body)
    assert status == 202 and "#/description" in [warning["pointer"] for warning in answer["warnings"]]
    northborough.until(answer["reference"], lambda told: bool(told["final"]))
    [row] = [row for row in northborough.offices["waste"].ledger() if row["our_reference"] == answer["reference"]]
    assert "Dŵr a sbwriel 🗑️\nar y stryd" in json.dumps(row["record"], ensure_ascii=False).replace("\\n", "\n")


def test_a_service_that_the_council_does_not_take_names_those_it_takes(northborough: Town) -> None:
    _, problem = northborough.ask("GET", "/v1/councils/northborough")
    assert "missed-bin" in json.dumps(problem)


def test_another_front_ends_reference_is_not_there(northborough: Town) -> None:
    reference = northborough.publish(missed_bin())
    added = northborough.hub("front-ends", "add", "others", "--councils", "*", "--services", "*", "--json")
    status, problem = northborough.ask("GET", f"/v1/submissions/{reference}", key=added["key"])
    assert status == 404 and reference not in json.dumps(problem["detail"])


@pytest.mark.parametrize("key", ["", "nonsense-key-that-nobody-has"])
def test_an_unknown_key_is_401(northborough: Town, key: str) -> None:
    status, problem = northborough.ask("POST", "/v1/submissions", missed_bin(), key=key or " ")
    assert status == 401 and problem["detail"]


@pytest.mark.parametrize(("mode", "state"), [("html_error", "unclear"), ("fault", "unclear"), ("drip", "unclear")])
def test_a_nonsense_answer_to_a_create_is_a_doubt(northborough: Town, mode: str, state: str) -> None:
    northborough.offices["waste"].behave(mode, times=1)
    reference = northborough.publish(missed_bin())
    told = northborough.until(reference, lambda told: told["status"] == "needs_attention")
    assert told["deliveries"][0]["state"] == state
