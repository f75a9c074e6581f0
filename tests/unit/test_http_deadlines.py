"""A byte a second is cut off: connect, read and overall are bounded, whatever drips."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from hub.connector import DeliveryFailure, Http, Unavailable, Unclear
from tests import peers
from tests.peers import Line, a_delivery, answer, drip, peer

SOON = 0.4
CUT_OFF = SOON + 2.0  #: seconds; a busy machine is slow to notice, but each of these would last for minutes
BIG = b"x" * 20_000_000  #: more than the sockets between us hold


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    http = Http(timeout=timedelta(seconds=SOON))
    yield http
    await http.close()


async def drips_headers(line: Line) -> None:
    await line.hear()
    await drip(line, answer(200, b"{}", X_Long="x" * 5000))


async def drips_body(line: Line) -> None:
    await line.hear()
    await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    await drip(line, b" " * 5000)


async def drips_chunks(line: Line) -> None:
    await line.hear()
    await line.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    await drip(line, b"1\r\n \r\n" * 1000)


async def interrupts_itself(line: Line) -> None:
    """Interim answers without end, each of them whole."""
    await line.hear()
    while True:
        await line.say(b"HTTP/1.1 102 Processing\r\n\r\n")
        await asyncio.sleep(0.05)


async def listens_slowly(line: Line) -> None:
    while await line.reader.read(1):
        await asyncio.sleep(0.05)


async def answers_and_does_not_listen(line: Line) -> None:
    """Its answer begins at once and never ends, and nobody takes the rest of the request."""
    await line.reader.read(1)
    await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    await drip(line, b" " * 5000)


async def answers_whole_and_does_not_listen(line: Line) -> None:
    await line.reader.read(1)
    await line.say(answer(200, b"{}"))
    await asyncio.sleep(60)


SLOW = [drips_headers, drips_body, drips_chunks, interrupts_itself, listens_slowly, answers_and_does_not_listen]


async def failure_of(call: object) -> tuple[type[DeliveryFailure], float]:
    started = time.monotonic()
    with pytest.raises(DeliveryFailure) as raised:
        await call  # type: ignore[misc]
    return type(raised.value), time.monotonic() - started


@pytest.mark.parametrize("manner", SLOW, ids=lambda manner: manner.__name__)
async def test_a_write_that_drips_is_cut_off_and_is_a_doubt(http: Http, manner: peers.Manner) -> None:
    async with peer(manner) as office:
        kind, seconds = await failure_of(http.write(a_delivery(), "POST", office.url, content=BIG))
    assert kind is Unclear and seconds < CUT_OFF


@pytest.mark.parametrize("manner", SLOW, ids=lambda manner: manner.__name__)
async def test_a_read_that_drips_is_cut_off_and_asked_again(http: Http, manner: peers.Manner) -> None:
    async with peer(manner) as office:
        kind, seconds = await failure_of(http.read("POST", office.url, content=BIG))
    assert kind is Unavailable and seconds < CUT_OFF


async def test_an_early_answer_to_a_request_that_nobody_takes_does_not_hold_the_call(http: Http) -> None:
    async with peer(answers_whole_and_does_not_listen) as office:
        async with asyncio.timeout(CUT_OFF):
            told = await http.write(a_delivery(), "POST", office.url, content=BIG)
    assert told.status == 200


@pytest.mark.parametrize("connect", [0.2, 60.0], ids=["by its own deadline", "by that of the whole call"])
async def test_a_connection_that_is_not_picked_up_is_given_up(connect: float) -> None:
    http = Http(timeout=timedelta(seconds=SOON), connect_timeout=timedelta(seconds=connect))
    with peers.deaf() as url:
        kind, seconds = await failure_of(http.write(a_delivery(), "POST", url, json={}))
    await http.close()
    assert kind is Unavailable and seconds < CUT_OFF


async def test_a_handshake_that_never_comes_is_given_up(http: Http) -> None:
    async with peer(peers.never_answers) as office:
        url = office.url.replace("http:", "https:")
        kind, seconds = await failure_of(http.write(a_delivery(), "POST", url, json={}))
    assert kind is Unavailable and seconds < CUT_OFF
