"""What cannot be mapped: parked, told as received, mended, replayed or set aside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.model import Role
from hub.store import tables
from tests.integration.forms_house import LEISURE, XGOV, Forms, forms_in, without


@pytest.fixture
def forms(tmp_path: Path) -> Iterator[Forms]:
    with forms_in(tmp_path) as made:
        yield made


async def test_what_cannot_be_mapped_is_parked_and_told_as_received(forms: Forms) -> None:
    answer = await forms.xgov(without(XGOV, "whatHappened"))
    assert answer.status == 200
    [row] = forms.rows(tables.received)
    assert (row.state, row.reference) == ("parked", answer.json()["reference"])
    assert row.why.startswith("patterns/intake/xgov/complaint.yaml:")
    assert "details.what_happened" in row.why
    assert "Siân" not in row.why
    assert forms.rows(tables.submission) == []


async def test_a_parked_one_needs_attention_and_only_its_front_end_sees_it(forms: Forms) -> None:
    reference = (await forms.xgov(without(XGOV, "whatHappened"))).json()["reference"]
    status = (await forms.caller.get(f"/v1/submissions/{reference}")).json()
    assert (status["status"], status["final"], status["deliveries"]) == ("needs_attention", False, [])
    other = forms.house.front_end("another")
    assert (await other.get(f"/v1/submissions/{reference}")).status == 404


async def test_staff_find_a_parked_one_by_the_reference_that_was_told_and_why_it_is(forms: Forms) -> None:
    reference = (await forms.xgov(without(XGOV, "whatHappened"))).json()["reference"]
    viewer = forms.house.user("v", Role.VIEWER)
    told = (await viewer.get(f"/v1/received/{reference.lower()}")).json()
    assert (told["reference"], told["state"]) == (reference, "parked")
    assert (await viewer.get(f"/v1/submissions/{reference}")).json()["why"] == [told["why"]]
    assert "why" not in (await forms.caller.get(f"/v1/submissions/{reference}")).json()
    assert (await viewer.get("/v1/received/ABCD-EFGH")).status == 404


async def test_a_repeat_of_a_parked_one_gets_the_same_reference(forms: Forms) -> None:
    body = without(XGOV, "whatHappened")
    assert (await forms.xgov(body)).json() == (await forms.xgov(body)).json()
    assert len(forms.rows(tables.received)) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"questions": 7},
        {"questions": [{"fields": None}]},
        {"questions": [{"fields": [{"answer": "x"}]}]},
        {**XGOV, "questions": [{"fields": [{"key": "whatHappened", "answer": {"a": ["b"]}}]}]},
    ],
)
async def test_a_body_of_another_shape_is_parked_and_not_refused(forms: Forms, body: Any) -> None:
    assert (await forms.xgov(body)).status == 200
    assert [row.state for row in forms.rows(tables.received)] == ["parked"]


async def test_a_profile_that_there_is_not_yet_parks_what_comes(forms: Forms) -> None:
    answer = await forms.xgov(to="/intake/northborough/xgov/leisure")
    assert answer.status == 200
    [row] = forms.rows(tables.received)
    assert "northborough/intake" in row.why


async def test_mended_and_replayed_it_is_a_submission_with_the_reference_that_was_told(forms: Forms) -> None:
    leisure = "/intake/northborough/xgov/leisure"
    told = (await forms.xgov(to=leisure)).json()["reference"]
    [row] = forms.rows(tables.received)
    staff = forms.staff
    still = (await staff.post(f"/v1/received/{row.id}/replay")).json()
    assert still["state"] == "parked"
    forms.reload(**{"northborough/intake/leisure.yaml": LEISURE})
    done = (await staff.post(f"/v1/received/{row.id}/replay", {"reason": "The profile is there now."})).json()
    assert (done["state"], done["why"], done["reference"]) == ("mapped", None, told)
    status = (await forms.caller.get(f"/v1/submissions/{told}")).json()
    assert (status["id"], status["reference"], status["status"]) == (row.id, told, "accepted")
    assert [each["status"] for each in status["updates"]] == ["needs_attention", "accepted"]
    assert forms.house.rung == ["northborough/crm"]
    assert (await forms.xgov(to=leisure)).json()["reference"] == told
    assert len(forms.rows(tables.submission)) == 1


async def test_a_second_replay_is_refused(forms: Forms) -> None:
    await forms.xgov()
    [row] = forms.rows(tables.received)
    answer = await forms.staff.post(f"/v1/received/{row.id}/replay")
    assert (answer.status, answer.json()["code"]) == (409, "wrong-state")


async def test_a_discarded_one_is_over_until_somebody_says_why_not(forms: Forms) -> None:
    reference = (await forms.xgov(to="/intake/northborough/xgov/leisure")).json()["reference"]
    [row] = forms.rows(tables.received)
    staff = forms.staff
    done = (await staff.post(f"/v1/received/{row.id}/discard", {"reason": "A test."})).json()
    assert done["state"] == "discarded"
    status = (await forms.caller.get(f"/v1/submissions/{reference}")).json()
    assert (status["status"], status["final"]) == ("discarded", True)
    [kept] = forms.rows(tables.received)
    assert kept.expires_at is not None
    forms.reload(**{"northborough/intake/leisure.yaml": LEISURE})
    assert (await staff.post(f"/v1/received/{row.id}/replay")).status == 409
    assert (await staff.post(f"/v1/received/{row.id}/replay", {"reason": "No test."})).json()["state"] == "mapped"


async def test_staff_see_what_is_parked_in_their_councils(forms: Forms) -> None:
    await forms.xgov(to="/intake/northborough/xgov/leisure")
    far = forms.house.user("Frank", Role.OPERATOR, councils=["southby"])
    assert (await far.get("/v1/received?state=parked")).json()["items"] == []
    [row] = (await forms.staff.get("/v1/received?state=parked&profile=leisure")).json()["items"]
    assert row["profile"] == "leisure"
    assert (await far.post(f"/v1/received/{row['id']}/replay")).status == 404
