"""Bodies as front ends sent them in formats of their own, and whether they became submissions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response

from hub.errors import NotThere
from hub.intake.deps import Room, room_of
from hub.intake.naming import CouncilName, is_id
from hub.intake.ops.staff import Viewer, scope_of
from hub.intake.paging import LIMIT, Cursor, Limit, as_json, checked, page
from hub.intake.shapes import Page, ReceivedBody
from hub.intake.views import instant
from hub.store import received

router = APIRouter()

_ABSENT = "Nothing was received under that id in your councils; GET /v1/received lists what was."


@router.get(
    "/v1/received",
    summary="What came in a front end's own format, the newest first",
    responses={200: {"model": Page[ReceivedBody]}},
)
async def list_received(
    request: Request,
    user: Viewer,
    room: Annotated[Room, Depends(room_of)],
    state: Literal["mapped", "parked", "discarded"] | None = None,
    council: CouncilName = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Response:
    """Without the bodies: they are personal."""
    councils, behind = scope_of(user, council=council), checked(cursor)
    found = await room.deps.store.read(
        lambda connection: received.page(connection, state=state, councils=councils, cursor=behind, limit=limit)
    )
    return page(request, [_shown(row) for row in found.items], following=found.next, base=room.base)


@router.get(
    "/v1/received/{id}",
    summary="One of them: its state, and why it was parked",
    responses={200: {"model": ReceivedBody}},
)
async def get_received(id: str, user: Viewer, room: Annotated[Room, Depends(room_of)]) -> Response:
    if not is_id(id):
        raise NotThere(_ABSENT)
    row = await room.deps.store.read(lambda connection: received.get(connection, id))
    if not user.sees(row.council):
        raise NotThere(_ABSENT)
    return as_json(_shown(row))


def _shown(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "reference": row.reference,
        "council": row.council,
        "format": row.format,
        "profile": row.profile,
        "state": row.state,
        "why": row.why,
        "received_at": instant(row.received_at),
    }
