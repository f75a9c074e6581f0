"""Replay and discard of many: drafted over a frozen list, previewed, started, watched and stopped."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field, ValidationInfo, WithJsonSchema, field_validator, model_validator

from hub.core.bulk import DEFAULT_RATE, ItemState, OperationKind, OperationState
from hub.core.moments import moment
from hub.errors import Invalid, NotThere
from hub.intake.deps import Room, room_of
from hub.intake.naming import is_id
from hub.intake.ops import account
from hub.intake.ops.account import ItemBody, OperationBody, WholeOperation
from hub.intake.ops.deliveries import STATES_IN_WORDS, Which
from hub.intake.ops.spoken import Reason, Said, body_of, said
from hub.intake.ops.staff import Operator, Viewer, scope_of
from hub.intake.paging import LIMIT, Cursor, Limit, as_json, checked, key_of, page
from hub.intake.shapes import Page
from hub.model import StepState, User
from hub.store import bulk, bulk_items
from hub.store.bulk import Wish

router = APIRouter()

MOST_IDS = 1_000
_ABSENT = "There is no operation with that id in your councils; GET /v1/operations lists those there are."

_WHEN = {"type": "string", "examples": ["2026-11-23T09:30:00Z", "2h", "7d", "today"]}
When = Annotated[datetime | None, WithJsonSchema({"anyOf": [_WHEN, {"type": "null"}], "default": None})]


_STATES = {
    "anyOf": [{"type": "array", "items": STATES_IN_WORDS}, STATES_IN_WORDS, {"type": "null"}],
    "examples": [["dead"]],
}


class Chosen(Which):
    """Which deliveries: by what they have in common, as in GET /v1/deliveries, or one by one."""

    state: Annotated[list[StepState], WithJsonSchema(_STATES)] = Field(
        default=[], description="One, several with commas, or a list."
    )
    ids: list[str] = Field(default=[], max_length=MOST_IDS, description="These ones, and no other filter.")
    since: When = Field(default=None, description="Made at this time or later; `2h` and `today` count from now.")
    until: When = Field(default=None, description="Made before this time.")

    @field_validator("since", "until", mode="before")
    @classmethod
    def _absolute(cls, value: Any, info: ValidationInfo) -> Any:
        return moment(value, now=info.context["now"]) if isinstance(value, str) and info.context else value

    @field_validator("state", mode="before")
    @classmethod
    def _none_or_one(cls, value: Any) -> Any:
        return [] if value is None else value.split(",") if isinstance(value, str) else value

    @field_validator("ids")
    @classmethod
    def _ids(cls, value: list[str]) -> list[str]:
        for id in value:
            if not is_id(id):
                raise ValueError("Send the ids of deliveries, as GET /v1/deliveries shows them.")
        return list(dict.fromkeys(value))

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        stated = [name for name in type(self).model_fields if getattr(self, name)]
        if not stated:
            raise ValueError(f"Say which: at least one of {', '.join(type(self).model_fields)}.")
        if self.ids and stated != ["ids"]:
            raise ValueError("Send `ids`, or what they have in common, and not both.")
        return self


class Draft(Said):
    """What is to be done, to which, and how carefully."""

    kind: OperationKind
    filter: Chosen
    reason: Reason
    rate: float | None = Field(
        default=None,
        ge=0.01,
        le=1000,
        description=f"A second, at most; a replay without one keeps to {DEFAULT_RATE:g}.",
    )
    canary: int | None = Field(
        default=None, ge=1, le=1000, description="So many go first; if one of them fails, it pauses itself."
    )
    include_unsafe: bool = Field(
        default=False, description="Also what may have been taken already; takes a second person to start."
    )
    generation: int | None = Field(
        default=None, ge=1, le=1_000_000_000, description="Of the council files to use; the newest if not."
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        replays = [name for name in ("canary", "include_unsafe", "generation") if getattr(self, name)]
        if self.kind is OperationKind.DISCARD and replays:
            raise ValueError(f"A discard sends nothing, so it takes no {replays[0]}; leave it out.")
        return self

    def wish_of(self, user: User) -> Wish:
        return Wish(
            kind=self.kind, wanted=self.filter.filter_for(user), ids=self.filter.ids, reason=self.reason,
            rate=self.rate, canary=self.canary, include_unsafe=self.include_unsafe, generation=self.generation,
        )  # fmt: skip


class Because(Said):
    reason: Reason | None = None


RoomOf = Annotated[Room, Depends(room_of)]
_BECAUSE = body_of(Because, {"reason": "Their system is slow this morning."}, required=False)


@router.post(
    "/v1/operations",
    status_code=201,
    summary="Draft a replay or discard of many, with a preview",
    responses={201: {"model": WholeOperation}},
    openapi_extra=body_of(
        Draft,
        {"kind": "replay", "filter": {"state": ["dead"], "destination": "northborough/waste", "since": "2h"},
         "reason": "The mapping was mended.", "rate": 5, "canary": 3},
    ),
)  # fmt: skip
async def draft_operation(request: Request, user: Operator, room: RoomOf) -> Response:
    """Nothing is done until it is started. Its list is frozen: what fits the filter later is not in it. A long list
    is made in the background (`state: marking`); it has its preview, and can be started, once it is `ready`."""
    words = await said(request, Draft, context={"now": room.deps.clock()})
    made = await room.deps.bulk.draft(words.wish_of(user), actor=user)
    headers = {"Location": f"{room.base}/v1/operations/{made.id}"}
    return as_json(await _whole(made, room), status=201, headers=headers)


@router.get(
    "/v1/operations", summary="Replays and discards of many, the newest first",
    responses={200: {"model": Page[OperationBody]}},
)  # fmt: skip
async def list_operations(
    request: Request, user: Viewer, room: RoomOf, state: OperationState | None = None, limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Response:  # fmt: skip
    """Those who see only some councils see the operations that reach no others."""
    councils, behind = scope_of(user, council=None), checked(cursor)
    found = await room.deps.store.read(
        lambda connection: bulk.page(connection, councils=councils, state=state, cursor=behind, limit=limit)
    )
    now = room.deps.clock()
    items = [account.operation(row, {}, now=now) for row in found.items]
    return page(request, items, following=found.next, base=room.base)


@router.get(
    "/v1/operations/{operation}", summary="One of them: how far it is, and why it stopped",
    responses={200: {"model": WholeOperation}},
)  # fmt: skip
async def get_operation(operation: str, user: Viewer, room: RoomOf) -> Response:
    return as_json(await _whole(await room.deps.bulk.show(_id(operation), actor=user), room))


@router.get(
    "/v1/operations/{operation}/items", summary="The account of every item, in the order of the list",
    responses={200: {"model": Page[ItemBody]}},
)  # fmt: skip
async def list_operation_items(
    operation: str, request: Request, user: Viewer, room: RoomOf, state: ItemState | None = None,
    limit: Limit = LIMIT, cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:  # fmt: skip
    found = await room.deps.bulk.items(_id(operation), actor=user, state=state, behind=_position(cursor), limit=limit)
    return page(request, [account.item(row) for row in found.items], following=found.next, base=room.base)


@router.post("/v1/operations/{operation}/start", summary="Let it run", responses={200: {"model": WholeOperation}})
async def start_operation(operation: str, user: Operator, room: RoomOf) -> Response:
    """One that includes the unsafe is started by another person than its author, who may approve."""
    return as_json(await _whole(await room.deps.bulk.start(_id(operation), actor=user), room))


@router.post(
    "/v1/operations/{operation}/pause", summary="Release nothing more for now",
    responses={200: {"model": WholeOperation}}, openapi_extra=_BECAUSE,
)  # fmt: skip
async def pause_operation(operation: str, request: Request, user: Operator, room: RoomOf) -> Response:
    """At once for what is not released; what was goes on to its end."""
    words = await said(request, Because)
    return as_json(await _whole(await room.deps.bulk.pause(_id(operation), actor=user, reason=words.reason), room))


@router.post("/v1/operations/{operation}/resume", summary="Go on", responses={200: {"model": WholeOperation}})
async def resume_operation(operation: str, user: Operator, room: RoomOf) -> Response:
    """Where a canary failed, a new one goes first."""
    return as_json(await _whole(await room.deps.bulk.resume(_id(operation), actor=user), room))


@router.post(
    "/v1/operations/{operation}/cancel", summary="Release nothing more, ever",
    responses={200: {"model": WholeOperation}}, openapi_extra=_BECAUSE,
)  # fmt: skip
async def cancel_operation(operation: str, request: Request, user: Operator, room: RoomOf) -> Response:
    """What was released is not taken back; the account follows it to its end."""
    words = await said(request, Because)
    return as_json(await _whole(await room.deps.bulk.cancel(_id(operation), actor=user, reason=words.reason), room))


def _id(name: str) -> str:
    if not is_id(name):
        raise NotThere(_ABSENT)
    return name


def _position(cursor: str | None) -> int:
    """The position that a cursor stands for. Raises Invalid for what this hub never handed out."""
    if cursor is None:
        return 0
    text = key_of(cursor)
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        fault = ("#/query/cursor", "Use the `next` of the page before, unchanged.")
        raise Invalid([fault], "The cursor is not one that this hub handed out.")
    return int(text)


async def _whole(row: Any, room: Room) -> dict[str, Any]:
    names = list(row.counts or {})
    places = await room.deps.store.read(lambda connection: bulk_items.places(connection, names))
    return account.whole(row, places, now=room.deps.clock())
