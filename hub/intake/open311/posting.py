"""Take a report in: read the form, know its sender, check what may be checked, keep its files, go to the desk."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request

from hub.council import Council
from hub.errors import Invalid
from hub.intake import files
from hub.intake.deps import Deps, Room
from hub.intake.forms.desk import Form, take_form
from hub.intake.gate import note_of
from hub.intake.open311 import catalogue
from hub.intake.open311.checking import check_form, check_jurisdiction
from hub.intake.open311.reading import Sent, Upload, pack, read
from hub.intake.problems import Stop, stop
from hub.intake.taking import LARGE
from hub.model import FrontEnd
from hub.store.keep import Kept

MOST_FILES = 10  #: a submission holds no more


async def take_request(request: Request, council: Council, *, caller: FrontEnd | None, room: Room) -> Kept:
    """Take one report in; it is durable when this returns, and parked where it cannot be mapped.

    `caller` is who the address or a header named. Raises Stop, NotAllowed and StoreUnavailable.
    """
    who = caller

    async def knows(key: str) -> None:
        nonlocal who
        who = who or await known(key, request, room)

    sent = await read(request, cap=room.deps.max_body, trusted=who is not None, knows=knows)
    assert who is not None  # else `knows` was asked, and refuses nobody
    room.limiter.check(who.id, now=room.deps.monotonic())
    check_jurisdiction(sent.one("jurisdiction_id"), council, room.deps.councils())
    entry = catalogue.entry(council, sent.one("service_code"))
    if not who.may(council=council.slug, service=entry.service):
        raise stop("not-allowed", f"This api_key is not for {entry.service} of {council.slug}; ask for one that is.")
    check_form(sent, entry.offer)
    kept, left_out = await _keep(sent.uploads, who, room.deps)
    value, body = await _packed(sent, left_out)
    form = Form(
        front_end=who,
        council=council.slug,
        format=catalogue.FORMAT,
        profile=entry.code,
        body=body,
        value=value,
        received_at=room.deps.clock(),
        scope=f"{catalogue.FORMAT}:{council.slug}",
        key=sent.attribute(catalogue.IDENTITY) or None,
        attachments=kept,
        trace=note_of(request.scope).trace.parent,
    )
    return await take_form(form, deps=room.deps)


async def _packed(sent: Sent, left_out: Sequence[Upload]) -> tuple[dict[str, Any], bytes]:
    """The form as it is kept, and as bytes; large files are digested where nobody else waits for it."""

    def work() -> tuple[dict[str, Any], bytes]:
        value = pack(sent, left_out=left_out)
        return value, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")

    large = sum(len(upload.content) for upload in sent.uploads) > LARGE
    return await asyncio.to_thread(work) if large else work()


async def known(key: str, request: Request, room: Room) -> FrontEnd:
    """Whose key this is. Raises Stop (401, 403)."""
    if not key:
        raise stop("unauthenticated", "Send your api_key; `hub front-ends add` makes one.")
    caller = await room.doorkeeper.by_key(key)
    note_of(request.scope).who = caller.id
    return caller


async def _keep(uploads: Sequence[Upload], who: FrontEnd, deps: Deps) -> tuple[list[str], list[Upload]]:
    """The ids of the files that were kept, and the files that were not: those never refuse a report."""
    kept: list[str] = []
    left_out = list(uploads[MOST_FILES:])
    for upload in uploads[:MOST_FILES]:
        try:
            made = await files.keep(
                files.one(upload.content), name=upload.name, told=upload.media_type, front_end=who.id, deps=deps
            )
        except (Invalid, Stop):
            left_out.append(upload)
        else:
            kept.append(made.id)
    return kept, left_out
