"""One HTTP seam: transport errors in, outcomes out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable
from datetime import timedelta
from ssl import SSLContext
from typing import Unpack

import aiohttp
from aiohttp import http_exceptions
from yarl import URL

from hub.connector.answers import Answer
from hub.connector.bodies import Packed, Parts, pack
from hub.connector.door import Delivery
from hub.connector.evidence import Exchange, Veil, recorder
from hub.connector.outcomes import Left, Repeated, of_code, of_status, of_transport
from hub.connector.pacing import Pace, PacedRequest, Turn, turn_now
from hub.connector.terms import Terms
from hub.errors import DeliveryFailure
from hub.model import StepKind

# Apache, Node and uvicorn hang up on an idle connection after 5 s. One that is younger than that is not being
# closed at the very moment we write to it, which would leave a write Unclear for nothing.
KEEPALIVE = 4.0
_REPEATED_BY_AIOHTTP = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})


class Http:
    """The calls of one destination.

    Made by the hub, one per destination; safe for any number of tasks at
    once. Nothing is opened before the first call. `read` is never Unclear;
    `write` makes or changes the case and leaves at most once.
    """

    def __init__(
        self,
        *,
        timeout: timedelta = timedelta(seconds=60),
        connect_timeout: timedelta = timedelta(seconds=10),
        secrets: Iterable[str] = (),
        max_body: int = 10 * 1024 * 1024,
        ssl: SSLContext | None = None,
        user_agent: str = "council-hub",
        pace: Pace | None = None,
    ) -> None:
        self._timeout = timeout.total_seconds()
        self._connect_timeout = min(connect_timeout.total_seconds(), self._timeout)
        self._veil = Veil(secrets)
        self._max_body = max_body
        self._ssl = ssl
        self._user_agent = user_agent
        self._pace = pace
        self._open: aiohttp.ClientSession | None = None

    async def read(
        self, method: str, url: str, *, accept: Collection[int] = (), secret: bool = False, **parts: Unpack[Parts]
    ) -> Answer:
        """Ask something. May be repeated at will, so it is never Unclear.

        Statuses in `accept` are returned and not raised. `secret` is for a
        sign-in: its exchange is never kept as evidence.
        """
        call = _Call(method, url, parts, kind=None, write=False)
        if self._pace is not None and (turn := self._pace.turn(write=False)) is not None:
            await self._its_turn(call, turn)
        return await self._exchange(call, accept=accept, secret=secret)

    async def write(
        self, delivery: Delivery, method: str, url: str, *, accept: Collection[int] = (), **parts: Unpack[Parts]
    ) -> Answer:
        """Make or change the case. Awaits `delivery.sending()` just before the request leaves."""
        call = _Call(method, url, parts, kind=delivery.kind, write=True)
        if self._pace is not None and (turn := self._pace.turn(write=True)) is not None:
            await self._its_turn(call, turn)
        await delivery.sending()
        try:
            return await self._exchange(call, accept=accept, secret=False)
        finally:
            # Where the caller's own deadline cut us off before we had a connection, this is how it learns so.
            if not call.left:
                delivery.not_taken()

    @property
    def terms(self) -> Terms:
        """What a `Line` keeps to as well."""
        return Terms(timeout=self._timeout, veil=self._veil, pace=self._pace)

    def hide(self, token: str) -> None:
        """Replace this token in all evidence from now on."""
        self._veil.add(token)

    async def close(self) -> None:
        """Close what is open. A later call opens anew."""
        session, self._open = self._open, None
        if session is not None:
            await session.close()

    async def _its_turn(self, call: _Call, turn: Turn) -> None:
        await turn.come()
        call.turn = turn

    async def _exchange(self, call: _Call, *, accept: Collection[int], secret: bool) -> Answer:
        log = None if secret else recorder()
        started = time.monotonic()
        outcome: Answer | DeliveryFailure
        try:
            outcome = await self._speak(call)
        except asyncio.CancelledError:
            if log is not None:
                log.append(self._kept(call, of_code("cancelled", write=True, left=True), started))
            raise
        if log is not None:
            log.append(self._kept(call, outcome, started))
        if isinstance(outcome, DeliveryFailure):
            raise outcome
        failure = None if outcome.status in accept else of_status(outcome, kind=call.kind)
        if failure is not None:
            raise failure
        return outcome

    async def _speak(self, call: _Call) -> Answer | DeliveryFailure:
        """Send and hear it out, within the one deadline for everything."""
        if call.turn is None:
            return await self._converse(call)
        mark = turn_now.set(call.turn)
        try:
            return await self._converse(call)
        except DeliveryFailure as failure:  # it was its turn no longer, and no other could be had
            return failure
        finally:
            turn_now.reset(mark)

    async def _converse(self, call: _Call) -> Answer | DeliveryFailure:
        trouble: Exception
        try:
            async with asyncio.timeout(self._timeout) as deadline, self._request(call) as response:
                call.answered = True
                body = await self._hear(response)
                if body is None:
                    return call.failed("too_large")
                return Answer(status=response.status, headers=response.headers, body=body, written=call.write)
        except (aiohttp.ClientError, http_exceptions.HttpProcessingError, OSError, UnicodeError, RuntimeError) as error:
            trouble = error
        if deadline.expired():
            return call.failed("deadline" if call.answered else "read_timeout" if call.left else "connect_timeout")
        # Raised outside the `except`: aiohttp's texts quote addresses and bytes, and must not hang on as __context__.
        return of_transport(trouble, write=call.write, left=call.left)

    def _request(self, call: _Call) -> aiohttp.client._RequestContextManager:
        return self._session().request(
            call.method,
            call.url,
            headers=call.packed.headers,
            data=call.packed.parcel,
            allow_redirects=False,
            middlewares=(_once,) if call.write and call.method in _REPEATED_BY_AIOHTTP else None,
        )

    async def _hear(self, response: aiohttp.ClientResponse) -> bytes | None:
        """The whole body, unpacked; None if it is larger than `max_body`."""
        chunks: list[bytes] = []
        heard = 0
        while chunk := await response.content.readany():
            heard += len(chunk)
            if heard > self._max_body:
                response.close()
                return None
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _session(self) -> aiohttp.ClientSession:
        if self._open is None or self._open.closed:
            connector = aiohttp.TCPConnector(
                limit=0,  # the claim caps what is in flight, over all workers
                keepalive_timeout=KEEPALIVE,
                ssl=self._ssl if self._ssl is not None else True,
            )
            self._open = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),  # one resident's call must not colour the next
                timeout=aiohttp.ClientTimeout(total=None, connect=self._connect_timeout),
                headers={"User-Agent": self._user_agent},
                trust_env=False,
                request_class=PacedRequest if self._pace is not None else aiohttp.ClientRequest,
            )
        return self._open

    def _kept(self, call: _Call, outcome: Answer | DeliveryFailure, started: float) -> Exchange:
        answer = outcome if isinstance(outcome, Answer) else None
        parcel = call.packed.parcel
        return Exchange(
            method=call.method,
            url=self._veil.cover_text(str(call.url.with_user(None))),
            request_headers=self._veil.cover_headers(call.packed.headers),
            request=self._veil.cover(parcel.shown()) if parcel else b"",
            status=answer.status if answer else None,
            response_headers=self._veil.cover_headers(answer.headers) if answer else (),
            response=self._veil.cover(answer.body) if answer else b"",
            failure=None if isinstance(outcome, Answer) else outcome.code,
            started_at_monotonic=started,
            ms=(time.monotonic() - started) * 1000,
        )


class _Call:
    """One request while it is under way."""

    __slots__ = ("answered", "kind", "method", "packed", "turn", "url", "write")

    def __init__(self, method: str, url: str, parts: Parts, *, kind: StepKind | None, write: bool) -> None:
        self.method = method.upper()
        self.kind = kind
        self.write = write
        self.answered = False
        self.turn: Turn | None = None
        # A write always has a body, if an empty one: only a body can tell whether the request left.
        self.packed: Packed = pack(parts, empty=write and self.method not in ("GET", "HEAD"))
        self.url = _address(url, parts)

    @property
    def left(self) -> bool:
        """Whether any of it may have left."""
        parcel = self.packed.parcel
        return self.answered or parcel is None or parcel.left

    def failed(self, code: str) -> DeliveryFailure:
        return of_code(code, write=self.write, left=self.left)


def _address(url: str, parts: Parts) -> URL:
    try:
        address = URL(url)
        usable = address.scheme in ("http", "https") and bool(address.host)
        if usable and "params" in parts:
            address = address.update_query(parts["params"])
    except (ValueError, TypeError):
        usable = False
    if not usable:
        raise of_code("address", verdict=Left.OURS, write=False, left=False)
    return address


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a PUT or DELETE again by itself when its connection drops: it may have been done."""
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise Repeated(error) from error
