"""Who may come in, and how far."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.model import Role
from hub.store import front_ends
from tests.integration.intake_house import House, house, publish


@pytest.fixture
def here(tmp_path: Path) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path}/hub.db") as made:
        yield made


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Basic YTpi"}, {"authorization": "Bearer "}, {"x-api-key": ""}]
)
async def test_no_key_is_a_401_that_says_how_to_send_one(here: House, headers: dict[str, str]) -> None:
    caller = here.caller(None)
    caller.headers = headers
    answer = await publish(caller)
    assert answer.status == 401 and "Authorization: Bearer" in answer.json()["detail"]
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("key", ["wrong", "x" * 5_000, "\xff\xfe", "' OR 1=1 --"])
async def test_an_unknown_key_is_a_401(here: House, key: str) -> None:
    caller = here.caller(None)
    answer = await caller.call(
        "POST", "/v1/submissions", b"{}", headers=[(b"authorization", b"Bearer " + key.encode())]
    )
    assert answer.status == 401


async def test_a_key_for_one_council_is_told_so_at_another(here: House) -> None:
    caller = here.front_end("southern", councils=["southby"])
    answer = await publish(caller)
    assert answer.status == 403 and "Your key is for the councils southby" in answer.json()["detail"]
    assert (await publish(caller, "complaint", council="southby")).status == 202


async def test_a_key_for_one_service_is_told_so_at_another(here: House) -> None:
    answer = await publish(here.front_end("bins", services=["missed-bin"]), "complaint")
    assert answer.status == 403 and "the services missed-bin" in answer.json()["detail"]


async def test_another_front_end_s_submission_is_not_there(here: House) -> None:
    made = await here.published()
    for name in (made["id"], made["reference"]):
        answer = await here.front_end(f"nosy {name}").get(f"/v1/submissions/{name}")
        assert answer.status == 404


async def test_a_revoked_key_ends_within_seconds(tmp_path: Path) -> None:
    now = [0.0]
    with house(f"sqlite:///{tmp_path}/hub.db", monotonic=lambda: now[0]) as here:
        caller = here.front_end("leaving")
        assert (await publish(caller)).status == 202
        here.store.transact_now(lambda connection: front_ends.revoke(connection, "leaving"))
        now[0] = 5.0
        assert (await publish(caller)).status == 401


async def test_staff_see_submissions_of_their_councils(here: House) -> None:
    made = await here.published()
    theirs = here.user("north", Role.VIEWER, councils=["northborough"])
    others = here.user("south", Role.VIEWER, councils=["southby"])
    assert (await theirs.get(f"/v1/submissions/{made['id']}")).status == 200
    assert (await others.get(f"/v1/submissions/{made['id']}")).status == 404
    assert (await others.get("/v1/submissions")).json()["items"] == []


async def test_a_staff_token_does_not_publish_and_says_why(here: House) -> None:
    answer = await publish(here.user("admin", Role.ADMIN))
    assert answer.status == 403 and "front end's key" in answer.json()["detail"]


async def test_a_front_end_s_key_does_not_open_the_ops_api(here: House) -> None:
    answer = await here.caller().get("/v1/deliveries")
    assert answer.status == 403 and "staff token" in answer.json()["detail"]
    assert (await here.caller(None).get("/v1/deliveries")).status == 401


async def test_contracts_need_no_key(here: House) -> None:
    for target in ("/v1/services", "/v1/councils", "/v1/services/missed-bin/schema", "/openapi.json", "/health/live"):
        assert (await here.caller(None).get(target)).status == 200
