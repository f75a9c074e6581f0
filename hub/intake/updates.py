"""Say more about a submission: to every system that has its case."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from hub.intake import views
from hub.intake.deps import Room, room_of
from hub.intake.follow_ups import say
from hub.intake.limits import read_body
from hub.intake.paging import as_json
from hub.intake.shapes import FollowedUpBody
from hub.intake.submissions import KEY, REPLAYED, front_end_of, key_of
from hub.intake.taking import LONDON
from hub.standard.follow_up import read_follow_up

router = APIRouter(tags=["publishing"])

_FILE: Final = "0199f6f0-5a4b-7c3d-9e8f-0a1b2c3d4e5f"


@router.post(
    "/v1/submissions/{submission}/updates",
    summary="Say more about a submission: a comment, a cancellation, more evidence",
    status_code=202,
    response_description="It is durable now, and goes to every system that has the case, behind what was said before.",
    responses={
        202: {"model": FollowedUpBody, "headers": REPLAYED},
        **{status: {} for status in (400, 403, 404, 408, 409, 413, 415, 422, 429)},
    },
    openapi_extra={
        "parameters": [KEY],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/FollowUp"},
                    "examples": {
                        "comment": {"value": {"kind": "comment", "text": "It is still there."}},
                        "cancel": {"value": {"kind": "cancel", "text": "The neighbours have sorted it out."}},
                        "evidence": {"value": {"kind": "evidence", "attachments": [{"id": _FILE}]}},
                    },
                }
            },
        },
    },
)
async def update(submission: str, request: Request, room: Annotated[Room, Depends(room_of)]) -> Response:
    """By the submission's id or reference, which must be yours. Where a council's system cannot be told, a person
    tells it: that is never a reason to refuse it here, and shows in `follow_ups` of the submission."""
    front_end, key = await front_end_of(request, room), key_of(request)
    raw = await read_body(request.scope, request.receive, cap=room.deps.max_body)
    received_at = room.deps.clock()
    read = read_follow_up(raw, today=received_at.astimezone(LONDON).date())
    said = await say(
        read.data, submission=submission, front_end=front_end, deps=room.deps, key=key, sent=read.digest_input
    )  # fmt: skip
    body = {
        # Now, and not when it was received: it was due only once it was kept.
        **views.follow_up(said.view, now=room.deps.clock()),
        "submission": said.submission,
        "reference": said.reference,
        "warnings": [*(each.as_dict() for each in read.warnings), *said.remarks],
        "links": {"submission": f"{room.base}/v1/submissions/{said.submission}"},
    }
    return as_json(body, status=202, headers={"Idempotent-Replayed": "true"} if said.added.replayed else None)
