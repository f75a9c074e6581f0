"""What every request passes: an id, a trace, security headers, one log line, and no stack trace for anyone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from traceback import extract_tb
from typing import Any

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.intake.limits import hear_out
from hub.intake.problems import Problem
from hub.intake.trace import Trace, trace_of

_SCOPE_KEY = "hub.note"
_ACCEPTED = 202
_GONE = 499  # nginx's number for a caller that hung up before the answer

_SECURITY: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
)

log = structlog.get_logger("hub.intake")


@dataclass(slots=True)
class Note:
    """What is known of a request while it is answered; the log line is made from it."""

    id: str
    trace: Trace
    began: float
    who: str | None = None  #: the id of the front end or user, once known

    @property
    def instance(self) -> str:
        return f"urn:uuid:{self.id}"


def note_of(scope: Scope) -> Note:
    note: Note = scope[_SCOPE_KEY]
    return note


def _is_still_sending(scope: Scope, answer: Message) -> bool:
    """Whether there is a body that nobody has read to its end, and whoever says no has not hung up on it on purpose."""
    sends = any(name in (b"content-length", b"transfer-encoding") and value != b"0" for name, value in scope["headers"])
    return sends and all(name.lower() != b"connection" for name, _ in answer["headers"])


def _header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None


class Gate:
    """The outermost ASGI layer of intake and of the ops API.

    Logs neither path nor query: a path parameter may be anything a caller
    types, a query may name a resident. The route's template says enough.
    """

    def __init__(self, app: ASGIApp, *, ids: Callable[[], str], base: str) -> None:
        self._app = app
        self._ids = ids
        self._base = base
        secure = ((b"strict-transport-security", b"max-age=63072000"),) if base.startswith("https:") else ()
        self._headers = (*_SECURITY, *secure, (b"cache-control", b"no-store"))
        self._names = frozenset(name for name, _ in self._headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = self._ids()
        note = Note(request, trace_of(_header(scope, b"traceparent"), request=request), time.perf_counter())
        method = scope["method"]
        # HEAD is GET without the body, on every address: the server leaves the body out.
        scope = {**scope, _SCOPE_KEY: note, "method": "GET" if method == "HEAD" else method}
        status, whole = 0, False

        async def heard() -> Message:
            nonlocal whole
            message = await receive()
            whole = not message.get("more_body", False)
            return message

        async def out(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if status >= 400 and not whole and _is_still_sending(scope, message):
                    await hear_out(scope, heard)
                message["headers"] = self._dressed(message["headers"], note)
            elif method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._app(scope, heard, out)
        except ClientDisconnect:
            status = status or _GONE
        except Exception as failure:
            report(failure, note)
            if not status:
                problem = Problem(code="internal", detail=f"It is not your fault. The incident is {note.id}.")
                await problem.response(base=self._base, instance=note.instance)(scope, receive, out)
        finally:
            _log_line(scope, method, status or _GONE, note)

    def _dressed(self, headers: list[tuple[bytes, bytes]], note: Note) -> list[tuple[bytes, bytes]]:
        names = {name for name, _ in headers}
        missing = self._headers
        if not names.isdisjoint(self._names):
            missing = tuple(pair for pair in missing if pair[0] not in names)
        return [
            *headers,
            *missing,
            (b"x-request-id", note.id.encode()),
            (b"traceparent", note.trace.parent.encode()),
        ]


def _log_line(scope: Scope, method: str, status: int, note: Note) -> None:
    route: Any = scope.get("route")
    path = getattr(route, "path", None)
    verb = method if method.isalpha() and len(method) < 10 else "?"
    fields: dict[str, Any] = {
        "route": f"{verb} {path or 'none'}",
        "status": status,
        "ms": round((time.perf_counter() - note.began) * 1000, 2),
        "request_id": note.id,
        "who": note.who,
    }
    # A trace of our own is the request's id without its dashes: each field of each line costs.
    if not note.trace.is_own:
        fields["trace_id"] = note.trace.id
    # What went well is in the store and in the metrics: a line for each accept would cost more than reading its body.
    if status == _ACCEPTED or (path is not None and path.startswith(("/health", "/metrics"))):
        log.debug("request", **fields)
    else:
        log.info("request", **fields)


def report(failure: Exception, note: Note) -> None:
    """A bug, told to operators without its text: an exception's message may quote what a resident wrote."""
    frames = extract_tb(failure.__traceback__)[-6:]
    where = [f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    log.error("incident", incident=note.id, trace_id=note.trace.id, error=type(failure).__name__, where=where)
