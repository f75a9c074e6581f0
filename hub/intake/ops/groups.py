"""Failures that are the same failure."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from hub.intake.deps import Room, room_of
from hub.intake.naming import CouncilName
from hub.intake.ops.staff import Viewer, scope_of
from hub.intake.paging import LIMIT, Limit, page
from hub.intake.shapes import GroupBody, Page
from hub.intake.views import instant
from hub.store import groups

router = APIRouter()


@router.get(
    "/v1/groups",
    summary="Failures that are the same failure, the most recent first",
    responses={200: {"model": Page[GroupBody]}},
)
async def list_groups(
    request: Request,
    user: Viewer,
    room: Annotated[Room, Depends(room_of)],
    council: CouncilName = None,
    limit: Limit = LIMIT,
) -> Response:
    """`waiting` is how many of its deliveries need a person now, counted up to 1,000."""
    councils = scope_of(user, council=council)
    rows = []
    if councils is None or councils:
        rows = await room.deps.store.read(lambda connection: groups.page(connection, councils=councils, limit=limit))
    return page(request, [_shown(row) for row in rows], following=None, base=room.base)


def _shown(row: Any) -> dict[str, Any]:
    return {
        "group": bytes(row.fingerprint).hex(),
        "destination": row.destination,
        "title": row.title,
        "fault_code": row.fault_code,
        "state": row.state,
        "count": row.count,
        "waiting": row.waiting,
        "first_at": instant(row.first_at),
        "last_at": instant(row.last_at),
    }
