"""What each status means, on a write and on a read: the table of the design, line by line."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from hub.connector import (
    DeliveryFailure,
    Http,
    Misconfigured,
    Refused,
    StepKind,
    Unavailable,
    Unclear,
)
from tests.peers import a_delivery, answer, peer

RESIDENT = b'{"error": "Jo Resident is not known"}'


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    http = Http(timeout=timedelta(seconds=5))
    yield http
    await http.close()


async def written(http: Http, status: int, kind: StepKind = StepKind.CREATE, **headers: str) -> DeliveryFailure:
    body = b"" if status == 304 else RESIDENT  # which has none, by the rules of HTTP
    async with peer(answer(status, body, **headers)) as office:
        with pytest.raises(DeliveryFailure) as raised:
            await http.write(a_delivery(kind), "POST", office.url, json={})
        assert len(office.heard) == 1, "no status is ever retried or followed by the seam"
        return raised.value


async def asked(http: Http, status: int) -> DeliveryFailure:
    async with peer(answer(status, RESIDENT)) as office:
        with pytest.raises(DeliveryFailure) as raised:
            await http.read("GET", office.url)
        return raised.value


@pytest.mark.parametrize("status", [400, 402, 406, 409, 411, 413, 415, 418, 422, 451])
async def test_what_the_product_read_and_refused_is_refused(http: Http, status: int) -> None:
    for failure in (await written(http, status), await asked(http, status)):
        assert (type(failure), failure.code) == (Refused, f"http_{status}")


@pytest.mark.parametrize("status", [401, 403, 404, 405, 407, 410])
async def test_a_key_or_address_that_is_not_accepted_on_a_create_is_suspect(http: Http, status: int) -> None:
    for failure in (await written(http, status), await asked(http, status)):
        assert isinstance(failure, Misconfigured) and failure.suspect
        assert failure.code == f"http_{status}"


@pytest.mark.parametrize("kind", [StepKind.UPDATE, StepKind.ATTACH, StepKind.CANCEL])
async def test_a_case_that_is_gone_refuses_what_follows_it(http: Http, kind: StepKind) -> None:
    for status in (404, 405, 410):
        assert isinstance(await written(http, status, kind), Refused)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
async def test_no_redirect_is_followed(http: Http, status: int) -> None:
    failure = await written(http, status, Location="http://127.0.0.1:9/elsewhere")
    assert isinstance(failure, Misconfigured) and not failure.suspect
    assert failure.code == "redirect"


@pytest.mark.parametrize("status", [408, 425, 429, 503])
async def test_a_busy_product_is_asked_again_when_it_says(http: Http, status: int) -> None:
    failure = await written(http, status, Retry_After="120")
    assert isinstance(failure, Unavailable)
    assert failure.retry_after == timedelta(minutes=2)


@pytest.mark.parametrize("status", [500, 501, 502, 504, 507, 520, 599])
async def test_a_product_that_fails_leaves_a_write_unclear_and_a_read_to_be_repeated(http: Http, status: int) -> None:
    assert (type(await written(http, status)), type(await asked(http, status))) == (Unclear, Unavailable)


@pytest.mark.parametrize("status", [600, 999])
async def test_a_status_that_http_does_not_know_is_not_believed(http: Http, status: int) -> None:
    assert (type(await written(http, status)), type(await asked(http, status))) == (Unclear, Unavailable)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_a_success_is_returned(http: Http, status: int) -> None:
    async with peer(answer(status, b"" if status == 204 else b"{}")) as office:
        assert (await http.write(a_delivery(), "POST", office.url, json={})).status == status


@pytest.mark.parametrize("status", [302, 401, 404, 409, 429, 500, 503])
async def test_a_status_that_the_connector_accepts_is_returned(http: Http, status: int) -> None:
    async with peer(answer(status, b'{"a": 1}')) as office:
        got = await http.write(a_delivery(), "POST", office.url, json={}, accept={status})
        assert (got.status, got.json()) == (status, {"a": 1})


@pytest.mark.parametrize("status", [302, 400, 401, 429, 500])
async def test_the_products_own_words_are_reasons_and_never_in_the_message(http: Http, status: int) -> None:
    failure = await written(http, status)
    assert failure.reasons == (RESIDENT.decode(),)
    assert "Jo" not in str(failure)


async def test_reasons_are_cut(http: Http) -> None:
    async with peer(answer(400, b"x" * 100_000)) as office:
        with pytest.raises(Refused) as raised:
            await http.read("GET", office.url)
    assert len(raised.value.reasons[0]) == 4000


MONDAY = "Mon, 23 Nov 2026 09:00:00 GMT"


@pytest.mark.parametrize(
    ("asked_for", "date", "wait"),
    [
        ("0", None, timedelta(0)),
        (" 30 ", None, timedelta(seconds=30)),
        ("Mon, 23 Nov 2026 09:05:00 GMT", MONDAY, timedelta(minutes=5)),
        ("Monday, 23-Nov-26 09:05:00 GMT", MONDAY, timedelta(minutes=5)),
        ("Mon Nov 23 09:05:00 2026", MONDAY, timedelta(minutes=5)),
        ("Mon, 23 Nov 2026 08:00:00 GMT", MONDAY, timedelta(0)),
        ("999999999", None, timedelta(days=7)),
        ("99999999999999999999", None, None),
        ("-5", None, None),
        ("1.5", None, None),
        ("soon", None, None),
        ("Mon, 99 Nov 2026 09:05:00 GMT", MONDAY, None),
        ("", None, None),
    ],
)
async def test_retry_after_is_read_as_seconds_or_as_a_date_of_the_products_own_clock(
    http: Http, asked_for: str, date: str | None, wait: timedelta | None
) -> None:
    headers = {"Retry_After": asked_for} | ({"Date": date} if date else {})
    failure = await written(http, 503, StepKind.CREATE, **headers)
    assert isinstance(failure, Unavailable) and failure.retry_after == wait


async def test_a_retry_date_without_the_products_clock_is_read_by_ours(http: Http) -> None:
    failure = await written(http, 429, Retry_After="Fri, 01 Jan 2100 00:00:00 GMT")
    assert isinstance(failure, Unavailable) and failure.retry_after == timedelta(days=7)
