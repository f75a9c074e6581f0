"""Many submissions in one request, each answered as if it had come alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from hub import standard
from hub.errors import HubError
from hub.intake.deps import Room, room_of
from hub.intake.gate import note_of
from hub.intake.idempotency import key_of_text
from hub.intake.limits import read_body
from hub.intake.paging import as_json
from hub.intake.problems import Problem, Stop, of_error, stop
from hub.intake.shapes import BatchBody
from hub.intake.submissions import accepted_body, front_end_of
from hub.intake.taking import Letter, service_in, take
from hub.model import FrontEnd

router = APIRouter(tags=["publishing"])

MOST = 500
_AT_ONCE = 64  #: as many as one commit takes
KEY = "idempotency_key"


@router.post(
    "/v1/submissions/batch",
    summary="Take up to 500 submissions in",
    status_code=200,
    response_description="One answer for each item, in the order in which they came.",
    responses={200: {"model": BatchBody}, **{status: {} for status in (400, 408, 413, 415, 422, 429)}},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["items"],
                        "additionalProperties": False,
                        "properties": {
                            "items": {
                                "type": "array",
                                "minItems": 1,
                                "maxItems": MOST,
                                # Of any type: what is no submission is answered in its place, and spoils no other.
                                "items": {
                                    "description": "A submission, as for POST /v1/submissions, and beside its fields "
                                    f"`{KEY}`, a text of 1 to 255 characters, which stands for the header.",
                                },
                            }
                        },
                    }
                }
            },
        }
    },
)
async def publish_batch(request: Request, room: Annotated[Room, Depends(room_of)]) -> Response:
    """Each item is durable, or not, by itself: one that is bad spoils no other, and the answer says which is which.

    A request that broke off is repeated whole: items with an `idempotency_key` are not made twice.
    """
    front_end = await front_end_of(request, room)
    raw = await read_body(request.scope, request.receive, cap=room.deps.max_body)
    trace = note_of(request.scope).trace.parent
    items = await asyncio.to_thread(_items, raw)
    taker = _Taker(room=room, front_end=front_end, trace=trace, instance=note_of(request.scope).instance)
    return as_json({"items": await taker.take_all(items)})


@router.get("/v1/submissions/batch", include_in_schema=False)
async def no_batch() -> Response:
    """It is no submission, so it is not looked for among them."""
    raise HTTPException(405)


def _items(raw: bytes) -> list[Any]:
    """The items of a batch. Raises Unreadable and Stop."""
    body = standard.parse(raw)
    match body:
        case {"items": [*items], **rest} if not rest and 0 < len(items) <= MOST:
            return items
        case {"items": [*items]} if len(items) > MOST:
            fault = ("#/items", f"There are {len(items)} items; send at most {MOST} in one request.")
        case {"items": [_, *_]}:
            fault = ("#", "There is more than `items`; what belongs to a submission stands in its item.")
        case _:
            fault = ("#/items", 'Send {"items": [ … ]} with one submission or more.')
    raise Stop(Problem(code="invalid", faults=[fault]))


class _Taker:
    """Takes the items of one request."""

    def __init__(self, *, room: Room, front_end: FrontEnd, trace: str | None, instance: str) -> None:
        self._room = room
        self._front_end = front_end
        self._trace = trace
        self._instance = instance
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    async def take_all(self, items: list[Any]) -> list[dict[str, Any]]:
        """Side by side, so that they share commits; those of one key one after another, as they came."""
        same: dict[object, list[int]] = {}
        for at, item in enumerate(items):
            key = item.get(KEY) if isinstance(item, dict) else None
            same.setdefault(key if isinstance(key, str) else at, []).append(at)
        answers: list[dict[str, Any]] = [{} for _ in items]

        async def in_turn(places: list[int]) -> None:
            for at in places:
                async with self._at_once:
                    answers[at] = await self._take(items[at])

        async with asyncio.TaskGroup() as group:
            for places in same.values():
                group.create_task(in_turn(places))
        return answers

    async def _take(self, item: Any) -> dict[str, Any]:
        count, raw = self._room.deps.metrics, b""
        try:
            letter = self._letter(item)
            raw = letter.raw
            accepted = await take(letter, deps=self._room.deps)
        except (Stop, HubError) as failure:
            problem = failure.problem if isinstance(failure, Stop) else of_error(failure)
            if problem is None:
                raise
            count.submission(service_in(raw), result=problem.code)
            return {"http_status": problem.status} | problem.as_dict(base=self._room.base, instance=self._instance)
        count.submission(accepted.service, result="replayed" if accepted.replayed else "accepted")
        return {"http_status": 202, "replayed": accepted.replayed} | accepted_body(accepted, base=self._room.base)

    def _letter(self, item: Any) -> Letter:
        deps = self._room.deps
        self._room.limiter.check(self._front_end.id, now=deps.monotonic())
        if not isinstance(item, Mapping):
            raise stop("unreadable", "This item is not a JSON object; send one submission in { }.")
        if KEY in item and not isinstance(item[KEY], str):
            raise Stop(Problem(code="invalid", faults=[(f"#/{KEY}", "This is a text; send it in quotes.")]))
        body = {name: value for name, value in item.items() if name != KEY}
        return Letter(
            front_end=self._front_end,
            # Escaped: half a character is refused with its item, and cannot be written otherwise.
            raw=json.dumps(body, separators=(",", ":")).encode(),
            received_at=deps.clock(),
            key=key_of_text(item[KEY]) if KEY in item else None,
            trace=self._trace,
        )
