"""Intake on PostgreSQL: several processes, and a database that refuses what SQLite lets pass."""

from __future__ import annotations

import asyncio

import sqlalchemy as sa

from hub.model import Role
from hub.store import tables
from tests.integration.intake_house import body, house, publish


async def test_one_key_at_two_processes_in_the_same_moment_is_one_submission(postgres_url: str) -> None:
    with house(postgres_url) as one, house(postgres_url, new=False) as two:
        answers = await asyncio.gather(*[publish(at.caller(), key="k") for at in (one, two) for _ in range(10)])
        query = sa.select(sa.func.count()).select_from(tables.submission)
        kept = one.store.read_now(lambda connection: connection.execute(query).scalar_one())
    assert {answer.status for answer in answers} == {202} and kept == 1
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_the_answer_again_is_the_first_answer_to_the_byte(postgres_url: str) -> None:
    with house(postgres_url) as here:
        first, second = [await publish(here.caller(), key="k") for _ in range(2)]
        told = (await here.caller().get(f"/v1/submissions/{first.json()['id']}")).json()
    assert first.body == second.body and told["received_at"] == first.json()["received_at"]


async def test_names_that_can_be_nobody_s_are_not_there(postgres_url: str) -> None:
    with house(postgres_url) as here:
        admin = here.user("a", Role.ADMIN)
        for name in (
            "nope",
            "x" * 36,
            "%00",
            "z" * 36,
            "ABCD-EFGH",
            "ABCD\x00EFGH",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
        ):
            for target in (f"/v1/submissions/{name}", f"/v1/deliveries/{name}", f"/v1/councils/{name}"):
                assert (await admin.get(target)).status == 404, target
            for verb in ("pause", "resume"):
                answer = await admin.post(f"/v1/destinations/northborough/{name}/{verb}", {"reason": "x"})
                assert answer.status == 404, name


async def test_no_query_is_a_5xx(postgres_url: str) -> None:
    with house(postgres_url) as here:
        admin = here.user("a", Role.ADMIN)
        for query in ("cursor=AAAA", "q=%00", "council=%00", "subject=%00", "submission=x", "since=0001-01-01",
                      "until=9999-12-31T23:59:59Z", "reference=%00", "state=%00", "service=%F0%9F%9A%AE"):  # fmt: skip
            for target in ("deliveries", "received", "groups", "destinations", "audit", "submissions"):
                answer = await admin.get(f"/v1/{target}?{query}")
                assert answer.status < 500, (target, query, answer.body)


async def test_no_text_that_the_contract_takes_is_a_5xx(postgres_url: str) -> None:
    with house(postgres_url) as here:
        for text in ("🚮 Llanfair­pwll ŵ", "\u202eevil", "a\x00b", "\ufffe", "x" * 119 + "🚮", "'; DROP TABLE step; --"):
            answer = await here.caller().post("/v1/submissions", body(front_end_reference=text, description=text))
            assert answer.status == 202, (text, answer.body)
            found = await here.caller().get(f"/v1/submissions/{answer.json()['id']}")
            assert found.json()["front_end_reference"] is not None
