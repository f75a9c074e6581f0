"""The contracts that front ends publish to, read by whoever wants to build a form."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from hub.errors import NotThere
from hub.intake.deps import Room, room_of
from hub.intake.paging import LIMIT, Cursor, Limit, among, as_json, page
from hub.intake.shapes import Page, ServiceBody
from hub.intake.taking import LONDON
from hub.standard import SERVICES, Service

router = APIRouter(tags=["contracts"])

_FRESH = {"Cache-Control": "public, max-age=3600"}


@router.get(
    "/v1/services", summary="Every service there is a contract for", responses={200: {"model": Page[ServiceBody]}}
)
async def list_services(
    request: Request, room: Annotated[Room, Depends(room_of)], limit: Limit = LIMIT, cursor: Cursor = None
) -> Response:
    """In the order of their codes."""
    shown, following = among(SERVICES, limit=limit, cursor=cursor)
    items = [_service(SERVICES[code], room.base) for code in shown]
    return page(request, items, following=following, base=room.base)


@router.get("/v1/services/{code}", summary="One service", responses={200: {"model": ServiceBody}})
async def get_service(code: str, room: Annotated[Room, Depends(room_of)]) -> Response:
    return as_json(_service(_known(code), room.base))


@router.get("/v1/services/{code}/schema", summary="Its JSON Schema 2020-12, with examples", response_class=Response)
async def get_schema(
    code: str,
    request: Request,
    room: Annotated[Room, Depends(room_of)],
    version: Annotated[int | None, Query(description="The newest without it.", ge=1, le=1_000_000)] = None,
) -> Response:
    """The examples are valid today: their dates are moved to the present."""
    service = _known(code)
    wanted = max(service.versions) if version is None else version
    service.model(wanted)
    today = room.deps.clock().astimezone(LONDON).date()
    content, tag = _schema(service.code, wanted, today)
    headers = {**_FRESH, "ETag": tag}
    if tag in [one.strip() for one in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type="application/schema+json")


def _known(code: str) -> Service:
    if service := SERVICES.get(code):
        return service
    raise NotThere(f"There is no service of that name; there are {', '.join(sorted(SERVICES))}.")


def _service(service: Service, base: str) -> dict[str, Any]:
    return {
        "code": service.code,
        "title": service.title,
        "description": service.description,
        "version": max(service.versions),
        "versions": sorted(service.versions),
        "changes": [{"version": newer, "about": change.about} for newer, change in sorted(service.changes.items())],
        "lgsl": list(service.lgsl),
        "schema": f"{base}/v1/services/{service.code}/schema",
    }


@lru_cache(maxsize=64)
def _schema(code: str, version: int, today: date) -> tuple[bytes, str]:
    service = SERVICES[code]
    good, _ = service.examples(version, today=today)
    schema = {**service.schema(version), "examples": [example.as_dict()["body"] for example in good]}
    content = json.dumps(schema, ensure_ascii=False, indent=2).encode()
    return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'
