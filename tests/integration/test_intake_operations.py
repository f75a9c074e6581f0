"""Replay and discard of many over HTTP: drafted, looked at, started by whoever may."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub.intake.ops.account import ItemBody, OperationBody, WholeOperation
from hub.intake.shapes import Page
from hub.model import Role
from hub.store import tables
from tests.asgi import Answer, Caller
from tests.bodies import MARKER
from tests.integration.intake_house import House, house

WISH = {"kind": "replay", "filter": {"state": ["dead"]}, "reason": "The mapping was mended."}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path}/hub.db") as made:
        yield made


async def dead(here: House, number: int = 2, **changes: Any) -> list[str]:
    """So many dead letters, in the order they were made."""
    before = set(_ids(here))
    for _ in range(number):
        await here.published(**changes)
    made = [one for one in _ids(here) if one not in before]
    change = sa.update(tables.step).where(tables.step.c.delivery.in_(made)).values(state="dead", due_at=None)
    here.store.transact_now(lambda connection: connection.execute(change))
    return made


def _ids(here: House) -> list[str]:
    query = sa.select(tables.delivery.c.id).order_by(tables.delivery.c.id)
    return here.store.read_now(lambda connection: list(connection.execute(query).scalars()))


async def drafted(caller: Caller, **changes: Any) -> Answer:
    return await caller.post("/v1/operations", {**WISH, **changes})


async def test_a_draft_is_shown_with_its_preview_and_keeps_its_shape(here: House) -> None:
    made = await dead(here)
    answer = await drafted(here.user("olwen", Role.OPERATOR))
    told = WholeOperation.model_validate_json(answer.body)
    assert (answer.status, told.state, told.created_by, told.rate) == (201, "ready", "olwen", 5.0)
    assert told.preview and (told.preview.count, told.preview.goes, told.preview.rate) == (2, 2, 5.0)
    assert told.counts["pending"] == 2 == told.progress.total and MARKER not in answer.body.decode()
    again = await here.user("vera", Role.VIEWER).get(answer.headers["location"])
    assert again.json() == answer.json() and len(made) == 2


@pytest.mark.parametrize(
    "chosen",
    [{}, {"state": []}, {"council": None}, {"state": [], "since": None, "ids": []}, {"council": ""}],
)
async def test_a_filter_that_says_nothing_is_refused(here: House, chosen: dict[str, Any]) -> None:
    answer = await drafted(here.user("o", Role.OPERATOR), filter=chosen)
    assert (answer.status, answer.json()["code"]) == (422, "invalid")
    [fault] = answer.json()["errors"]
    assert fault["pointer"] == "#/filter" and fault["message"].startswith("Say which: at least one of state, council")


@pytest.mark.parametrize(
    ("wish", "pointer"),
    [
        ({"filter": {"state": ["lost"]}}, "#/filter/state/0"),
        ({"filter": {"colour": "red"}}, "#/filter/colour"),
        ({"filter": {"since": "soon"}}, "#/filter/since"),
        ({"filter": {"ids": ["nope"]}}, "#/filter/ids"),
        ({"filter": {"ids": ["01936d2a-7b5c-7def-8abc-0123456789ab"], "state": ["dead"]}}, "#/filter"),
        ({"filter": {"ids": ["01936d2a-7b5c-7def-8abc-0123456789ab"]}}, "#/filter/ids/0"),
        ({"filter": {"destination": "crm"}}, "#/filter"),
        ({"filter": {"cursor": "x"}}, "#/filter/cursor"),
        ({"reason": " "}, "#/reason"),
        ({"rate": 0}, "#/rate"),
        ({"canary": 0}, "#/canary"),
        ({"generation": 99}, "#/generation"),
        ({"kind": "resolve"}, "#/kind"),
        ({"kind": "discard", "canary": 3}, "#"),
        ({"colour": "red"}, "#/colour"),
    ],
)
async def test_a_wish_that_is_not_of_its_form_is_a_422(here: House, wish: dict[str, Any], pointer: str) -> None:
    answer = await drafted(here.user("o", Role.OPERATOR), **wish)
    assert answer.status == 422 and [fault["pointer"] for fault in answer.json()["errors"]] == [pointer], answer.body


async def test_relative_times_are_fixed_when_they_are_said(here: House) -> None:
    answer = await drafted(here.user("o", Role.OPERATOR), filter={"since": "2h", "until": "today", "state": "dead"})
    told = {"since": "2026-11-23T08:30:00Z", "until": "2026-11-23T00:00:00Z", "state": ["dead"]}
    assert answer.json()["filter"] == told


async def test_ids_are_a_list_too(here: House) -> None:
    made = await dead(here, 3)
    told = (await drafted(here.user("o", Role.OPERATOR), filter={"ids": made[:2]})).json()
    items = Page[ItemBody].model_validate_json(
        (await here.user("v", Role.VIEWER).get(f"/v1/operations/{told['id']}/items")).body
    )
    assert [one.delivery for one in items.items] == made[:2]


async def test_the_account_comes_page_by_page(here: House) -> None:
    made = await dead(here, 5)
    caller = here.user("o", Role.OPERATOR)
    target, seen = f"/v1/operations/{(await drafted(caller)).json()['id']}/items?limit=2&state=pending", []
    while target:
        answer = await caller.get(target)
        seen += [one["delivery"] for one in answer.json()["items"]]
        target = answer.headers.get("link", "").partition(">")[0].removeprefix("<")
    assert seen == made
    assert (await caller.get(f"/v1/operations/{(await drafted(caller)).json()['id']}/items?cursor=zzz")).status == 422


async def test_operations_are_listed_the_newest_first(here: House) -> None:
    caller = here.user("o", Role.OPERATOR)
    made = [(await drafted(caller)).json()["id"] for _ in range(3)]
    first = Page[OperationBody].model_validate_json((await caller.get("/v1/operations?limit=2")).body)
    second = (await caller.get(f"/v1/operations?limit=2&cursor={first.next}")).json()
    assert [one.id for one in first.items] + [one["id"] for one in second["items"]] == made[::-1]
    assert (await caller.get("/v1/operations?state=running")).json()["items"] == []


async def test_the_verbs_move_it_and_what_does_not_fit_is_a_409(here: House) -> None:
    await dead(here)
    caller = here.user("olwen", Role.OPERATOR)
    at = f"/v1/operations/{(await drafted(caller)).json()['id']}"
    assert (await caller.post(f"{at}/pause")).status == 409
    assert (await caller.post(f"{at}/start")).json()["state"] == "running"
    paused = (await caller.post(f"{at}/pause", {"reason": "Slow today."})).json()
    assert (paused["state"], paused["why"]) == ("paused", "Paused by olwen: Slow today.")
    assert (await caller.post(f"{at}/resume")).json()["why"] is None
    assert (await caller.post(f"{at}/start")).json()["detail"] == "It is running already."
    cancelled = (await caller.post(f"{at}/cancel")).json()
    assert (cancelled["state"], cancelled["counts"]["cancelled"]) == ("cancelled", 2)


async def test_the_unsafe_take_a_second_person(here: House) -> None:
    await dead(here)
    made = (await drafted(here.user("olwen", Role.ADMIN), include_unsafe=True)).json()
    start = f"/v1/operations/{made['id']}/start"
    for who in (here.caller("token of olwen"), here.user("oscar", Role.OPERATOR)):
        answer = await who.post(start)
        assert answer.status == 403 and "two people" in answer.json()["detail"]
    started = (await here.user("ada", Role.APPROVER).post(start)).json()
    assert (started["state"], started["approved_by"]) == ("running", "ada")


async def test_a_viewer_looks_and_does_not_draft(here: House) -> None:
    assert (await drafted(here.user("v", Role.VIEWER))).status == 403


async def test_staff_of_another_council_reach_and_see_nothing(here: House) -> None:
    made = await dead(here)
    ours = (await drafted(here.user("o", Role.OPERATOR))).json()
    southern = here.user("s", Role.ADMIN, councils=["southby"])
    assert (await drafted(southern)).json()["progress"]["total"] == 0
    assert (await drafted(southern, filter={"ids": made})).status == 422
    assert (await drafted(southern, filter={"council": "northborough"})).status == 403
    assert [one["councils"] for one in (await southern.get("/v1/operations")).json()["items"]] == [["southby"]]
    for verb in ("", "/items"):
        assert (await southern.get(f"/v1/operations/{ours['id']}{verb}")).status == 404
    for verb in ("start", "pause", "resume", "cancel"):
        assert (await southern.post(f"/v1/operations/{ours['id']}/{verb}")).status == 404


@pytest.mark.parametrize("name", ["nope", "01936d2a-7b5c-7def-8abc-0123456789ab", "%00"])
async def test_an_operation_that_is_not_there_is_a_404(here: House, name: str) -> None:
    caller = here.user("o", Role.OPERATOR)
    assert (await caller.get(f"/v1/operations/{name}")).status == 404
    assert (await caller.post(f"/v1/operations/{name}/start")).status == 404


async def test_one_that_runs_says_what_waits_for_whom(here: House) -> None:
    await dead(here)
    caller = here.user("o", Role.OPERATOR)
    await caller.post("/v1/destinations/northborough/waste/pause", {"reason": "Their upgrade."})
    told, _ = await asyncio.gather(drafted(caller), asyncio.sleep(0))
    running = (await caller.post(f"/v1/operations/{told.json()['id']}/start")).json()
    [place] = running["destinations"]
    assert place["waiting"]["reason"] == "paused" and "Their upgrade" in place["waiting"]["text"]
    assert told.json()["preview"]["destinations"][0]["paused"] is True
