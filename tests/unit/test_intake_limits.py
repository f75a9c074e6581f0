"""How fast each front end may send, and how much at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from hub.intake.limits import Limiter, Rate, read_body
from hub.intake.problems import Stop


def coming(*messages: Message) -> Receive:
    left = list(messages)

    async def receive() -> Message:
        return left.pop(0)

    return receive


def part(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def body_of(messages: Iterable[Message], *, cap: int = 10, headers: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
    return await read_body({"headers": list(headers)}, coming(*messages), cap=cap)


async def problem_of(messages: Iterable[Message], **others: object) -> str:
    with pytest.raises(Stop) as stopped:
        await body_of(messages, **others)  # type: ignore[arg-type]
    return stopped.value.problem.code


def test_a_burst_passes_and_the_next_one_waits_one_gap() -> None:
    limiter = Limiter(Rate(per_second=10, burst=3))
    assert [limiter.take("a", now=0.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert limiter.take("a", now=0.0) == pytest.approx(0.1)


def test_a_refused_request_costs_no_token() -> None:
    limiter = Limiter(Rate(per_second=10, burst=1))
    limiter.take("a", now=0.0)
    for _ in range(5):
        assert limiter.take("a", now=0.05) > 0
    assert limiter.take("a", now=0.1) == 0.0


def test_one_front_end_does_not_use_up_another_s_tokens() -> None:
    limiter = Limiter(Rate(per_second=1, burst=1))
    limiter.take("a", now=0.0)
    assert limiter.take("b", now=0.0) == 0.0


def test_the_sustained_rate_is_what_was_agreed() -> None:
    limiter = Limiter(Rate(per_second=100, burst=10))
    taken = sum(limiter.take("a", now=millisecond / 1000) == 0.0 for millisecond in range(10_000))
    assert taken == pytest.approx(1_010, abs=1)


def test_too_fast_says_when_to_come_again_in_whole_seconds() -> None:
    limiter = Limiter(Rate(per_second=0.1, burst=1))
    limiter.check("a", now=0.0)
    with pytest.raises(Stop) as stopped:
        limiter.check("a", now=0.5)
    assert stopped.value.problem.headers["Retry-After"] == "10"


async def test_a_body_in_one_piece_and_in_many_is_the_same_body() -> None:
    assert await body_of([part(b"abcdef")]) == b"abcdef"
    assert await body_of([part(b"ab", more=True), part(b"", more=True), part(b"cdef")]) == b"abcdef"


async def test_a_body_of_exactly_the_cap_passes() -> None:
    assert await body_of([part(b"x" * 10)]) == b"x" * 10


async def test_a_body_over_the_cap_is_cut_off_whatever_content_length_said() -> None:
    lie = [(b"content-length", b"3")]
    assert await problem_of([part(b"x" * 11)], headers=lie) == "too-large"
    assert await problem_of([part(b"x" * 6, more=True), part(b"x" * 6, more=True), part(b"")]) == "too-large"


async def test_a_length_far_over_the_cap_is_refused_before_a_byte_is_read() -> None:
    assert await problem_of([], headers=[(b"content-length", b"9" * 400)]) == "too-large"


async def test_a_body_somewhat_over_the_cap_is_heard_out_so_that_the_answer_is_read() -> None:
    parts = iter([part(b"x" * 6, more=True), part(b"x" * 6)])
    assert await problem_of(parts, headers=[(b"content-length", b"12")]) == "too-large"
    assert next(parts, None) is None


async def test_who_asked_before_sending_is_answered_before_a_byte_is_read() -> None:
    headers = [(b"content-length", b"12"), (b"expect", b"100-continue")]
    assert await problem_of([], headers=headers) == "too-large"


@pytest.mark.parametrize("length", [b"-1", b"1e3", b"ten", b"", "٣".encode()])
async def test_a_length_that_is_no_number_is_a_bad_request(length: bytes) -> None:
    assert await problem_of([], headers=[(b"content-length", length)]) == "bad-request"


async def test_a_compressed_body_is_refused_with_what_to_do() -> None:
    assert await problem_of([], headers=[(b"content-encoding", b"gzip")]) == "unsupported-encoding"


async def test_a_caller_who_hangs_up_half_way_is_not_answered() -> None:
    with pytest.raises(ClientDisconnect):
        await body_of([part(b"ab", more=True), {"type": "http.disconnect"}])


async def test_a_body_that_does_not_arrive_is_not_waited_for() -> None:
    async def drip() -> Message:
        return part(b"", more=True) if waited.pop(0) else await forever()

    async def forever() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    waited = [True, False]
    with pytest.raises(Stop) as stopped:
        await read_body({"headers": []}, drip, cap=10, within=timedelta(milliseconds=20))
    assert stopped.value.problem.code == "too-slow"
