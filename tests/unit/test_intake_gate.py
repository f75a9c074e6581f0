"""What every request passes."""

from __future__ import annotations

from itertools import count
from typing import Any

import structlog
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from hub.intake.gate import Gate
from tests.asgi import Caller

SECRET = "Blodwen Jones, 1 High Street"


async def fine(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("fine")(scope, receive, send)


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    raise ValueError(SECRET)


def caller(app: Any, *, base: str = "") -> Caller:
    numbers = count(1)
    return Caller(Gate(app, ids=lambda: f"01936d2a-7b5c-7def-8abc-{next(numbers):012d}", base=base))


async def test_every_answer_carries_its_id_a_trace_and_security_headers() -> None:
    answer = await caller(fine).get("/")
    assert answer.headers["x-request-id"] == "01936d2a-7b5c-7def-8abc-000000000001"
    assert answer.headers["traceparent"].startswith("00-01936d2a7b5c7def8abc000000000001-")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


async def test_strict_transport_security_is_promised_only_where_there_is_tls() -> None:
    assert "strict-transport-security" not in (await caller(fine).get("/")).headers
    assert "strict-transport-security" in (await caller(fine, base="https://hub.example").get("/")).headers


async def test_head_is_get_without_the_body() -> None:
    answer = await caller(fine).call("HEAD", "/")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "4")


async def test_a_bug_is_a_500_with_an_incident_and_no_internals() -> None:
    answer = await caller(broken).get("/")
    assert (answer.status, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.json()["instance"] == "urn:uuid:01936d2a-7b5c-7def-8abc-000000000001"
    assert SECRET not in answer.body.decode() and "ValueError" not in answer.body.decode()


async def test_a_bug_is_logged_where_it_is_and_not_with_what_it_says() -> None:
    with structlog.testing.capture_logs() as lines:
        await caller(broken).get(f"/{SECRET}?name={SECRET}")
    incident = next(line for line in lines if line["event"] == "incident")
    assert incident["error"] == "ValueError" and incident["where"][-1].endswith(" broken")
    assert SECRET not in repr(lines)


async def test_one_line_for_each_request_and_neither_path_nor_query_in_it() -> None:
    with structlog.testing.capture_logs() as lines:
        await caller(fine).get("/secret-path?secret=query")
    assert [line["event"] for line in lines] == ["request"]
    assert "secret" not in repr(lines)


async def test_a_caller_s_trace_stands_in_the_line_and_our_own_does_not_twice() -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    with structlog.testing.capture_logs() as lines:
        await caller(fine).get("/", traceparent=f"00-{trace}-00f067aa0ba902b7-01")
        await caller(fine).get("/")
    assert [line.get("trace_id") for line in lines] == [trace, None]
