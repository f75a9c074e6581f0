"""Bodies as front ends sent them in formats of their own, and whether they became submissions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AfterValidator

from hub.errors import NotThere
from hub.intake.deps import Room, room_of
from hub.intake.forms import mending
from hub.intake.naming import CouncilName, id_or_reference, is_id, printable
from hub.intake.ops.spoken import Because, Reason, Said, body_of, said
from hub.intake.ops.staff import Operator, Viewer, scope_of
from hub.intake.paging import LIMIT, Cursor, Limit, as_json, checked, page
from hub.intake.shapes import Page, ReceivedBody
from hub.intake.views import instant
from hub.model import ReceivedState
from hub.store import received

router = APIRouter()

RoomOf = Annotated[Room, Depends(room_of)]
Format = Annotated[str | None, Query(max_length=32), AfterValidator(printable)]
ProfileName = Annotated[str | None, Query(max_length=64), AfterValidator(printable)]

_ABSENT = "Nothing was received under that id in your councils; GET /v1/received lists what was."


class ReplayReceived(Said):
    """Run it through its profile as it is now, with the reference that its sender was told."""

    reason: Reason | None = None


@router.get(
    "/v1/received",
    summary="What came in a front end's own format, the newest first",
    responses={200: {"model": Page[ReceivedBody]}},
)
async def list_received(
    request: Request,
    user: Viewer,
    room: RoomOf,
    state: ReceivedState | None = None,
    council: CouncilName = None,
    format: Format = None,
    profile: ProfileName = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Response:
    """Without the bodies: they are personal."""
    councils, behind = scope_of(user, council=council), checked(cursor)
    found = await room.deps.store.read(
        lambda connection: received.page(
            connection, state=state, councils=councils, format=format, profile=profile, cursor=behind, limit=limit
        )
    )
    return page(request, [_shown(row) for row in found.items], following=found.next, base=room.base)


@router.get(
    "/v1/received/{id}",
    summary="One of them: its state, and why it was parked",
    responses={200: {"model": ReceivedBody}},
)
async def get_received(id: str, user: Viewer, room: RoomOf) -> Response:
    """By its id, or by the reference that its sender was told."""
    known = await _known(id, room)
    row = await room.deps.store.read(lambda connection: received.get(connection, known))
    if not user.sees(row.council):
        raise NotThere(_ABSENT)
    return as_json(_shown(row))


@router.post(
    "/v1/received/{id}/replay",
    summary="Try a parked one again, through its profile as it is now",
    responses={200: {"model": ReceivedBody}, 404: {}, 409: {}, 422: {}},
    openapi_extra=body_of(ReplayReceived, {"reason": "The profile reads the new question now."}, required=False),
)
async def replay_received(id: str, request: Request, user: Operator, room: RoomOf) -> Response:
    """With the same reference and no second submission. The answer says whether it is one now; `why` says what is
    still wrong with one that stays parked. A discarded one needs a reason.
    """
    known = await _known(id, room)
    words = await said(request, ReplayReceived)
    row = await mending.replay(known, deps=room.deps, user=user, reason=words.reason)
    return as_json(_shown(row))


@router.post(
    "/v1/received/{id}/discard",
    summary="Set a parked one aside",
    responses={200: {"model": ReceivedBody}, 404: {}, 409: {}, 422: {}},
    openapi_extra=body_of(Because, {"reason": "A test of the new form."}),
)
async def discard_received(id: str, request: Request, user: Operator, room: RoomOf) -> Response:
    """Its front end sees `discarded`. What was sent is kept as long as other content, then forgotten."""
    known = await _known(id, room)
    words = await said(request, Because)
    row = await mending.discard(known, deps=room.deps, user=user, reason=words.reason)
    return as_json(_shown(row))


async def _known(name: str, room: Room) -> str:
    """The id of one that is named by its id or its reference. Raises NotThere."""
    known = id_or_reference(name)
    if known is None:
        raise NotThere(_ABSENT)
    if is_id(known):
        return known
    return await room.deps.store.read(lambda connection: received.named(connection, known))


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
