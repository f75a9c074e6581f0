"""Take one in; say where it is now."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import AfterValidator
from pydantic_core import to_json
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from hub.core.lifecycle import status_of
from hub.errors import HubError, NotThere
from hub.intake import views
from hub.intake.deps import Room, room_of
from hub.intake.gate import note_of
from hub.intake.idempotency import LONGEST, WRITTEN, idempotency_key
from hub.intake.limits import read_body
from hub.intake.naming import CouncilName, id_or_reference, printable
from hub.intake.ops.staff import scope_of
from hub.intake.paging import LIMIT, Cursor, Limit, as_json, checked, page
from hub.intake.problems import Stop, of_error
from hub.intake.shapes import AcceptedBody, Page, StatusBody
from hub.intake.taking import Letter, service_in, take
from hub.model import FrontEnd, StepState, User
from hub.store import received, submissions
from hub.store.accept import Accepted
from hub.store.submissions import SubmissionView

router = APIRouter(tags=["publishing"])

OneReference = Annotated[
    str | None, Query(max_length=120, description="The hub's, or the one you gave it."), AfterValidator(printable)
]


KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": WRITTEN},
    "example": '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
    "description": "Makes a repeat harmless: the same key and content get the first answer for 7 days.",
}
_TRACE = {
    "name": "traceparent",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "W3C Trace Context; one is made where there is none.",
}
REPLAYED: dict[str, Any] = {
    "Idempotent-Replayed": {"schema": {"type": "string"}, "description": "`true`: this is the first answer again."},
}
_HEADERS = {"Location": {"schema": {"type": "string"}, "description": "Where to ask how it is going."}, **REPLAYED}


class PlainRoute(APIRoute):
    """A route whose endpoint takes the request and gives the response.

    FastAPI describes it in OpenAPI and otherwise keeps out of the way: its
    dependency machinery and exit stacks cost more than validating the body.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **described: Any) -> None:
        super().__init__(path, endpoint, **described)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            response = await endpoint(Request(scope, receive, send))
            await response(scope, receive, send)

        self.app = app


PATH = "/v1/submissions"


def add_publish(app: FastAPI) -> BaseRoute:
    """Bind the hot path before anything else: routes are tried in order."""
    app.router.add_api_route(
        PATH,
        publish,
        methods=["POST"],
        tags=["publishing"],
        summary="Take one submission in",
        status_code=202,
        response_model=None,
        response_description="It is durable now: nothing can lose it.",
        responses={
            202: {"model": AcceptedBody, "headers": _HEADERS},
            **{status: {} for status in (400, 408, 409, 413, 415, 422, 429)},
        },
        openapi_extra={"parameters": [KEY, _TRACE]},
        route_class_override=PlainRoute,
    )
    return app.router.routes[-1]


async def publish(request: Request) -> Response:
    """Take one submission in. The answer is 202 only once nothing can lose it."""
    room = room_of(request)
    count, began = room.deps.metrics, time.perf_counter()
    raw = b""
    try:
        front_end = await front_end_of(request, room)
        key = key_of(request)
        raw = await read_body(request.scope, request.receive, cap=room.deps.max_body)
        trace = note_of(request.scope).trace.parent
        letter = Letter(front_end=front_end, raw=raw, received_at=room.deps.clock(), key=key, trace=trace)
        accepted = await take(letter, deps=room.deps)
    except (Stop, HubError) as failure:
        problem = failure.problem if isinstance(failure, Stop) else of_error(failure)
        count.submission(service_in(raw), result=problem.code if problem else "internal")
        raise
    count.submission(accepted.service, result="replayed" if accepted.replayed else "accepted")
    count.accepted(timedelta(seconds=time.perf_counter() - began))
    return _answer(accepted, room)


async def front_end_of(request: Request, room: Room) -> FrontEnd:
    """Who publishes. Raises Stop: 401, and 429 for one that sends too fast."""
    front_end = await room.doorkeeper.front_end(request.scope)
    note_of(request.scope).who = front_end.id
    room.limiter.check(front_end.id, now=room.deps.monotonic())
    return front_end


def key_of(request: Request) -> str | None:
    """The Idempotency-Key that it carries, if it does. Raises Stop (400)."""
    return idempotency_key(
        [value.decode("latin-1") for name, value in request.scope["headers"] if name == b"idempotency-key"]
    )


class _Taken(Response):
    """The 202 with its headers as they are sent: Starlette would put them together from text for each answer."""

    def __init__(self, body: bytes, here: str, *, replayed: bool) -> None:
        self.status_code = 202
        self.background = None
        self.body = body
        self.raw_headers = [
            (b"location", here.encode("latin-1")),
            (b"content-length", b"%d" % len(body)),
            (b"content-type", b"application/json"),
        ]
        if replayed:
            self.raw_headers.append((b"idempotent-replayed", b"true"))


_PLANNED = status_of([StepState.QUEUED], planned=True).value
_NOT_PLANNED = status_of([], planned=False).value


def _answer(accepted: Accepted, room: Room) -> Response:
    body = accepted_body(accepted, base=room.base)
    return _Taken(to_json(body), body["links"]["self"], replayed=accepted.replayed)


def accepted_body(accepted: Accepted, *, base: str) -> dict[str, Any]:
    """The body of a 202, whichever door it leaves by."""
    return {
        "id": accepted.id,
        "reference": accepted.reference,
        "status": _PLANNED if accepted.planned else _NOT_PLANNED,
        "council": accepted.council,
        "service": accepted.service,
        "received_at": views.instant(accepted.accepted_at),
        "warnings": list(accepted.warnings),
        "links": {
            "self": f"{base}/v1/submissions/{accepted.id}",
            "service": f"{base}/v1/services/{accepted.service}",
            "council": f"{base}/v1/councils/{accepted.council}",
        },
    }


@router.get(
    "/v1/submissions",
    summary="Your submissions, the newest first",
    responses={200: {"model": Page[StatusBody]}},
)
async def list_submissions(
    request: Request,
    room: Annotated[Room, Depends(room_of)],
    reference: OneReference = None,
    council: CouncilName = None,
    unrouted: Annotated[bool, Query(description="Only those that a person has to route.")] = False,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Response:
    """A front end sees its own, staff those of their councils. `updates` are empty here."""
    caller, behind = await _caller(request, room), checked(cursor)
    mine = caller.id if isinstance(caller, FrontEnd) else None
    if isinstance(caller, User):
        councils = scope_of(caller, council=council)
    else:
        councils = None if council is None else [council]
    found = await room.deps.store.read(
        lambda connection: submissions.page(
            connection,
            councils=councils,
            front_end=mine,
            reference=reference,
            unrouted=unrouted,
            cursor=behind,
            limit=limit,
        )
    )
    now = room.deps.clock()
    items = [_shown(view, now=now, why=mine is None) for view in found.items]
    return page(request, items, following=found.next, base=room.base)


@router.get("/v1/submissions/{submission}", summary="Where a submission is now", responses={200: {"model": StatusBody}})
async def get_submission(submission: str, request: Request, room: Annotated[Room, Depends(room_of)]) -> Response:
    """By its id or its reference. What belongs to another front end is not there; staff see their councils'."""
    caller = await _caller(request, room)
    known = id_or_reference(submission)
    if known is None:
        raise NotThere("That is neither an id nor a reference of a submission; use one from your 202.")
    mine = caller.id if isinstance(caller, FrontEnd) else None
    try:
        view = await room.deps.store.read(lambda connection: submissions.status(connection, known, front_end=mine))
    except NotThere:
        parked = await _parked(known, caller, room)
        if parked is None:
            raise
        return as_json(parked)
    if not isinstance(caller, FrontEnd) and not caller.sees(view.council):
        raise NotThere("There is no submission with that id or reference in your councils.")
    return as_json(_shown(view, now=room.deps.clock(), why=mine is None))


def _shown(view: SubmissionView, *, now: datetime, why: bool) -> dict[str, Any]:
    """Why it went nowhere is for staff: it names their own files."""
    body = views.submission(view, now=now)
    return {**body, "why": list(view.faults)} if why else body


async def _parked(known: str, caller: FrontEnd | User, room: Room) -> dict[str, Any] | None:
    """A form of a front end's own format that waits for staff: it has a reference, and no submission yet."""
    mine = caller.id if isinstance(caller, FrontEnd) else None
    row = await room.deps.store.read(lambda connection: received.waiting(connection, known, front_end=mine))
    if row is None or (not isinstance(caller, FrontEnd) and not caller.sees(row.council)):
        return None
    updates = await room.deps.store.read(lambda connection: submissions.updates_of(connection, row.id))
    body = views.parked(row, service=_service_of(row, room), updates=updates)
    return body if mine else {**body, "why": [row.why] if row.why else []}


def _service_of(row: Any, room: Room) -> str | None:
    try:
        return room.deps.councils().find(row.council).profile(row.format, row.profile).service
    except HubError:
        return None


async def _caller(request: Request, room: Room) -> FrontEnd | User:
    caller = await room.doorkeeper.either(request.scope)
    note_of(request.scope).who = caller.id
    return caller
