"""What is read rather than called: the description of this API, and what each problem means."""

from __future__ import annotations

from html import escape

from fastapi import APIRouter, Request, Response

from hub.errors import NotThere
from hub.intake import asyncapi, openapi
from hub.intake.deps import room_of
from hub.intake.paging import as_json
from hub.intake.problems import KINDS, Kind

router = APIRouter()


@router.get("/openapi.json", include_in_schema=False)
async def description(request: Request) -> Response:
    """OpenAPI 3.1, with examples that are valid today."""
    return Response(openapi.document(request.app), media_type="application/json")


@router.get("/asyncapi.json", include_in_schema=False)
async def queue_description(request: Request) -> Response:
    """AsyncAPI 3.0: the queue door."""
    return Response(asyncapi.document(base=room_of(request).base), media_type="application/json")


@router.get("/problems", include_in_schema=False)
async def problems() -> Response:
    return as_json({"items": [_told(kind) for kind in KINDS.values()], "next": None})


@router.get("/problems/{code}", include_in_schema=False)
async def problem(code: str, request: Request) -> Response:
    """What a problem means and what to do: for people as a page, for programs as JSON."""
    kind = KINDS.get(code)
    if kind is None:
        raise NotThere(f"There is no problem of that name; there are {', '.join(sorted(KINDS))}.")
    if "text/html" in request.headers.get("accept", ""):
        return Response(_page(kind), media_type="text/html")
    return as_json(_told(kind))


def _told(kind: Kind) -> dict[str, object]:
    return {"code": kind.code, "status": kind.status, "title": kind.title, "remedy": kind.remedy}


def _page(kind: Kind) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(kind.title)}</title></head>'
        f"<body><main><h1>{escape(kind.title)}</h1><p>HTTP {kind.status}, <code>{escape(kind.code)}</code></p>"
        f"<p>{escape(kind.remedy)}</p></main></body></html>"
    )
