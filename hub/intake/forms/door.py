"""POST /intake/{council}/{format}/{profile}: each front end's own body in, its own answer out."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response

from hub.errors import HubError, NotThere
from hub.intake.deps import Room, room_of
from hub.intake.forms import infreemation, xgov
from hub.intake.problems import Stop, of_error, of_status
from hub.metrics import Metrics
from hub.store.keep import Kept

router = APIRouter(tags=["forms"])

#: Keeps one form and answers as its front end reads it; Kept is None where nothing was.
Take = Callable[..., Awaitable[tuple[Response, Kept | None]]]

FORMATS: Final[Mapping[str, Take]] = {"infreemation": infreemation.take, "xgov": xgov.take}
#: What a front end adds to the address that it was given.
_ADDS: Final[Mapping[str, tuple[str, ...]]] = {"infreemation": ("", "foi")}
_PUT: Final = ("xgov",)

RoomOf = Annotated[Room, Depends(room_of)]
_PATH: Final = "/intake/{council}/{format}/{profile}"


def _described(
    example: Any, *, answers: Mapping[str, Any], noes: Sequence[int], required: bool = True, **more: Any
) -> dict[str, Any]:
    """What a format's address says of itself. Any JSON is a body: what no profile can read is parked, not refused."""
    return {
        "responses": {
            200: {
                "description": "Kept, as a submission or parked for staff; in the front end's own shape.",
                "content": {"application/json": {"schema": {"type": "object"}, "examples": answers}},
            },
            **{status: {} for status in noes},
        },
        "openapi_extra": {
            "requestBody": {
                "required": required,
                "description": "The body as the front end sends it.",
                "content": {"application/json": {"schema": {}, "example": example}},
            },
            **more,
        },
    }


_XGOV: Final = _described(
    {"name": "Make a complaint", "metadata": {}, "questions": [{"question": "Name", "fields": [{"key": "firstName"}]}]},
    answers={"kept": {"value": {"reference": "ABCD-EFGH"}}},
    noes=(400, 401, 403, 404, 408, 413, 415, 429, 503),
)
_INFREEMATION: Final = _described(
    {"rt": "create", "key": "…", "username": "foi", "requester": "Alex Example", "body": "All letters of May."},
    answers={
        "kept": {"value": {"status": "OK", "ref": "ABCD-EFGH", "error": ""}},
        "a no": {"value": {"status": "ERROR", "ref": "10", "error": "The key is missing."}},
    },
    noes=(),
    required=False,  # what is missing is said as everything else is: with 200
    security=[{}],  # its key stands in its body
)
_INFREEMATION["responses"][503] = {
    "description": "Nothing can be kept right now; said in the same shape.",
    "content": {"application/json": {"schema": {"type": "object"}}},
    "headers": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}},
}


@router.post("/intake/{council}/xgov/{profile}", summary="Take a form of XGov's runner", **_XGOV)
async def post_form(council: str, profile: str, request: Request, room: RoomOf) -> Response:
    """`profile` names the mapping that reads it. What cannot be mapped is kept and parked: its reference is the same
    once it is mended."""
    return await _take(request, room, council=council, format="xgov", profile=profile)


@router.put("/intake/{council}/xgov/{profile}", summary="The same, for a runner that is set to PUT", **_XGOV)
async def put_form(council: str, profile: str, request: Request, room: RoomOf) -> Response:
    """A repeat is known by its body, as with POST."""
    return await _take(request, room, council=council, format="xgov", profile=profile)


@router.post("/intake/{council}/infreemation/{profile}", summary="Take what is meant for Infreemation", **_INFREEMATION)
async def post_infreemation(council: str, profile: str, request: Request, room: RoomOf) -> Response:
    """As foi-for-councils sends it. Its clients read the body and not the status, so a no is a 200 of
    `status: ERROR` with Infreemation's own number in `ref`."""
    return await _take(request, room, council=council, format="infreemation", profile=profile)


@router.api_route(_PATH, methods=["POST", "PUT"], include_in_schema=False)
async def take_other(council: str, format: str, profile: str, request: Request, room: RoomOf) -> Response:
    """A format that there is not, or not with that method."""
    return await _take(request, room, council=council, format=format, profile=profile)


@router.api_route(_PATH + "/{rest:path}", methods=["POST", "PUT"], include_in_schema=False)
async def take_below(council: str, format: str, profile: str, rest: str, request: Request, room: RoomOf) -> Response:
    """With what a front end adds to its address, and slashes."""
    if rest.strip("/") not in _ADDS.get(format, ("",)):
        raise NotThere("There is nothing here; the address ends with the profile.")
    return await _take(request, room, council=council, format=format, profile=profile)


async def _take(request: Request, room: Room, *, council: str, format: str, profile: str) -> Response:
    take = FORMATS.get(format)
    if take is None:
        raise NotThere(f"There is no such format; there are {', '.join(FORMATS)}, and Open311 under /open311/.")
    if request.method == "PUT" and format not in _PUT:
        raise Stop(of_status(405, detail="Use POST.", headers={"Allow": "POST"}))
    count, began = room.deps.metrics, time.perf_counter()
    try:
        response, kept = await take(request, room, council=council, profile=profile)
    except (Stop, HubError) as failure:
        problem = failure.problem if isinstance(failure, Stop) else of_error(failure)
        count.submission("unknown", result=problem.code if problem else "internal")
        raise
    _count(count, kept)
    if kept is not None:
        count.accepted(timedelta(seconds=time.perf_counter() - began))
    return response


def _count(metrics: Metrics, kept: Kept | None) -> None:
    if kept is None:
        metrics.submission("unknown", result="refused")
        return
    result = "replayed" if kept.replayed else "parked" if kept.parked else "accepted"
    metrics.submission(kept.service or "unknown", result=result)
