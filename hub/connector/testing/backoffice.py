"""The pretend back office that speaks HTTP: a ledger, a control plane, and thirteen ways to behave."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from math import ceil
from typing import Any

from aiohttp import web

from hub.connector.testing.control import control, is_control
from hub.connector.testing.modes import At, Behaviour, Mode
from hub.connector.testing.office import Office
from hub.connector.testing.wire import Call, Reply, json_reply

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_LARGEST_BODY = 64 * 2**20
_PAGE = b"<!DOCTYPE html><html><head><title>Down for maintenance</title></head><body><h1>Back soon</h1></body></html>"


class BackOffice(Office):
    """A product's pretend system over HTTP. A simulator says what kind of call this is and answers it."""

    @abstractmethod
    def at(self, call: Call) -> At:
        """Whether this call writes, attaches, reads or signs in. Must not raise, whatever was sent."""

    @abstractmethod
    def answer(self, call: Call) -> Reply:
        """Do what the product does: check, commit to `self.ledger`, reply. Must not block."""

    @abstractmethod
    def refuse(self, call: Call) -> Reply:
        """The product's own business error, nothing committed."""

    @abstractmethod
    def fault(self, call: Call) -> Reply:
        """The product's own unexplained failure, nothing committed."""

    @abstractmethod
    def bad_auth(self, call: Call) -> Reply:
        """How the product says that it does not know our key."""

    def expired(self, call: Call) -> Reply:
        """The product forgets its sessions; one without sessions does not know our key this once."""
        return self.bad_auth(call)

    def unavailable(self, call: Call) -> Reply:
        return Reply(status=503, body=b"Service Unavailable", content_type="text/plain")

    @asynccontextmanager
    async def opened(self, *, host: str, port: int) -> AsyncIterator[str]:
        async with listening(self, host=host, port=port) as url:
            yield url

    async def __call__(self, incoming: web.BaseRequest) -> web.StreamResponse:
        """Serve one request: the control plane, the script, or the product itself."""
        url = incoming.rel_url
        body = await incoming.read() if incoming.body_exists else b""
        call = Call(incoming.method, url.path, url.query, incoming.headers, body)
        if is_control(call.path):
            return response(control(self, call))
        behaviour = self.script.take(self.at(call)) if self.script.by_call else None
        if behaviour is None:
            return response(self.answer(call))
        return await self._play(behaviour, call, incoming)

    async def _play(self, behaviour: Behaviour, call: Call, incoming: web.BaseRequest) -> web.StreamResponse:
        wait = behaviour.wait.total_seconds() if behaviour.wait is not None else None
        match behaviour.mode:
            case Mode.SLOW:
                # Commits first: a client that gives up has given up on a case that exists.
                reply = self.answer(call)
                await asyncio.sleep(wait or 0)
                return response(reply)
            case Mode.TIMEOUT:
                await _never()
            case Mode.COMMIT_THEN_TIMEOUT:
                self.answer(call)
                await _never()
            case Mode.COMMIT_THEN_DROP:
                self.answer(call)
                if incoming.transport is not None:
                    incoming.transport.abort()
            case Mode.DRIP:
                return await _drip(self.answer(call), incoming, every=wait or 0)
            case _:
                pass
        return response(self._fail(behaviour.mode, call, wait))

    def _fail(self, mode: Mode, call: Call, wait: float | None) -> Reply:
        later = {} if wait is None else {"Retry-After": str(ceil(wait))}
        match mode:
            case Mode.REFUSE:
                return self.refuse(call)
            case Mode.FAULT:
                return self.fault(call)
            case Mode.BAD_AUTH:
                return self.bad_auth(call)
            case Mode.EXPIRED_SESSION:
                return self.expired(call)
            case Mode.HTML_ERROR:
                return Reply(body=_PAGE, content_type="text/html; charset=utf-8")
            case Mode.RATE_LIMITED:
                return json_reply({"error": "too many requests"}, status=429) | later
            case _:
                return self.unavailable(call) | later


def response(reply: Reply) -> web.Response:
    headers = {**reply.headers, "Content-Type": reply.content_type}
    return web.Response(status=reply.status, body=reply.body, headers=headers)


@asynccontextmanager
async def listening(handler: Handler, *, host: str, port: int) -> AsyncIterator[str]:
    """Serve this handler in the running event loop for as long as the block runs; yields its address."""
    # Calls that are never answered must not hold up the end.
    runner = web.ServerRunner(server(handler), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
        yield f"http://{f'[{host}]' if ':' in host else host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def server(handler: Handler) -> web.Server:
    """The low-level aiohttp server: no router and no access log, since the bench aims at it too."""

    def request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        return web.BaseRequest(
            message, payload, protocol, writer, task, asyncio.get_running_loop(), client_max_size=_LARGEST_BODY
        )

    # Cancelled when the caller hangs up, so that a call never answered is not kept for ever.
    return web.Server(handler, request_factory=request, handler_cancellation=True, access_log=None)


async def _never() -> None:
    await asyncio.Event().wait()


async def _drip(reply: Reply, incoming: web.BaseRequest, *, every: float) -> web.StreamResponse:
    stream = web.StreamResponse(status=reply.status, headers={**reply.headers, "Content-Type": reply.content_type})
    stream.content_length = len(reply.body)
    await stream.prepare(incoming)
    for i in range(len(reply.body)):
        await stream.write(reply.body[i : i + 1])
        await asyncio.sleep(every)
    await stream.write_eof()
    return stream
