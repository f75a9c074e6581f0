"""What staff see and do over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub.intake.shapes import ActBody, DeliveryWithAttempts, DestinationBody, Page, StaffDelivery
from hub.model import Role, StepState
from hub.store import tables
from tests.asgi import Caller
from tests.integration.intake_house import House, house


@pytest.fixture
def here(tmp_path: Path) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path}/hub.db") as made:
        yield made


async def delivery_of(here: House, **changes: Any) -> str:
    made = await here.published(**changes)
    told = (await here.caller().get(f"/v1/submissions/{made['id']}")).json()
    name: str = told["deliveries"][0]["id"]
    return name


def put(here: House, delivery: str, state: StepState) -> None:
    change = sa.update(tables.step).where(tables.step.c.delivery == delivery).values(state=state.value)
    here.store.transact_now(lambda connection: connection.execute(change))


async def items(caller: Caller, target: str) -> list[Any]:
    answer = await caller.get(target)
    assert answer.status == 200, answer.body
    found: list[Any] = answer.json()["items"]
    return found


async def test_a_list_of_deliveries_has_its_shape(here: House) -> None:
    name = await delivery_of(here)
    answer = await here.user("v", Role.VIEWER).get("/v1/deliveries")
    page = Page[StaffDelivery].model_validate_json(answer.body)
    assert [one.id for one in page.items] == [name] and page.items[0].connector == "scriptable"


async def test_a_destinations_name_needs_its_council(here: House) -> None:
    answer = await here.user("v", Role.VIEWER).get("/v1/deliveries?destination=crm")
    assert answer.status == 422 and "council/name" in answer.body.decode()


async def test_deliveries_are_filtered_by_what_they_have_in_common(here: House) -> None:
    bins, complaint = await delivery_of(here), await delivery_of(here, service="complaint")
    put(here, bins, StepState.DEAD)
    viewer = here.user("v", Role.VIEWER)
    for query, expected in (
        ("state=dead", [bins]),
        ("state=dead,queued", [complaint, bins]),
        ("state=dead&state=queued", [complaint, bins]),
        ("destination=northborough/crm", [complaint]),
        ("council=northborough&destination=crm", [complaint]),
        ("council=southby&destination=northborough/crm", []),
        ("service=missed-bin", [bins]),
        ("council=southby", []),
        ("since=2026-11-23T10:30:00Z", [complaint, bins]),
        ("until=2026-11-23", []),
        ("q=NOT-THERE", []),
        (f"group={'0' * 64}", []),
    ):
        assert [one["id"] for one in await items(viewer, f"/v1/deliveries?{query}")] == expected, query


async def test_a_reference_finds_its_delivery(here: House) -> None:
    made = await here.published(front_end_reference="FE/7")
    viewer = here.user("v", Role.VIEWER)
    for q in (made["reference"], made["reference"].lower(), "FE/7"):
        assert len(await items(viewer, f"/v1/deliveries?q={q}")) == 1


async def test_pages_follow_one_another_without_a_gap(here: House) -> None:
    made = [await delivery_of(here) for _ in range(5)]
    viewer, target, seen = here.user("v", Role.VIEWER), "/v1/deliveries?limit=2&state=queued", []
    while target:
        answer = await viewer.get(target)
        seen += [one["id"] for one in answer.json()["items"]]
        target = answer.headers.get("link", "").partition(">")[0].removeprefix("<")
    assert seen == made[::-1]


@pytest.mark.parametrize(
    "query",
    ["state=broken", "bogus=1", "limit=0", "limit=201", "since=yesterday", "until=9999-12-31T23:59:59-23:00", "q=%00",
     "group=xyz", "cursor=AAAA", "submission=1", "q=" + "x" * 121],
)  # fmt: skip
async def test_a_filter_that_is_not_of_its_form_is_a_422(here: House, query: str) -> None:
    answer = await here.user("v", Role.VIEWER).get(f"/v1/deliveries?{query}")
    assert (answer.status, answer.json()["code"]) == (422, "invalid")


async def test_one_delivery_with_its_attempts_by_id_or_reference(here: House) -> None:
    name = await delivery_of(here)
    viewer = here.user("v", Role.VIEWER)
    told = DeliveryWithAttempts.model_validate_json((await viewer.get(f"/v1/deliveries/{name}")).body)
    assert told.attempts == [] and told.state is StepState.QUEUED
    assert (await viewer.get(f"/v1/deliveries/{told.our_reference}")).json()["id"] == name


@pytest.mark.parametrize("name", ["nope", "0" * 36, "01936d2a-7b5c-7def-8abc-0123456789ab", "%00", "ABCD-EFGH"])
async def test_a_delivery_that_is_not_there_is_a_404(here: House, name: str) -> None:
    operator = here.user("o", Role.OPERATOR)
    assert (await operator.get(f"/v1/deliveries/{name}")).status == 404
    assert (await operator.post(f"/v1/deliveries/{name}/replay")).status == 404


async def test_staff_of_another_council_see_and_move_nothing(here: House) -> None:
    name = await delivery_of(here)
    southern = here.user("s", Role.ADMIN, councils=["southby"])
    assert await items(southern, "/v1/deliveries") == [] == await items(southern, "/v1/groups")
    assert (await southern.get("/v1/deliveries?council=northborough")).status == 403
    assert (await southern.get(f"/v1/deliveries/{name}")).status == 404
    assert (await southern.post(f"/v1/deliveries/{name}/replay")).status == 404
    pause = await southern.post("/v1/destinations/northborough/waste/pause", {"reason": "x"})
    assert pause.status == 404


async def test_staff_of_no_council_see_nothing(here: House) -> None:
    await delivery_of(here)
    nobody = here.user("n", Role.ADMIN, councils=[])
    for target in ("deliveries", "groups", "received", "destinations", "audit", "submissions"):
        assert await items(nobody, f"/v1/{target}") == []


async def test_a_viewer_looks_and_does_not_touch(here: House) -> None:
    name = await delivery_of(here)
    viewer = here.user("v", Role.VIEWER)
    answer = await viewer.post(f"/v1/deliveries/{name}/replay")
    assert answer.status == 403 and answer.json()["detail"].startswith("Your role is viewer; this needs operator.")


async def test_a_dead_letter_is_replayed_and_the_audit_says_by_whom(here: House) -> None:
    name = await delivery_of(here)
    put(here, name, StepState.DEAD)
    operator = here.user("olwen", Role.OPERATOR)
    answer = await operator.post(f"/v1/deliveries/{name}/replay", {"reason": "The mapping was mended."})
    assert StaffDelivery.model_validate_json(answer.body).state is StepState.QUEUED
    acts = Page[ActBody].model_validate_json((await operator.get(f"/v1/audit?subject={name}")).body)
    assert [(act.actor, act.verb, act.reason) for act in acts.items] == [("olwen", "replay", "The mapping was mended.")]


@pytest.mark.parametrize("state", [StepState.UNCLEAR, StepState.SENDING, StepState.DELIVERED])
async def test_what_cannot_be_replayed_is_a_409_that_says_what_to_do(here: House, state: StepState) -> None:
    name = await delivery_of(here)
    put(here, name, state)
    answer = await here.user("o", Role.OPERATOR).post(f"/v1/deliveries/{name}/replay", {"reason": "Again."})
    assert (answer.status, answer.json()["code"]) == (409, "wrong-state") and answer.json()["detail"]


async def test_a_discard_needs_a_reason(here: House) -> None:
    name = await delivery_of(here)
    operator = here.user("o", Role.OPERATOR)
    for said in (b"", {}, {"reason": "  "}, {"reason": None}, {"reason": "x", "why": "y"}, b"{", b"\xff"):
        assert (await operator.post(f"/v1/deliveries/{name}/discard", said)).status == 422, said
    answer = await operator.post(f"/v1/deliveries/{name}/discard", {"reason": "It was collected."})
    assert (answer.json()["state"], answer.json()["reason"]) == ("discarded", "It was collected.")


async def test_an_unclear_one_is_settled_by_what_a_person_saw(here: House) -> None:
    name = await delivery_of(here)
    put(here, name, StepState.UNCLEAR)
    said = {"outcome": "delivered", "reference": "WS-1093", "reason": "Seen in Whitespace."}
    answer = await here.user("o", Role.OPERATOR).post(f"/v1/deliveries/{name}/resolve", said)
    assert (answer.json()["state"], answer.json()["reference"]) == ("delivered", "WS-1093")


async def test_a_destination_is_paused_and_resumed(here: House) -> None:
    name = await delivery_of(here)
    operator = here.user("o", Role.OPERATOR)
    paused = await operator.post("/v1/destinations/northborough/waste/pause", {"reason": "Their upgrade."})
    assert paused.json()["paused"]["reason"] == "Their upgrade."
    waiting = (await operator.get(f"/v1/deliveries/{name}")).json()["waiting"]
    assert waiting["reason"] == "paused" and "Their upgrade" in waiting["text"]
    assert (await operator.post("/v1/destinations/northborough/waste/resume")).json()["paused"] is None


async def test_destinations_are_a_list_of_their_shape(here: House) -> None:
    answer = await here.user("v", Role.VIEWER).get("/v1/destinations?council=northborough")
    page = Page[DestinationBody].model_validate_json(answer.body)
    assert [one.id for one in page.items] == ["northborough/crm", "northborough/waste"]


async def test_a_destination_that_is_not_there_is_a_404(here: House) -> None:
    operator = here.user("o", Role.OPERATOR)
    for verb, said in (("pause", {"reason": "x"}), ("resume", {})):
        assert (await operator.post(f"/v1/destinations/northborough/nope/{verb}", said)).status == 404
