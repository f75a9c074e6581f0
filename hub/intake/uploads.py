"""Take one file in, before the submission that names it."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response

from hub.errors import Invalid
from hub.intake import files, views
from hub.intake.deps import Room, room_of
from hub.intake.multipart import OVERHEAD, Part, parts
from hub.intake.paging import as_json
from hub.intake.shapes import UploadedBody
from hub.intake.submissions import front_end_of
from hub.standard.file_types import IN_WORDS, TAKEN

router = APIRouter(tags=["publishing"])

_NO_FILE: Final = "Send one file in the form, as `curl -F file=@photo.jpg` does."
_TWO_FILES: Final = "There is more than one file in the form; send each in a request of its own."
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                },
                "encoding": {"file": {"contentType": ", ".join(TAKEN)}},
            }
        },
    }
}


@router.post(
    "/v1/attachments",
    summary="Take one file in, for a submission that will name it",
    status_code=201,
    response_description="The file is durable now, and waits 24 hours for its submission.",
    responses={201: {"model": UploadedBody}, **{status: {} for status in (400, 408, 413, 415, 422, 429)}},
    openapi_extra=_BODY,
    description=f"""One file of up to 25 MB: {IN_WORDS}. What it is, is told by its bytes, whatever it is called;
documents with macros are not taken. Name its `id` in `attachments` of a submission, or of a follow-up, within 24
hours: by the same front end, and in one only. A repeat makes another one; what no submission names is forgotten.""",
)
async def upload(request: Request, room: Annotated[Room, Depends(room_of)]) -> Response:
    front_end = await front_end_of(request, room)
    kept: files.Kept | None = None
    async for part in parts(request.scope, request.receive, cap=files.LARGEST + OVERHEAD):
        if not _is_file(part):
            continue  # whatever a form builder sends along
        if kept is not None:
            raise Invalid([(files.THE_FILE, _TWO_FILES)], _TWO_FILES)
        kept = await files.keep(
            part.chunks(), name=part.filename or "", told=part.content_type, front_end=front_end.id, deps=room.deps
        )
    if kept is None:
        raise Invalid([(files.THE_FILE, _NO_FILE)], _NO_FILE)
    return as_json(_told(kept), status=201)


def _is_file(part: Part) -> bool:
    return part.filename is not None or part.field == "file"


def _told(kept: files.Kept) -> dict[str, Any]:
    """The name too: it was made safe, and only its own sender reads this."""
    return kept.told() | {"sha256": kept.sha256.hex(), "expires_at": views.instant(kept.expires_at)}
