"""How fast each front end may send, and how much at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from hub.intake.problems import stop

BODY_TIMEOUT = timedelta(seconds=30)
STREAM_TIMEOUT = timedelta(minutes=2)  #: for one that is streamed, whatever its size
PATIENCE = timedelta(seconds=5)  #: with a body that is too large
SILENCE = timedelta(milliseconds=300)  #: after which nothing more of it is coming
MOST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Submissions a second for one front end, and how many may come at once."""

    per_second: float = 500.0
    burst: int = 1000


class Limiter:
    """A token bucket for each front end, in memory: each intake process has its own.

    Kept as the one number that says it all (GCRA): the time at which the
    bucket would be full again.
    """

    def __init__(self, rate: Rate) -> None:
        self._gap = 1.0 / rate.per_second
        self._slack = self._gap * max(rate.burst, 1)
        self._full_at: dict[str, float] = {}

    def take(self, who: str, *, now: float) -> float:
        """Take one token: 0.0 when there was one, else the seconds until there is."""
        full_at = max(self._full_at.get(who, now), now) + self._gap
        wait = full_at - now - self._slack
        # A hair's breadth of tolerance: floating point must not cost the last token of a burst.
        if wait > self._gap * 1e-6:
            return wait
        self._full_at[who] = full_at
        return 0.0

    def check(self, who: str, *, now: float) -> None:
        """Take one token or answer 429 with when to come again."""
        if wait := self.take(who, now=now):
            raise stop("too-many-requests", headers={"Retry-After": str(ceil(wait))})


def _too_large(cap: int) -> Exception:
    detail = f"The body is larger than {cap} bytes; send fewer or smaller files at once."
    # The rest of the body is not worth reading, so the connection is not kept.
    return stop("too-large", detail, headers={"Connection": "close"})


async def hear_out(scope: Scope, receive: Receive) -> None:
    """Let go by what is left of a body that nobody wants.

    Many clients read no answer before they have sent it all, and an answer
    followed by a hang-up reaches them as a reset. One that asked first
    (`Expect: 100-continue`) has sent nothing yet.
    """
    if any(name == b"expect" for name, _ in scope["headers"]):
        return
    heard = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while heard < MOST:
                message = await asyncio.wait_for(receive(), SILENCE.total_seconds())
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
                heard += len(message.get("body", b""))


async def _refuse_by_headers(scope: Scope, receive: Receive, cap: int) -> None:
    for name, value in scope["headers"]:
        if name == b"content-length":
            # The server has refused what is not a number; `isdigit` keeps this true behind any other server.
            if not value.isdigit():
                raise stop("bad-request", "Content-Length must be a number.", headers={"Connection": "close"})
            if int(value[:20]) > cap:
                if int(value[:20]) <= MOST:
                    await hear_out(scope, receive)
                raise _too_large(cap)
        elif name == b"content-encoding" and value.strip().lower() not in {b"", b"identity"}:
            raise stop("unsupported-encoding", headers={"Connection": "close"})


async def read_body(scope: Scope, receive: Receive, *, cap: int, within: timedelta = BODY_TIMEOUT) -> bytes:
    """The whole body, cut off at `cap` whatever Content-Length said.

    Raises Stop (400, 408, 413, 415) and ClientDisconnect.
    """
    await _refuse_by_headers(scope, receive, cap)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body: bytes = message.get("body", b"")
        if len(body) > cap:
            raise _too_large(cap)
        return body
    try:
        async with asyncio.timeout(within.total_seconds()):
            chunks, size = [], 0
            while True:
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > cap:
                    await hear_out(scope, receive)
                    raise _too_large(cap)
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return b"".join(chunks)
                message = await receive()
    except TimeoutError:
        raise stop("too-slow", headers={"Connection": "close"}) from None


async def stream_body(
    scope: Scope, receive: Receive, *, cap: int, within: timedelta = STREAM_TIMEOUT
) -> AsyncIterator[bytes]:
    """The body as it comes, cut off at `cap`; never whole in memory.

    Raises what `read_body` raises. Nothing of it is read ahead of whoever asks.
    """
    await _refuse_by_headers(scope, receive, cap)
    loop, size, more = asyncio.get_running_loop(), 0, True
    until = loop.time() + within.total_seconds()
    while more:
        try:
            message = await asyncio.wait_for(receive(), min(until - loop.time(), BODY_TIMEOUT.total_seconds()))
        except TimeoutError:
            raise stop("too-slow", headers={"Connection": "close"}) from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk, more = message.get("body", b""), message.get("more_body", False)
        size += len(chunk)
        if size > cap:
            await hear_out(scope, receive)
            raise _too_large(cap)
        if chunk:
            yield chunk
