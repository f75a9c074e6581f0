"""A line that is not HTTP: its turn, its deadline, its evidence, and what a failure means by when it came."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from datetime import timedelta
from typing import Any

import pytest

from hub.connector import (
    Call,
    Delivery,
    DeliveryFailure,
    Http,
    Line,
    Misconfigured,
    Refused,
    StepKind,
    Unavailable,
    Unclear,
    http_evidence,
)
from tests.offices import delivery


def line(**how: Any) -> Line:
    return Line(Http(**({"timeout": timedelta(seconds=5)} | how)), name="test")


class Turns:
    """A pace that says what was asked of it; it fails at the last moment if it is told to."""

    def __init__(self, *, fails: bool = False) -> None:
        self.said: list[str] = []
        self.fails = fails

    def turn(self, *, write: bool) -> Turns:
        self.said.append("write" if write else "read")
        return self

    async def come(self) -> None:
        self.said.append("come")

    async def leave(self) -> None:
        self.said.append("leave")
        if self.fails:
            raise Unavailable(code="store")


async def failed(trouble: Exception, *, after_leaving: bool, step: Delivery | None = None) -> DeliveryFailure:
    async def talk(call: Call) -> None:
        if after_leaving:
            await call.leaves()
        raise trouble

    with pytest.raises(DeliveryFailure) as caught:
        await line().write(step or delivery("create"), "PUT", "there", talk)
    return caught.value


@pytest.mark.parametrize(
    "trouble", [TimeoutError(), ConnectionResetError(), EOFError(), OSError(5, "I/O"), ssl.SSLError(1, "cut")]
)
async def test_what_breaks_before_it_left_was_never_taken_and_after_that_nobody_knows(trouble: Exception) -> None:
    assert isinstance(await failed(trouble, after_leaving=False), Unavailable)
    assert isinstance(await failed(trouble, after_leaving=True), Unclear)


@pytest.mark.parametrize(
    ("trouble", "code"), [(socket.gaierror(-2, "who"), "dns"), (ConnectionRefusedError(), "connect_refused")]
)
async def test_who_is_not_there_has_taken_nothing(trouble: Exception, code: str) -> None:
    failure = await failed(trouble, after_leaving=True)
    assert isinstance(failure, Unavailable) and failure.code == code


async def test_a_certificate_is_ours_to_mend() -> None:
    failure = await failed(ssl.SSLCertVerificationError(1, "unknown"), after_leaving=False)
    assert isinstance(failure, Misconfigured) and failure.code == "certificate"


async def test_a_failure_that_the_connector_knows_is_left_as_it_is() -> None:
    assert isinstance(await failed(Refused(code="no"), after_leaving=True), Refused)


async def test_no_failure_quotes_the_system() -> None:
    failure = await failed(OSError(5, "I/O", "/srv/Fred Smith.jpg"), after_leaving=True)
    assert "Fred" not in f"{failure}{failure.__context__}{failure.__cause__}"


@pytest.mark.parametrize(("after_leaving", "kind"), [(False, Unavailable), (True, Unclear)])
async def test_one_deadline_is_over_everything(after_leaving: bool, kind: type[DeliveryFailure]) -> None:
    async def talk(call: Call) -> None:
        if after_leaving:
            await call.leaves()
        await asyncio.sleep(30)

    began = time.monotonic()
    with pytest.raises(kind):
        await line(timeout=timedelta(seconds=0.1)).write(delivery("create"), "PUT", "there", talk)
    assert time.monotonic() - began < 5


async def test_a_read_is_never_unclear_and_leaves_nothing() -> None:
    async def talk(call: Call) -> None:
        raise TimeoutError

    async def leaves(call: Call) -> None:
        await call.leaves()

    with pytest.raises(Unavailable):
        await line().read("LOOK", "there", talk)
    with pytest.raises(RuntimeError, match="a read leaves nothing behind"):
        await line().read("LOOK", "there", leaves)


async def test_the_turn_of_a_write_is_the_moment_at_which_it_leaves() -> None:
    turns, step = Turns(), delivery("create")

    async def talk(call: Call) -> None:
        turns.said.append("talk")
        await call.leaves()
        turns.said.append("left")

    await line(pace=turns).write(step, "PUT", "there", talk)
    assert turns.said == ["write", "come", "talk", "leave", "left"] and step.writes == 1


async def test_a_read_has_its_turn_before_anything() -> None:
    turns = Turns()

    async def talk(call: Call) -> str:
        turns.said.append("talk")
        return "heard"

    assert await line(pace=turns).read("LOOK", "there", talk) == "heard"
    assert turns.said == ["read", "come", "leave", "talk"]


async def test_without_a_turn_nothing_has_left_and_it_may_be_written_again() -> None:
    step = delivery("create")

    async def talk(call: Call) -> None:
        await call.leaves()

    with pytest.raises(Unavailable):
        await line(pace=Turns(fails=True)).write(step, "PUT", "there", talk)
    assert step.writes == 0


async def test_a_create_leaves_once_and_an_attachment_as_often_as_it_needs() -> None:
    async def talk(call: Call) -> None:
        await call.leaves()
        await call.leaves()

    with pytest.raises(RuntimeError, match="a create may write once"):
        await line().write(delivery("create"), "PUT", "there", talk)
    await line().write(delivery("attach", kind=StepKind.ATTACH), "PUT", "there", talk)


async def test_evidence_is_what_was_said_without_a_secret_and_cut() -> None:
    async def talk(call: Call) -> None:
        call.said("MAIL for hunter2-hunter2")
        call.said(b"x" * 1_000_000)
        call.heard("250 yes, hunter2-hunter2")
        call.status = 250

    with http_evidence() as log:
        await line(secrets=["hunter2-hunter2"]).write(delivery("create"), "SMTP", "smtp://there", talk)
    (kept,) = log
    assert (kept.method, kept.url, kept.status, kept.failure) == ("SMTP", "smtp://there", 250, None)
    assert b"hunter2" not in kept.request + kept.response and kept.response.startswith(b"250 yes")
    assert len(kept.request) <= 16 * 1024


@pytest.mark.parametrize(("trouble", "code"), [(ConnectionResetError(), "reset"), (ValueError(), "bug")])
async def test_evidence_of_what_failed_says_why(trouble: Exception, code: str) -> None:
    async def talk(call: Call) -> None:
        raise trouble

    with http_evidence() as log, pytest.raises((Unavailable, ValueError)):
        await line().read("LOOK", "there", talk)
    assert [one.failure for one in log] == [code]


async def test_blocking_work_lets_the_loop_turn() -> None:
    turned = 0

    async def count() -> None:
        nonlocal turned
        while True:
            await asyncio.sleep(0.01)
            turned += 1

    counting = asyncio.create_task(count())
    assert await line().apart(lambda: time.sleep(0.2) or "done") == "done"
    counting.cancel()
    assert turned >= 3


async def test_what_blocking_work_raises_is_raised() -> None:
    def work() -> None:
        raise FileNotFoundError("there")

    with pytest.raises(FileNotFoundError):
        await line().apart(work)


async def test_threads_that_never_end_are_not_joined_by_ever_more() -> None:
    released, hangs = threading.Event(), line()

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(hangs.apart(released.wait), 0.02)

    for _ in range(8):
        await give_up()
    with pytest.raises(Unavailable, match="never ended"):
        await hangs.apart(released.wait)
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "test")  # none holds up an exit
    released.set()
    while True:
        try:
            assert await hangs.apart(lambda: 1) == 1
        except Unavailable:
            await asyncio.sleep(0.01)
        else:
            return
