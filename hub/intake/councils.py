"""Which councils there are, and which services each takes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from hub.council import Council
from hub.intake.deps import Room, room_of
from hub.intake.paging import LIMIT, Cursor, Limit, among, as_json, page
from hub.intake.shapes import CouncilBody, Page

router = APIRouter(tags=["contracts"])


@router.get("/v1/councils", summary="Every council of this hub", responses={200: {"model": Page[CouncilBody]}})
async def list_councils(
    request: Request, room: Annotated[Room, Depends(room_of)], limit: Limit = LIMIT, cursor: Cursor = None
) -> Response:
    councils = room.deps.councils()
    shown, following = among(councils.slugs, limit=limit, cursor=cursor)
    return page(request, [_council(councils.find(slug)) for slug in shown], following=following, base=room.base)


@router.get("/v1/councils/{name}", summary="One council, by slug or GSS code", responses={200: {"model": CouncilBody}})
async def get_council(name: str, room: Annotated[Room, Depends(room_of)]) -> Response:
    return as_json(_council(room.deps.councils().find(name)))


def _council(council: Council) -> dict[str, Any]:
    return {
        "slug": council.slug,
        "name": council.name,
        "gss": council.gss,
        "services": sorted(council.services),
    }
