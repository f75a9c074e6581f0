"""XGov's form runner: its webhook, and the reference that it shows to the resident."""

from __future__ import annotations

from fastapi import Request, Response

from hub.intake.deps import Room
from hub.intake.forms.desk import Form, take_form
from hub.intake.gate import note_of
from hub.intake.limits import read_body
from hub.intake.paging import as_json
from hub.intake.submissions import front_end_of
from hub.store.keep import Kept


async def take(request: Request, room: Room, *, council: str, profile: str) -> tuple[Response, Kept | None]:
    """Keep one form. The runner wants 200 and `reference`; what is none of these it shows as UNKNOWN and repeats.

    The key comes in a header that the form's designer set (`additionalHeaders`).
    Its `metadata` is the form's own and may be the same for every resident, so
    a repeat is known by its body.
    """
    front_end = await front_end_of(request, room)
    raw = await read_body(request.scope, request.receive, cap=room.deps.max_body)
    form = Form(
        front_end=front_end,
        council=council,
        format="xgov",
        profile=profile,
        body=raw,
        received_at=room.deps.clock(),
        trace=note_of(request.scope).trace.parent,
    )
    kept = await take_form(form, deps=room.deps)
    return as_json({"reference": kept.reference}), kept
