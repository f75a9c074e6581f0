"""What each way a call can break off means, on a write and on a read."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from hub.connector import Delivery, DeliveryFailure, Http, Misconfigured, StepKind, Unavailable, Unclear
from tests import peers
from tests.peers import a_delivery, answer, peer

SOON = timedelta(seconds=0.3)


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    http = Http(timeout=SOON)
    yield http
    await http.close()


async def written(http: Http, url: str, delivery: Delivery | None = None, method: str = "POST") -> DeliveryFailure:
    with pytest.raises(DeliveryFailure) as raised:
        await http.write(delivery or a_delivery(), method, url, json={"name": "Jo"})
    return raised.value


async def asked(http: Http, url: str) -> DeliveryFailure:
    with pytest.raises(DeliveryFailure) as raised:
        await http.read("POST", url, json={})
    return raised.value


BROKEN = {
    "reset": (peers.resets, "reset"),
    "hung_up": (peers.hangs_up, "hung_up"),
    "silence": (peers.never_answers, "read_timeout"),
    "drip": (peers.drips, "deadline"),
    "half_an_answer": (peers.stops_halfway, "broken_answer"),
    "reset_halfway": (peers.resets_halfway, "broken_answer"),
    "garbage": (b"SSH-2.0-OpenSSH_9.6\r\n", "not_http"),
    "bad_chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", "not_http"),
    "bad_gzip": (answer(200, b"this is no gzip", Content_Encoding="gzip"), "broken_answer"),
    "two_lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "not_http"),
    "long_header": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", "not_http"),
}


@pytest.mark.parametrize(("manner", "code"), BROKEN.values(), ids=BROKEN)
async def test_a_write_that_breaks_off_after_it_left_is_unclear(http: Http, manner: peers.Manner, code: str) -> None:
    async with peer(manner) as office:
        failure = await written(http, office.url)
        assert (type(failure), failure.code) == (Unclear, code)
        assert len(office.heard) == 1


@pytest.mark.parametrize(("manner", "code"), BROKEN.values(), ids=BROKEN)
async def test_a_read_is_never_unclear(http: Http, manner: peers.Manner, code: str) -> None:
    async with peer(manner) as office:
        failure = await asked(http, office.url)
        assert (type(failure), failure.code) == (Unavailable, code)


async def test_where_nothing_listens_the_write_certainly_did_not_arrive(http: Http) -> None:
    with peers.nobody() as url:
        failure = await written(http, url)
    assert (type(failure), failure.code) == (Unavailable, "connect_refused")


async def test_a_name_that_is_not_found_is_unavailable() -> None:
    http = Http()
    failure = await written(http, "http://council.invalid/")
    await http.close()
    assert (type(failure), failure.code) == (Unavailable, "dns")


@pytest.mark.parametrize("connect", [0.1, 10.0], ids=["connect deadline", "total deadline"])
async def test_where_nobody_picks_up_the_write_certainly_did_not_arrive(connect: float) -> None:
    http = Http(timeout=SOON, connect_timeout=timedelta(seconds=connect))
    with peers.deaf() as url:
        failure = await written(http, url)
    await http.close()
    assert (type(failure), failure.code) == (Unavailable, "connect_timeout")


async def test_a_write_without_a_body_that_never_connected_is_unavailable() -> None:
    http = Http(timeout=SOON, connect_timeout=SOON)
    with peers.deaf() as url, pytest.raises(Unavailable):
        await http.write(a_delivery(), "DELETE", url)
    await http.close()


async def test_a_write_without_a_body_that_was_heard_is_unclear(http: Http) -> None:
    async with peer(peers.resets) as office:
        with pytest.raises(Unclear):
            await http.write(a_delivery(), "DELETE", office.url)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "PATCH"])
async def test_a_dropped_write_leaves_once_whatever_its_method(http: Http, method: str) -> None:
    async with peer(peers.hangs_up) as office:
        failure = await written(http, office.url, method=method)
        assert isinstance(failure, Unclear)
        assert len(office.heard) == 1


async def test_a_connection_that_was_closed_while_idle_is_not_used_again(http: Http) -> None:
    async def one_each(line: peers.Line) -> None:
        await line.hear()
        await line.say(answer(200, b"{}"))

    async with peer(one_each) as office:
        for _ in range(3):
            await http.write(a_delivery(), "POST", office.url, json={})
            await peers.a_moment()
        assert office.calls == 3


async def test_one_connection_serves_call_after_call(http: Http) -> None:
    async with peer(answer(200, b"{}")) as office:
        for _ in range(3):
            await http.write(a_delivery(), "POST", office.url, json={})
        assert (office.calls, len(office.heard)) == (1, 3)


@pytest.mark.parametrize("url", ["ftp://council.example/", "council.example", "http://", "", "http://[", "file:///etc"])
async def test_an_address_that_is_none_is_ours_to_mend(http: Http, url: str) -> None:
    failure = await written(http, url)
    assert (type(failure), failure.code) == (Misconfigured, "address")


async def test_a_host_name_that_cannot_be_written_is_ours_to_mend(http: Http) -> None:
    failure = await written(http, f"http://{'a' * 80}.example/")
    assert isinstance(failure, Misconfigured | Unavailable)


async def test_an_answer_over_the_limit_is_cut_off() -> None:
    http = Http(max_body=1000)
    async with peer(answer(200, b"x" * 1001)) as office:
        failure = await written(http, office.url)
        assert (type(failure), failure.code) == (Unclear, "too_large")
        assert isinstance(await asked(http, office.url), Unavailable)
    await http.close()


async def test_a_gzip_bomb_is_cut_off_at_the_limit() -> None:
    http = Http(max_body=1024 * 1024)
    bomb = gzip.compress(bytes(50 * 1024 * 1024))
    async with peer(answer(200, bomb, Content_Encoding="gzip")) as office:
        failure = await written(http, office.url)
    await http.close()
    assert (type(failure), failure.code) == (Unclear, "too_large")


async def test_a_packed_answer_is_unpacked(http: Http) -> None:
    async with peer(answer(200, gzip.compress(b'{"a": 1}'), Content_Encoding="gzip")) as office:
        assert (await http.read("GET", office.url)).json() == {"a": 1}


async def test_no_cookie_is_carried_from_one_call_to_the_next(http: Http) -> None:
    async with peer(answer(200, b"{}", Set_Cookie="resident=jo")) as office:
        await http.read("GET", office.url)
        await http.read("GET", office.url)
        assert b"cookie" not in office.heard[1].lower()


async def test_sending_is_marked_before_the_first_byte_and_never_for_a_read(http: Http) -> None:
    seen: list[int] = []

    async def sending() -> None:
        seen.append(len(office.heard))

    async with peer(answer(200, b"{}")) as office:
        await http.read("GET", office.url)
        assert seen == []
        await http.write(a_delivery(on_sending=sending), "POST", office.url, json={})
        assert seen == [1]


async def test_when_sending_cannot_be_marked_nothing_is_sent(http: Http) -> None:
    async def sending() -> None:
        raise ConnectionAbortedError("the store is away")

    async with peer(answer(200, b"{}")) as office:
        with pytest.raises(ConnectionAbortedError):
            await http.write(a_delivery(on_sending=sending), "POST", office.url, json={})
        assert office.heard == []


async def test_a_create_writes_once_unless_the_product_said_it_did_nothing(http: Http) -> None:
    delivery = a_delivery()
    async with peer(answer(401)) as office:
        await http.write(delivery, "POST", office.url, json={}, accept={401})
        with pytest.raises(RuntimeError):
            await http.write(delivery, "POST", office.url, json={})
        delivery.not_taken()
        await http.write(delivery, "POST", office.url, json={}, accept={401})
        assert len(office.heard) == 2


async def test_a_write_that_never_left_does_not_count_as_one(http: Http) -> None:
    delivery = a_delivery()
    with peers.deaf() as url, pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await http.write(delivery, "POST", url, json={})
    assert delivery.writes == 0


async def test_a_write_that_was_cut_off_after_it_left_counts(http: Http) -> None:
    delivery = a_delivery()
    async with peer(peers.never_answers) as office:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await http.write(delivery, "POST", office.url, json={})
    assert delivery.writes == 1


async def test_a_record_that_cannot_be_written_down_is_refused_before_it_is_marked(http: Http) -> None:
    delivery = a_delivery()
    for broken in ({"json": {"x": "\ud800"}}, {"json": {"x": {1, 2}}}, {"headers": {"X": "a\r\nb"}, "json": {}}):
        with pytest.raises(DeliveryFailure) as raised:
            await http.write(delivery, "POST", "http://127.0.0.1:9/", **broken)
        assert raised.value.code == "unsendable"
    assert delivery.writes == 0


async def test_no_failure_quotes_the_resident_or_drags_the_transport_along(http: Http) -> None:
    async with peer(b"HTTP/1.1 999999 Jo Resident\r\n\r\n") as office:
        failure = await written(http, office.url + "/jo@example.org")
        assert "Jo" not in str(failure) and "example" not in str(failure)
        assert failure.__cause__ is None and failure.__context__ is None


async def test_a_call_after_close_opens_anew(http: Http) -> None:
    async with peer(answer(200, b"{}")) as office:
        await http.read("GET", office.url)
        await http.close()
        assert (await http.read("GET", office.url)).status == 200


async def test_many_tasks_may_call_at_once(http: Http) -> None:
    async with peer(answer(200, b"{}")) as office:
        calls = [http.write(a_delivery(StepKind.CREATE), "POST", office.url, json={"n": n}) for n in range(50)]
        answers = await asyncio.gather(*calls)
        assert [one.status for one in answers] == [200] * 50
        assert len(office.heard) == 50
