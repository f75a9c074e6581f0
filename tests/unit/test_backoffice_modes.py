"""The thirteen ways a pretend back office behaves, seen from outside."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest

from hub.connector.testing import our_reference_in
from hub.connector.testing.scriptable_simulator import ScriptableBackOffice
from tests.offices import Said, Stranger, stranger


async def _post(asking: Stranger) -> Said:
    return await asking.ask("POST", "/cases", json={"our_reference": "ABCD-EFGH"})


@pytest.mark.parametrize(
    ("mode", "status", "rows"),
    [
        ("refuse", 422, 0),
        ("unavailable", 503, 0),
        ("rate_limited", 429, 0),
        ("html_error", 200, 0),
        ("fault", 500, 0),
        ("bad_auth", 401, 0),
        ("expired_session", 401, 0),
        ("ok", 201, 1),
    ],
)
async def test_a_mode_answers_and_commits(mode: str, status: int, rows: int) -> None:
    async with stranger(ScriptableBackOffice()) as asking:
        await asking.behave(mode)
        assert (await _post(asking)).status == status
        assert len(asking.office.ledger.items) == rows


async def test_too_fast_says_for_how_long() -> None:
    async with stranger(ScriptableBackOffice()) as asking:
        await asking.behave("rate_limited", seconds=6.2)
        assert (await _post(asking)).headers["Retry-After"] == "7"


async def test_a_page_is_html_whatever_was_asked_for() -> None:
    async with stranger(ScriptableBackOffice()) as asking:
        await asking.behave("html_error")
        said = await _post(asking)
        assert said.headers["Content-Type"].startswith("text/html")
        assert said.body.startswith(b"<!DOCTYPE html>")


async def test_slow_commits_at_once_and_answers_later() -> None:
    async with stranger(ScriptableBackOffice()) as asking:
        await asking.behave("slow", seconds=0.2)
        started = time.monotonic()
        posting = asyncio.create_task(_post(asking))
        await asyncio.sleep(0.1)
        assert len(asking.office.ledger.items) == 1
        assert (await posting).status == 201
        assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(("mode", "rows"), [("timeout", 0), ("commit_then_timeout", 1)])
async def test_a_call_that_is_never_answered(mode: str, rows: int) -> None:
    async with stranger(ScriptableBackOffice(), patience=0.2) as asking:
        await asking.behave(mode)
        with pytest.raises(TimeoutError):
            await _post(asking)
        assert len(asking.office.ledger.items) == rows


async def test_a_connection_dropped_after_the_case_was_made() -> None:
    async with stranger(ScriptableBackOffice()) as asking:
        await asking.behave("commit_then_drop")
        with pytest.raises(aiohttp.ClientConnectionError):
            await _post(asking)
        assert len(asking.office.ledger.items) == 1


async def test_drip_sends_a_byte_at_a_time() -> None:
    async with stranger(ScriptableBackOffice()) as asking:
        await asking.behave("drip", seconds=0.005)
        started = time.monotonic()
        said = await _post(asking)
        assert said.json == {"reference": "CASE-000001"}
        assert time.monotonic() - started >= 0.005 * len(said.body)


async def test_when_it_is_not_idempotent_a_repeat_is_a_second_row() -> None:
    async with stranger(ScriptableBackOffice()) as asking:
        asking.office.option["idempotent"] = False
        references = {(await _post(asking)).json["reference"] for _ in range(2)}
        assert references == {"CASE-000001", "CASE-000002"}
        assert len(asking.office.ledger.items) == 2


async def test_when_it_is_idempotent_a_repeat_is_the_same_case() -> None:
    async with stranger(ScriptableBackOffice()) as asking:
        answers = [await _post(asking) for _ in range(2)]
        assert [said.json["reference"] for said in answers] == ["CASE-000001"] * 2
        assert len(asking.office.ledger.items) == 1


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ({"a": "ABCD-EFGH"}, "ABCD-EFGH"),
        ({"a": "Please help [ref ABCD-EFGH-2-r3]"}, "ABCD-EFGH-2-r3"),
        ({"a": {"b": ["x", "[ref QRST-2345]"]}}, "QRST-2345"),
        ({"a": "QRST-2345", "b": "text [ref ABCD-EFGH]"}, "ABCD-EFGH"),
        ({"a": "an ABCD-EFGH in the middle"}, None),
        ({"a": None, "b": 3}, None),
    ],
)
def test_our_reference_is_found_where_a_pattern_puts_it(sent: object, found: str | None) -> None:
    assert our_reference_in(sent) == found
