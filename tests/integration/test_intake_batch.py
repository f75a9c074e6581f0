"""A batch: each item is answered as if it had come alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.intake.limits import Rate
from hub.store import tables
from tests.integration.intake_house import House, body, house


@pytest.fixture
def here(tmp_path: Path) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path}/hub.db") as made:
        yield made


async def batch(here: House, items: Any) -> Any:
    return await here.caller().post("/v1/submissions/batch", {"items": items})


async def test_good_and_bad_ones_are_answered_in_order(here: House) -> None:
    items = [body(), body(details={}), 7, body(council="nowhere"), {**body(), "idempotency_key": ""}, body("complaint")]
    answer = await batch(here, items)
    assert answer.status == 200
    told = answer.json()["items"]
    assert [one["http_status"] for one in told] == [202, 422, 400, 404, 400, 202]
    assert told[1]["errors"][0]["pointer"] == "#/details/containers"
    assert told[5]["service"] == "complaint" and told[0]["links"]["self"].endswith(told[0]["id"])


async def test_one_key_twice_in_a_batch_is_one_submission(here: House) -> None:
    told = (await batch(here, [{**body(), "idempotency_key": "k"}] * 3)).json()["items"]
    assert len({one["id"] for one in told}) == 1
    assert [one["replayed"] for one in told] == [False, True, True]


async def test_a_key_of_the_header_and_one_of_a_batch_are_one_key(here: House) -> None:
    alone = await here.caller().post("/v1/submissions", body(), idempotency_key="k")
    (told,) = (await batch(here, [{**body(), "idempotency_key": "k"}])).json()["items"]
    assert told["replayed"] and told["id"] == alone.json()["id"]


async def test_five_hundred_are_taken_and_five_hundred_and_one_are_not(here: House) -> None:
    assert (await batch(here, [body()] * 501)).status == 422
    told = (await batch(here, [body()] * 500)).json()["items"]
    assert {one["http_status"] for one in told} == {202} and len({one["reference"] for one in told}) == 500
    assert len(here.store.transact_now(lambda connection: connection.execute(tables.submission.select()).all())) == 500


@pytest.mark.parametrize("raw", [b"[]", b"{}", b'{"items": []}', b'{"items": 1}', b'{"items": [1], "more": 1}'])
async def test_what_is_no_batch_is_refused_whole(here: House, raw: bytes) -> None:
    answer = await here.caller().post("/v1/submissions/batch", raw)
    assert answer.status == 422 and answer.json()["errors"]


async def test_a_batch_that_is_no_json_is_a_400(here: House) -> None:
    assert (await here.caller().post("/v1/submissions/batch", b"{")).status == 400


async def test_items_beyond_the_agreed_rate_are_told_to_wait(tmp_path: Path) -> None:
    with house(f"sqlite:///{tmp_path}/slow.db", rate=Rate(per_second=0.1, burst=3), monotonic=lambda: 0.0) as here:
        told = (await batch(here, [body()] * 5)).json()["items"]
    statuses = [one["http_status"] for one in told]
    assert statuses.count(429) >= 2 and statuses.count(202) >= 1


async def test_the_extra_field_of_an_item_is_no_part_of_its_content(here: House) -> None:
    (told,) = (await batch(here, [{**body(), "idempotency_key": "k"}])).json()["items"]
    assert told["http_status"] == 202 and "idempotency_key" not in json.dumps(told)
