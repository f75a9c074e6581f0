"""The Open311 door on PostgreSQL: repeats of many at once, and addresses that hold what no database text may."""

from __future__ import annotations

import asyncio

from hub.store import tables
from tests.integration.open311_house import BINS, TIPS, content, number, rows, site
from tests.open311 import changed


async def test_many_at_once_are_one_mapped_or_parked(postgres_url: str) -> None:
    with site(postgres_url) as here:
        for pairs in (BINS, changed(TIPS, service_code="strict")):
            assert len({number(answer) for answer in await asyncio.gather(*[here.post(pairs) for _ in range(8)])}) == 1
        assert len(rows(here, tables.received)) == 2 and len(rows(here, tables.submission)) == 1


async def test_two_processes_at_once_give_one_number(postgres_url: str) -> None:
    with site(postgres_url) as one, site(postgres_url, new=False) as two:
        for pairs in (BINS, changed(TIPS, service_code="strict")):
            answers = await asyncio.gather(*[at.post(pairs) for at in (one, two) for _ in range(6)])
            assert len({number(answer) for answer in answers}) == 1
        assert len(rows(one, tables.received)) == 2


async def test_what_no_text_may_hold_is_taken_or_not_there(postgres_url: str) -> None:
    with site(postgres_url) as here:
        reference = await here.sent(changed(BINS, description="a\x00b", attribute__fixmystreet_id="\x00"))
        assert content(here, reference)["description"] == "ab"
        assert (await here.get(f"northborough/requests/{reference}.xml")).status == 200
        for path in ("northborough/requests/%00.xml", "northborough/requests.xml?service_request_id=%00,%FF"):
            assert (await here.get(path)).status == 404
