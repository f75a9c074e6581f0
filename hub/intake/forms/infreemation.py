"""Whatever is built to post requests for information to Infreemation, foi-for-councils first of all."""

from __future__ import annotations

import asyncio
import re
from datetime import date
from typing import Any, Final

from fastapi import Request, Response
from pydantic_core import to_json

from hub import standard
from hub.errors import HubError, NotThere, StoreOutdated, StoreUnavailable
from hub.intake.deps import Room
from hub.intake.forms.desk import Form, take_form
from hub.intake.forms.translating import canonical
from hub.intake.gate import note_of
from hub.intake.limits import read_body
from hub.intake.paging import as_json
from hub.intake.problems import Stop
from hub.intake.taking import LARGE
from hub.model import FrontEnd
from hub.store.keep import Kept

#: A request is a few texts; nobody is known before its body is read.
MOST: Final = 1024 * 1024

# Infreemation's own numbers; the last is ours, for what it has none for.
_NOT_YOU, _BAD_DATE, _NO_RT, _NO_KEY, _NO_USERNAME, _NO_DATA, _NOT_NOW = "2", "3", "9", "10", "11", "12", "13"
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class _Error(Exception):
    """An answer of Infreemation's that is no."""

    def __init__(self, ref: str, error: str) -> None:
        super().__init__(ref)
        self.ref = ref
        self.error = error


async def take(request: Request, room: Room, *, council: str, profile: str) -> tuple[Response, Kept | None]:
    """Keep one request, or list what is published (nothing), in Infreemation's own words.

    Its clients read the body and not the status: every answer is of one shape,
    200 for each that Infreemation has a number for. Only where there is no such
    council is it 404 as well, and where nothing can be kept right now 503, for
    those that do look.
    """
    try:
        body = await _read(request, room)
        front_end = await _who(body, request, room)
        match _text(body, "rt").lower():
            case "create":
                kept = await _create(body, front_end, request, room, council=council, profile=profile)
                return as_json({"status": "OK", "ref": kept.reference, "error": ""}), kept
            case "published":
                _check_days(body)
                return as_json({"published": {"request": []}}), None
            case _:
                raise _Error(_NO_RT, "RT is missing; it is create or published.")
    except _Error as failure:
        return _no(failure.ref, failure.error), None
    except Stop as failure:
        return _stopped(failure), None
    except (StoreUnavailable, StoreOutdated):
        return _no(_NOT_NOW, "Nothing can be kept right now; send it again shortly.", status=503), None
    except NotThere as absent:
        return _no(_NOT_YOU, str(absent), status=404), None
    except HubError as refused:
        return _no(_NOT_YOU, str(refused)), None


async def _read(request: Request, room: Room) -> dict[str, Any]:
    raw = await read_body(request.scope, request.receive, cap=min(MOST, room.deps.max_body))
    try:
        body = await asyncio.to_thread(standard.parse, raw) if len(raw) > LARGE else standard.parse(raw)
    except standard.Unreadable as failure:
        raise _Error(_NO_DATA, str(failure)) from None
    if not isinstance(body, dict) or not body:
        raise _Error(_NO_DATA, "There is no data; send one JSON object.")
    return body


async def _who(body: dict[str, Any], request: Request, room: Room) -> FrontEnd:
    """Whose key it is. The user name is whatever was set up beside it there; the hub knows keys only."""
    key = _text(body, "key")
    if not key:
        raise _Error(_NO_KEY, "The API key is missing; send it as `key`.")
    if not _text(body, "username"):
        raise _Error(_NO_USERNAME, "The user name is missing; send it as `username`.")
    try:
        front_end = await room.doorkeeper.by_key(key)
    except Stop:
        raise _Error(_NOT_YOU, "Invalid API key, username or your account is suspended") from None
    note_of(request.scope).who = front_end.id
    room.limiter.check(front_end.id, now=room.deps.monotonic())
    return front_end


async def _create(
    body: dict[str, Any], front_end: FrontEnd, request: Request, room: Room, *, council: str, profile: str
) -> Kept:
    said = {name: value for name, value in body.items() if name not in ("key", "username")}
    form = Form(
        front_end=front_end,
        council=council,
        format="infreemation",
        profile=profile,
        # Not the bytes that came: they hold the key. Escaped, so that half a character is kept as it came.
        body=canonical(said),
        value=said,
        received_at=room.deps.clock(),
        trace=note_of(request.scope).trace.parent,
    )
    return await take_form(form, deps=room.deps)


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    return value.strip() if isinstance(value, str) else ""


def _check_days(body: dict[str, Any]) -> None:
    for name in ("startdate", "enddate"):
        day = body.get(name)
        if day is not None and not _is_day(day):
            raise _Error(_BAD_DATE, f"{name} is no date; write yyyy-mm-dd.")


def _is_day(value: Any) -> bool:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _stopped(failure: Stop) -> Response:
    """What the door itself says no to: too large, too slow, too fast, an encoding."""
    problem = failure.problem
    ref = _NOT_NOW if problem.status in (408, 429) else _NO_DATA
    response = _no(ref, problem.detail or problem.code)
    response.headers.update(problem.headers)
    return response


def _no(ref: str, error: str, *, status: int = 200) -> Response:
    headers = {"Retry-After": "5"} if status == 503 else {}
    content = to_json({"status": "ERROR", "ref": ref, "error": error})
    return Response(content, status_code=status, headers=headers, media_type="application/json")
