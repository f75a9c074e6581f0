"""The pretend Infreemation, and its connector's reading of a `ref` that means two things."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.infreemation import CreateRequest, Infreemation
from connectors.infreemation.simulator import ERRORS, InfreemationBackOffice
from hub.connector import Misconfigured, Receipt, Refused, Unclear
from hub.connector.testing import Call, Reply, json_reply
from tests.offices import connected, delivery, stranger

WHO = {"key": "k", "username": "u"}
BODY: dict[str, Any] = {
    "rt": "create",
    "type": "FOI",
    "requester": "Fred Smith",
    "contact": "fred@example.com",
    "contacttype": "email",
    "body": "How many? [ref ABCD-EFGH]",
}
REQUEST = CreateRequest.model_validate({k: v for k, v in BODY.items() if k != "rt"})


def saying(value: Any) -> InfreemationBackOffice:
    """An Infreemation that answers everything with this."""

    class Saying(InfreemationBackOffice):
        def answer(self, call: Call) -> Reply:
            return json_reply(value)

    return Saying()


async def _create(office: InfreemationBackOffice) -> Receipt:
    async with connected(Infreemation, office, **WHO) as connector:
        return await connector.create(REQUEST, delivery("CreateRequest"))


async def _ask(body: Any, **headers: str) -> dict[str, Any]:
    async with stranger(InfreemationBackOffice()) as asking:
        said = await asking.ask("POST", "/sandbox/foi/", data=json.dumps(body), headers=headers)
    assert said.status == 200
    answer: dict[str, Any] = said.json
    return answer


async def test_a_request_gets_the_reference_that_the_ledger_holds() -> None:
    office = InfreemationBackOffice()
    assert await _create(office) == Receipt(reference="FOI/0001")
    row = office.ledger.items[0]
    assert (row["reference"], row["our_reference"]) == ("FOI/0001", "ABCD-EFGH")
    assert row["record"] == BODY


@pytest.mark.parametrize("code", ["3", "4", "5", "6", "7", "8", "9", "12"])
async def test_an_error_in_the_data_is_refused_with_its_own_words_kept_apart(code: str) -> None:
    with pytest.raises(Refused) as caught:
        await _create(saying({"status": "ERROR", "ref": code, "error": ERRORS[code]}))
    assert caught.value.code == f"infreemation_{code}"
    assert caught.value.reasons == (ERRORS[code],)


@pytest.mark.parametrize("code", ["2", "10", "11", 2])
async def test_an_error_about_our_key_is_ours_to_mend(code: str | int) -> None:
    with pytest.raises(Misconfigured) as caught:
        await _create(saying({"status": "ERROR", "ref": code, "error": "x"}))
    assert caught.value.code == f"infreemation_{code}"


@pytest.mark.parametrize(
    "answer",
    [
        {"status": "ERROR", "ref": "n", "error": "Another error"},
        {"status": "OK", "ref": "0", "error": "No data is available"},
        {"status": "OK", "ref": ""},
        {"status": "OK"},
        {"ref": "FOI/0001"},
        [],
        "FOI/0001",
        None,
    ],
)
async def test_an_answer_that_says_neither_is_unclear(answer: Any) -> None:
    with pytest.raises(Unclear):
        await _create(saying(answer))


async def test_permission_denied_in_plain_text_is_unclear() -> None:
    class Denying(InfreemationBackOffice):
        def answer(self, call: Call) -> Reply:
            return Reply(body=b"permission denied", content_type="text/html")

    with pytest.raises(Unclear) as caught:
        await _create(Denying())
    assert caught.value.code == "not_json"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"type": "DPA"}, "4"),
        ({"requester": ""}, "5"),
        ({"contact": ""}, "6"),
        ({"contacttype": "fax"}, "7"),
        ({"body": ""}, "8"),
        ({"rt": ""}, "9"),
        ({"key": ""}, "10"),
        ({"username": ""}, "11"),
        ({"rt": "published", "startdate": "1/2/2018", "enddate": "2018-12-31"}, "3"),
        ({"rt": "published", "startdate": "2018-02-30", "enddate": "2018-12-31"}, "3"),
    ],
)
async def test_each_fault_has_the_products_own_code_and_status_200(change: dict[str, str], code: str) -> None:
    assert await _ask(BODY | WHO | change) == {"status": "ERROR", "ref": code, "error": ERRORS[code]}


async def test_no_body_at_all_is_no_data() -> None:
    assert (await _ask({}))["ref"] == "12"


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", "application/json"])
@pytest.mark.parametrize("contact_type", ["email", "EMAIL", "Telephone", "address"])
async def test_any_content_type_and_any_case_are_taken(content_type: str, contact_type: str) -> None:
    said = await _ask(BODY | WHO | {"contacttype": contact_type}, **{"Content-Type": content_type})
    assert said == {"status": "OK", "ref": "FOI/0001", "error": ""}


async def test_the_published_log_is_read_by_date() -> None:
    asked = {"rt": "published", "startdate": "2018-01-01", "enddate": "2018-12-31", **WHO}
    assert (await _ask(asked))["published"]["request"][0]["ref"] == "FOI-18/01"
    empty = await _ask(asked | {"startdate": "2018-12-01"})
    assert empty == {"status": "OK", "ref": "0", "error": "No data is available"}


async def test_check_knows_a_key_that_is_not_known() -> None:
    office = InfreemationBackOffice()
    async with connected(Infreemation, office, **WHO) as connector:
        good: Any = connector
        assert (await good.check()).ok
        office.option["key"] = "another"
        assert not (await good.check()).ok
    assert office.ledger.items == []
