"""Submissions that a route failed for, or none took: routed again, or set aside, by a person's word."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from hub.intake import rerouting, views
from hub.intake.deps import Room, room_of
from hub.intake.ops.spoken import Because, Reason, Said, body_of, said
from hub.intake.ops.staff import Operator
from hub.intake.paging import as_json
from hub.intake.shapes import StatusBody
from hub.store import submissions

router = APIRouter()

RoomOf = Annotated[Room, Depends(room_of)]


class RouteAgain(Said):
    """Route it by the council files as they are now."""

    reason: Reason | None = None


@router.post(
    "/v1/submissions/{submission}/replay",
    summary="Route one again that no route took, or that a route failed for",
    responses={200: {"model": StatusBody}, 404: {}, 409: {}, 422: {}},
    openapi_extra=body_of(RouteAgain, {"reason": "The route is in council.yaml now."}, required=False),
)
async def route_again(submission: str, request: Request, user: Operator, room: RoomOf) -> Response:
    """With the same reference, and never twice to one destination. `why` says what is still wrong with one that
    cannot be routed; one that was set aside needs a reason. One that all its routes took is refused (409): its
    deliveries have a replay of their own."""
    words = await said(request, RouteAgain)
    return await _now(await rerouting.replay(submission, deps=room.deps, user=user, reason=words.reason), room)


@router.post(
    "/v1/submissions/{submission}/discard",
    summary="Set one aside that cannot be routed",
    responses={200: {"model": StatusBody}, 404: {}, 409: {}, 422: {}},
    openapi_extra=body_of(Because, {"reason": "A test of the new form."}),
)
async def set_aside(submission: str, request: Request, user: Operator, room: RoomOf) -> Response:
    """Its front end sees `discarded` if it went nowhere; where other routes took it, those deliveries stay as they
    are and the rest is wanted no more."""
    words = await said(request, Because)
    return await _now(await rerouting.discard(submission, deps=room.deps, user=user, reason=words.reason), room)


async def _now(id: str, room: Room) -> Response:
    view = await room.deps.store.read(lambda connection: submissions.status(connection, id))
    return as_json({**views.submission(view, now=room.deps.clock()), "why": list(view.faults)})
