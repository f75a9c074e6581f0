"""A submission comes in: taken once, refused clearly, followed to its end."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub.intake.limits import Rate
from hub.intake.shapes import AcceptedBody, ProblemBody, StatusBody
from hub.model import SubmissionStatus
from hub.store import tables
from tests.integration.intake_house import House, body, house, publish

REFUSE_AND_FOOD = {"containers": [{"waste_type": "refuse"}, {"waste_type": "food"}]}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path}/hub.db") as made:
        yield made


def count(here: House, table: sa.Table) -> int:
    query = sa.select(sa.func.count()).select_from(table)
    return int(here.store.read_now(lambda connection: connection.execute(query).scalar_one()))


async def test_a_202_says_what_the_contract_says(here: House) -> None:
    answer = await publish(here.caller())
    told = AcceptedBody.model_validate_json(answer.body)
    assert (answer.status, told.council, told.service) == (202, "northborough", "missed-bin")
    assert told.status is SubmissionStatus.ACCEPTED
    assert re.fullmatch("[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}", told.reference)
    assert answer.headers["location"] == told.links.self == f"/v1/submissions/{told.id}"


async def test_addresses_are_whole_where_the_public_url_is_known(tmp_path: Path) -> None:
    with house(f"sqlite:///{tmp_path}/hub.db", public_url="https://hub.example/") as here:
        answer = await publish(here.caller())
        assert answer.headers["location"].startswith("https://hub.example/v1/submissions/")
        assert (await here.caller().get("/nowhere")).json()["type"] == "https://hub.example/problems/not-found"


async def test_the_key_may_come_as_x_api_key(here: House) -> None:
    caller = here.caller(None)
    caller.headers = {"x-api-key": "key of the shared front end"}
    assert (await publish(caller)).status == 202


async def test_a_council_may_be_named_by_its_gss_code(here: House) -> None:
    assert (await here.published(council="E07000999"))["council"] == "northborough"


async def test_the_status_of_what_was_taken(here: House) -> None:
    made = await here.published(front_end_reference="FE-1")
    answer = await here.caller().get(f"/v1/submissions/{made['id']}")
    told = StatusBody.model_validate_json(answer.body)
    assert (told.front_end_reference, told.status.value, told.final) == ("FE-1", "accepted", False)
    assert told.deliveries[0].our_reference == made["reference"] == told.reference
    assert answer.json()["received_at"] == made["received_at"]


async def test_a_reference_finds_it_however_it_is_typed(here: House) -> None:
    made = await here.published()
    for typed in (made["reference"], made["reference"].lower(), made["id"].upper()):
        assert (await here.caller().get(f"/v1/submissions/{typed}")).json()["id"] == made["id"]


async def test_two_missed_bins_are_two_deliveries_with_a_reference_each(here: House) -> None:
    made = await here.published(details=REFUSE_AND_FOOD)
    told = (await here.caller().get(f"/v1/submissions/{made['id']}")).json()
    assert [one["our_reference"] for one in told["deliveries"]] == [f"{made['reference']}-1", f"{made['reference']}-2"]


async def test_the_bell_is_rung_once_for_each_destination(here: House) -> None:
    await here.published(details=REFUSE_AND_FOOD)
    assert here.rung == ["northborough/waste"]


async def test_what_no_route_takes_is_accepted_and_a_person_s_at_once(here: House) -> None:
    details = {**body("complaint")["details"], "kind": "compliment"}
    made = await here.published(service="complaint", details=details)
    told = (await here.caller().get(f"/v1/submissions/{made['id']}")).json()
    assert made["status"] == told["status"] == "needs_attention" and not told["final"] and here.rung == []


async def test_warnings_are_told_and_kept(here: House) -> None:
    details = {"containers": [{"waste_type": "refuse"}], "collection_date": "2020-01-06"}
    made = await here.published(details=details)
    assert made["warnings"][0]["pointer"] == "#/details/collection_date"
    assert (await here.caller().get(f"/v1/submissions/{made['id']}")).json()["warnings"] == made["warnings"]


async def test_the_content_is_sealed_at_rest(here: House, tmp_path: Path) -> None:
    await here.published(description="Blodwen lives by the blue door")
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())  # noqa: ASYNC240
    assert b"northborough" in files and b"Blodwen" not in files


async def test_the_caller_s_trace_is_kept_with_it(here: House) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = await here.caller().post("/v1/submissions", body(), traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    query = sa.select(tables.submission.c.trace_id)
    kept = here.store.read_now(lambda connection: connection.execute(query).scalar_one())
    assert answer.headers["traceparent"] == kept and trace in kept


async def test_the_same_key_and_content_get_the_first_answer_again(here: House) -> None:
    first, second = await publish(here.caller(), key="k"), await publish(here.caller(), key='"k"')
    assert first.body == second.body and (first.status, second.status) == (202, 202)
    assert "idempotent-replayed" not in first.headers and second.headers["idempotent-replayed"] == "true"
    assert here.rung == ["northborough/waste"]


async def test_the_same_key_with_other_content_is_a_422(here: House) -> None:
    await publish(here.caller(), key="k")
    answer = await publish(here.caller(), key="k", description="Something else.")
    assert (answer.status, answer.json()["code"]) == (422, "idempotency-key-reused")


async def test_the_order_of_fields_is_not_other_content(here: House) -> None:
    await publish(here.caller(), key="k")
    turned = dict(reversed(body().items()))
    answer = await here.caller().post("/v1/submissions", json.dumps(turned, indent=3).encode(), idempotency_key="k")
    assert answer.headers["idempotent-replayed"] == "true"


async def test_two_front_ends_may_use_the_same_key(here: House) -> None:
    await publish(here.caller(), key="k")
    other = await publish(here.front_end("another"), key="k")
    assert other.status == 202 and "idempotent-replayed" not in other.headers


async def test_twenty_at_once_with_one_key_are_one_submission(here: House) -> None:
    answers = await asyncio.gather(*[publish(here.caller(), key="k") for _ in range(20)])
    assert {answer.status for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1 == count(here, tables.submission)


REFUSALS: list[tuple[str, dict[str, Any], int, str]] = [
    ("a council that is not there", {"council": "nowhere"}, 404, "/v1/councils"),
    ("a service that is not there", {"service": "moon-landing"}, 404, "missed-bin"),
    ("an unknown key", {"descripton": "x"}, 422, "#/descripton"),
    ("a UPRN as a number", {"property": {"uprn": 100012345}}, 422, "#/property/uprn"),
    ("30 February", {"details": {**REFUSE_AND_FOOD, "collection_date": "2026-02-30"}}, 422, "collection_date"),
    ("null for an optional field", {"description": None}, 422, "#/description"),
]


@pytest.mark.parametrize(("changes", "status", "told"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
async def test_what_is_refused_says_what_to_do(here: House, changes: Any, status: int, told: str) -> None:
    answer = await here.caller().post("/v1/submissions", {**body(), **changes})
    ProblemBody.model_validate_json(answer.body)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert told in answer.body.decode() and count(here, tables.submission) == 0


async def test_a_service_that_the_council_does_not_take_is_a_404_naming_those_it_takes(here: House) -> None:
    answer = await publish(here.caller(), "foi-request")
    assert answer.status == 404 and "it takes complaint, missed-bin" in answer.json()["detail"]


async def test_every_fault_of_shape_is_told_at_once(here: House) -> None:
    answer = await publish(here.caller(), details={"containers": []}, property={"uprn": 1}, descripton="x")
    pointers = {fault["pointer"] for fault in answer.json()["errors"]}
    assert {"#/details/containers", "#/property/uprn", "#/descripton"} <= pointers


RAW: list[tuple[str, bytes, int]] = [
    ("nothing", b"", 400),
    ("half an object", b'{"council": ', 400),
    ("invalid UTF-8", b'{"council": "\xff\xfe"}', 400),
    ("a list", b"[]", 400),
    ("a string", b'"council"', 400),
    ("very deep", b"[" * 100_000, 400),
    ("deep objects", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400),
    ("the same field twice", b'{"council": "a", "council": "b"}', 400),
    ("NaN", b'{"version": NaN}', 400),
    ("a huge integer", b'{"service": "missed-bin", "version": ' + b"9" * 5_000 + b"}", 400),
    ("a lone surrogate", b'{"service": "missed-bin", "council": "\\ud800"}', 400),
    ("NULs", b'{"service": "missed-bin", "council": "a\\u0000b"}', 422),
    ("twenty thousand keys", json.dumps({f"k{n}": n for n in range(20_000)}).encode(), 400),
    ("another encoding", '{"council": "å"}'.encode("utf-16"), 400),
]


@pytest.mark.parametrize(("raw", "status"), [row[1:] for row in RAW], ids=[row[0] for row in RAW])
async def test_no_body_is_a_5xx(here: House, raw: bytes, status: int) -> None:
    answer = await here.caller().post("/v1/submissions", raw)
    assert (answer.status, answer.json()["status"]) == (status, status), answer.body[:300]


async def test_nul_and_control_characters_are_taken_out_with_a_warning(here: House) -> None:
    made = await here.published(description="one\x00two\x07three\tfour\nfive 🚮 Llanfairpwll ŵ")
    assert made["warnings"][0]["pointer"] == "#/description"


async def test_a_body_over_the_limit_is_a_413(tmp_path: Path) -> None:
    with house(f"sqlite:///{tmp_path}/hub.db", max_body=2_000) as here:
        answer = await publish(here.caller(), description="x" * 3_000)
    assert (answer.status, answer.json()["code"]) == (413, "too-large") and "2000 bytes" in answer.json()["detail"]


async def test_a_large_body_is_taken(here: House) -> None:
    content = "QUJD" * 60_000
    attachment = {"name": "photo.jpg", "media_type": "image/jpeg", "content_base64": content}
    assert (await publish(here.caller(), attachments=[attachment])).status == 202


async def test_too_fast_is_a_429_that_says_when_to_come_again(tmp_path: Path) -> None:
    with house(f"sqlite:///{tmp_path}/hub.db", rate=Rate(per_second=0.5, burst=2), monotonic=lambda: 0.0) as here:
        answers = [await publish(here.caller()) for _ in range(3)]
        other = await publish(here.front_end("another"))
    assert [answer.status for answer in answers] == [202, 202, 429] and other.status == 202
    assert answers[2].headers["retry-after"] == "2"


async def test_a_store_that_is_away_is_a_503_that_says_when_to_come_again(here: House) -> None:
    caller = here.caller()
    await publish(caller)
    here.store.close()
    answer = await publish(caller)
    assert (answer.status, answer.json()["code"], answer.headers["retry-after"]) == (503, "unavailable", "5")


async def test_a_caller_who_hangs_up_leaves_nothing(here: House) -> None:
    answer = await here.caller().call("POST", "/v1/submissions", b'{"council":', hang_up=True)
    assert answer.status == 0 and count(here, tables.submission) == 0


async def test_a_list_shows_a_front_end_its_own_page_by_page(here: House) -> None:
    made = [(await here.published())["id"] for _ in range(3)]
    await here.published(here.front_end("another"))
    first = await here.caller().get("/v1/submissions?limit=2")
    second = await here.caller().get(first.headers["link"].partition(">")[0].removeprefix("<"))
    assert [one["id"] for one in first.json()["items"] + second.json()["items"]] == made[::-1]
    assert second.json()["next"] is None
