"""Front ends' own formats over HTTP, on SQLite: what they send, and what they are told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.store import tables
from tests.integration.forms_house import COMPLAINT, FOI_BODY, REQUEST, XGOV, Forms, content, forms_in, without


@pytest.fixture
def forms(tmp_path: Path) -> Iterator[Forms]:
    with forms_in(tmp_path) as made:
        yield made


async def test_a_form_of_xgov_is_a_submission_and_its_answer_is_the_reference(forms: Forms) -> None:
    answer = await forms.xgov()
    assert answer.status == 200
    reference = answer.json()["reference"]
    assert answer.json() == {"reference": reference}
    status = (await forms.caller.get(f"/v1/submissions/{reference}")).json()
    assert (status["service"], status["status"], status["reference"]) == ("complaint", "accepted", reference)
    assert forms.house.rung == ["northborough/crm"]


async def test_what_no_leaf_reads_is_in_extra(forms: Forms) -> None:
    await forms.xgov()
    assert content(forms)["extra"] == {"howHeard": "A leaflet"}


async def test_put_is_as_good_as_post_and_a_slash_at_the_end_is_none(forms: Forms) -> None:
    raw = json.dumps(XGOV).encode()
    first = await forms.caller.call("PUT", COMPLAINT + "/", raw)
    again = await forms.xgov()
    assert first.status == 200
    assert first.json() == again.json()


async def test_a_repeat_gets_the_first_reference_and_makes_nothing(forms: Forms) -> None:
    first, again = await forms.xgov(), await forms.xgov(dict(reversed(XGOV.items())))
    assert first.json() == again.json()
    assert len(forms.rows(tables.submission)) == len(forms.rows(tables.received)) == 1


async def test_the_same_form_of_another_front_end_is_another_one(forms: Forms) -> None:
    other = await forms.house.front_end("another").post(COMPLAINT, XGOV)
    assert other.json() != (await forms.xgov()).json()


async def test_a_wrong_key_is_a_problem_and_keeps_nothing(forms: Forms) -> None:
    answer = await forms.house.caller("nobody's").post(COMPLAINT, XGOV)
    assert answer.status == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert forms.rows(tables.received) == []


@pytest.mark.parametrize("path", ["/intake/nowhere/xgov/complaint", "/intake/northborough/xforms/complaint"])
async def test_a_council_or_format_that_there_is_not_is_404(forms: Forms, path: str) -> None:
    assert (await forms.xgov(to=path)).status == 404


async def test_a_front_ends_councils_and_services_hold(forms: Forms) -> None:
    far = forms.house.front_end("far", councils=["southby"])
    narrow = forms.house.front_end("narrow", services=["missed-bin"])
    assert (await far.post(COMPLAINT, XGOV)).status == 403
    assert (await narrow.post(COMPLAINT, XGOV)).status == 403
    assert forms.rows(tables.received) == []


async def test_a_request_of_foi_for_councils_is_a_submission(forms: Forms) -> None:
    said = await forms.foi(to=f"{REQUEST}/foi/")
    assert said == {"status": "OK", "ref": said["ref"], "error": ""}
    assert content(forms)["contact"] == {"full_name": "John Doe", "email": "john@example.com"}
    assert content(forms)["details"]["request_text"] == FOI_BODY["body"]


@pytest.mark.parametrize("end", ["", "/", "/foi", "/foi/", "//foi/"])
async def test_what_its_client_adds_to_the_address_is_understood(forms: Forms, end: str) -> None:
    assert (await forms.foi(to=REQUEST + end))["status"] == "OK"


@pytest.mark.parametrize(
    ("changes", "ref"),
    [
        ({"key": "wrong"}, "2"),
        ({"key": "\ud800"}, "2"),
        ({"key": None}, "10"),
        ({"username": None}, "11"),
        ({"rt": None}, "9"),
        ({"rt": "published", "startdate": "12/01/2026"}, "3"),
    ],
)
async def test_each_no_has_infreemations_own_number(forms: Forms, changes: dict[str, Any], ref: str) -> None:
    said = await forms.foi(**changes)
    assert (said["status"], said["ref"]) == ("ERROR", ref)
    assert said["error"]


async def test_a_council_that_there_is_not_is_404_in_infreemations_shape(forms: Forms) -> None:
    answer = await forms.house.caller(None).post("/intake/nowhere/infreemation/foi-request", FOI_BODY)
    assert (answer.status, answer.json()["status"]) == (404, "ERROR")


async def test_a_store_that_is_away_tells_nobody_that_it_was_received(forms: Forms) -> None:
    await forms.foi()
    await forms.xgov()
    forms.house.store.close()
    webhook = await forms.xgov({**XGOV, "name": "Another"})
    request = await forms.house.caller(None).post(REQUEST, {**FOI_BODY, "body": "Another"})
    assert (webhook.status, webhook.json()["code"]) == (503, "unavailable")
    assert (request.status, request.json()["status"], request.json()["ref"]) == (503, "ERROR", "13")
    assert int(request.headers["retry-after"]) > 0


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"key": NaN}', b"\xff", b"[" * 100_000, b'{"a":1,"a":2}'])
async def test_what_infreemations_client_cannot_mean_is_told_in_its_shape(forms: Forms, raw: bytes) -> None:
    answer = await forms.house.caller(None).post(REQUEST, raw)
    assert (answer.status, answer.json()["status"]) == (200, "ERROR")


async def test_too_large_a_request_is_told_in_its_shape_too(forms: Forms) -> None:
    answer = await forms.house.caller(None).post(REQUEST, b"x" * (1024 * 1024 + 1))
    assert (answer.status, answer.json()["status"]) == (200, "ERROR")


async def test_nothing_is_published_here(forms: Forms) -> None:
    assert await forms.foi(rt="published", startdate="2026-01-01") == {"published": {"request": []}}


async def test_neither_key_nor_user_name_is_kept(forms: Forms) -> None:
    await forms.foi()
    [row] = forms.rows(tables.received)
    opened = forms.house.store.sealer.open(row.body, place=f"received|{row.id}|1")
    assert b"John Doe" in opened
    assert b"key of" not in opened
    assert b"foo" not in opened


HOSTILE = [
    (b"", 400),
    (b"{", 400),
    (b"\xff\xfe", 400),
    (b"[" * 1_000_000, 400),
    (b'{"questions": NaN}', 400),
    (b'{"questions": [], "questions": []}', 400),
    (b'{"questions": ' + b"9" * 10_000 + b"}", 400),
    (b'{"name": "' + b"a" * (10 * 1024 * 1024) + b'"}', 200),
    (b'{"name": "' + b"a" * (13 * 1024 * 1024) + b'"}', 413),
]


@pytest.mark.parametrize(("raw", "status"), HOSTILE, ids=range(len(HOSTILE)))
async def test_no_body_is_our_fault(forms: Forms, raw: bytes, status: int) -> None:
    assert (await forms.caller.post(COMPLAINT, raw)).status == status


@pytest.mark.parametrize("text", ["\ud800", "a\u0000b", "{{ 7*7 }}", "x" * 20_000, "\u202e" * 50])
async def test_odd_answers_are_kept_one_way_or_the_other(forms: Forms, text: str) -> None:
    fields = [{"key": "whatHappened", "answer": text}, {"key": text[:300], "answer": text}]
    body = {**XGOV, "questions": [{"fields": fields}]}
    answer = await forms.xgov(body)
    assert answer.status == 200
    assert (await forms.xgov(body)).json() == answer.json()
    assert len(forms.rows(tables.received)) == 1


async def test_half_a_character_costs_nobody_his_complaint(forms: Forms) -> None:
    body = json.loads(json.dumps(XGOV).replace("A leaflet", "Half \\ud83d of one"))
    await forms.xgov(body)
    assert content(forms)["extra"] == {"howHeard": "Half ? of one"}


@pytest.fixture
async def silence(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> AsyncIterator[list[str]]:
    said: list[str] = []
    yield said
    captured = capsys.readouterr()
    text = captured.out + captured.err + caplog.text
    assert not [word for word in said if word in text]


async def test_nothing_personal_is_logged(forms: Forms, silence: list[str]) -> None:
    silence.extend(["Siân", "sian@example.com", "John Doe", "key of foi", "markedprofile"])
    await forms.xgov()
    await forms.xgov(without(XGOV, "whatHappened"))
    await forms.xgov(to="/intake/northborough/xgov/markedprofile")
    await forms.foi()
    await forms.foi(key="wrong")
    assert "Siân" not in "".join(str(row.why) for row in forms.rows(tables.received))
