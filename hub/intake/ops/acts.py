"""The audit: who did what, and why."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AfterValidator

from hub.intake.deps import Room, room_of
from hub.intake.naming import CouncilName, printable
from hub.intake.ops.staff import Operator, scope_of
from hub.intake.paging import LIMIT, Cursor, Limit, checked, page
from hub.intake.shapes import ActBody, Page
from hub.intake.views import instant
from hub.store import audit

router = APIRouter()

Subject = Annotated[
    str | None, Query(max_length=160, description="A delivery's id, or a destination."), AfterValidator(printable)
]


@router.get("/v1/audit", summary="Who did what, and why, the newest first", responses={200: {"model": Page[ActBody]}})
async def list_acts(
    request: Request,
    user: Operator,
    room: Annotated[Room, Depends(room_of)],
    council: CouncilName = None,
    subject: Subject = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Response:
    """Those who see only some councils see the acts in those."""
    councils, behind = scope_of(user, council=council), checked(cursor)
    found = await room.deps.store.read(
        lambda connection: audit.page(connection, councils=councils, subject=subject, cursor=behind, limit=limit)
    )
    return page(request, [_shown(row) for row in found.items], following=found.next, base=room.base)


def _shown(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": instant(row.at),
        "actor": row.actor,
        "verb": row.verb,
        "council": row.council,
        "subject": row.subject,
        "reason": row.reason,
        "detail": row.detail,
    }
