"""Councils' systems: which there are, and whether they are asked."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from hub.errors import NotThere
from hub.intake.deps import Room, room_of
from hub.intake.naming import CouncilName
from hub.intake.ops.spoken import Because, body_of, said
from hub.intake.ops.staff import Operator, Viewer, scope_of
from hub.intake.paging import as_json, page
from hub.intake.shapes import DestinationBody, Page
from hub.intake.views import instant
from hub.store import destinations

router = APIRouter()

RoomOf = Annotated[Room, Depends(room_of)]


@router.get(
    "/v1/destinations",
    summary="Every destination, and whether it is asked",
    responses={200: {"model": Page[DestinationBody]}},
)
async def list_destinations(request: Request, user: Viewer, room: RoomOf, council: CouncilName = None) -> Response:
    councils = scope_of(user, council=council)
    rows = await room.deps.store.read(lambda connection: destinations.page(connection, councils=councils))
    return page(request, [_shown(row) for row in rows], following=None, base=room.base)


@router.post(
    "/v1/destinations/{council}/{name}/pause",
    summary="Ask nothing of it until a person resumes it",
    responses={200: {"model": DestinationBody}},
    openapi_extra=body_of(Because, {"reason": "Their upgrade, until Monday."}),
)
async def pause(council: str, name: str, request: Request, user: Operator, room: RoomOf) -> Response:
    """Uses no attempts: what waits says that it is paused, and why."""
    words = await said(request, Because)
    await room.deps.operations.pause(_id(council, name), actor=user, reason=words.reason)
    return await _now(_id(council, name), room)


@router.post(
    "/v1/destinations/{council}/{name}/resume", summary="Ask it again", responses={200: {"model": DestinationBody}}
)
async def resume(council: str, name: str, user: Operator, room: RoomOf) -> Response:
    await room.deps.operations.resume(_id(council, name), actor=user)
    return await _now(_id(council, name), room)


def _id(council: str, name: str) -> str:
    if not (council + name).isprintable():
        raise NotThere("There is no destination of that name; GET /v1/destinations lists those there are.")
    return f"{council}/{name}"


async def _now(destination: str, room: Room) -> Response:
    row = await room.deps.store.read(lambda connection: destinations.get(connection, destination))
    return as_json(_shown(row))


def _shown(row: Any) -> dict[str, Any]:
    paused = {"at": instant(row.paused_at), "by": row.paused_by, "reason": row.pause_reason}
    return {
        "id": row.id,
        "council": row.council,
        "name": row.name,
        "connector": row.connector,
        "concurrency": row.concurrency,
        "per_second": row.per_second,
        "paused": paused if row.paused_at is not None else None,
        "probe_at": instant(row.probe_at),
        "breaker": row.breaker,
        "breaker_until": instant(row.breaker_until),
        "last_served": instant(row.last_served),
    }
