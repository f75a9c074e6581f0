"""Deliveries for staff: listed, looked at, and moved by a person's word."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, field_validator, model_validator
from sqlalchemy import Connection

from hub.errors import NotThere
from hub.intake import views
from hub.intake.deps import Room, room_of
from hub.intake.naming import id_or_our_reference, is_id, printable
from hub.intake.ops.spoken import Because, Replay, Resolve, body_of, said
from hub.intake.ops.staff import Operator, Viewer, scope_of
from hub.intake.paging import LIMIT, MOST, as_json, checked, page
from hub.intake.shapes import DeliveryWithAttempts, Page, StaffDelivery
from hub.intake.taking import LONDON
from hub.model import StepState, User
from hub.store import deliveries
from hub.store.deliveries import AttemptView, DeliveryFilter, StepView
from hub.store.submissions import DeliveryView

router = APIRouter()

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

_ABSENT = "There is no delivery with that id in your councils; GET /v1/deliveries lists those there are."


_ONE_STATE = "|".join(StepState)
STATES_IN_WORDS = {"type": "string", "pattern": f"^({_ONE_STATE})(,({_ONE_STATE}))*$"}
States = Annotated[list[StepState], WithJsonSchema({"type": "array", "items": STATES_IN_WORDS})]


class Which(BaseModel):
    """What deliveries have in common. A filter that does not exist is refused: it would silently filter nothing."""

    model_config = ConfigDict(extra="forbid")

    state: States = Field(default=[], description="Several may be given, repeated or with commas.")
    council: str | None = Field(default=None, max_length=64)
    destination: str | None = Field(
        default=None, max_length=129, description='"council/name", or with `council` the name alone'
    )
    service: str | None = Field(default=None, max_length=64)
    group: str | None = Field(default=None, pattern="^[0-9a-f]{64}$", description="A group of GET /v1/groups.")
    submission: str | None = Field(default=None, description="The id of a submission.")
    since: datetime | None = Field(default=None, description="Made at this time or later; without a zone, London's.")
    until: datetime | None = Field(default=None, description="Made before this time.")
    q: str | None = Field(
        default=None, max_length=120, description="A reference: the hub's, the council's or the front end's."
    )

    @field_validator("state", mode="before")
    @classmethod
    def _with_commas(cls, value: Any) -> Any:
        return [part for one in value for part in str(one).split(",")] if isinstance(value, list) else value

    @field_validator("council", "destination", "service", "q")
    @classmethod
    def _printable(cls, value: str | None) -> str | None:
        return printable(value)

    @field_validator("submission")
    @classmethod
    def _an_id(cls, value: str | None) -> str | None:
        if value is not None and not is_id(value):
            raise ValueError("Send the id of a submission.")
        return value

    @field_validator("since", "until", mode="before")
    @classmethod
    def _written_out(cls, value: Any) -> Any:
        # Pydantic takes a number for seconds since 1970: a year or a day that was meant would filter nothing.
        if value is None or isinstance(value, datetime) or (isinstance(value, str) and _DAY.match(value)):
            return value
        raise ValueError("Send a time as 2026-11-23T09:30:00Z.")

    @field_validator("since", "until")
    @classmethod
    def _with_a_zone(cls, value: datetime | None) -> datetime | None:
        if value is None:
            return None
        try:
            return (value if value.tzinfo else value.replace(tzinfo=LONDON)).astimezone(UTC)
        except OverflowError:
            raise ValueError("Send a time between the years 2 and 9998.") from None

    @model_validator(mode="after")
    def _a_whole_destination(self) -> Self:
        if self.destination and "/" not in self.destination and not self.council:
            raise ValueError("Send `destination` as council/name, or send `council` too.")
        return self

    def filter_for(self, user: User) -> DeliveryFilter:
        named = self.destination
        return DeliveryFilter(
            state=tuple(self.state),
            councils=scope_of(user, council=self.council),
            destination=named if not named or "/" in named else f"{self.council}/{named}",
            service=self.service,
            group=bytes.fromhex(self.group) if self.group else None,
            submission=self.submission,
            since=self.since,
            until=self.until,
            q=self.q,
        )


class DeliveryQuery(Which):
    """Those of them that stand on one page."""

    issues: bool = Field(default=False, description="Only those of which a later part (a file) needs a person.")
    cursor: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=LIMIT, ge=1, le=MOST)


RoomOf = Annotated[Room, Depends(room_of)]


@router.get(
    "/v1/deliveries",
    summary="Deliveries that have something in common, the newest first",
    responses={200: {"model": Page[StaffDelivery]}},
)
async def list_deliveries(
    request: Request, user: Viewer, room: RoomOf, query: Annotated[DeliveryQuery, Query()]
) -> Response:
    wanted, cursor = replace(query.filter_for(user), issues=query.issues), checked(query.cursor)
    found = await room.deps.store.read(
        lambda connection: deliveries.page(connection, wanted, cursor=cursor, limit=query.limit)
    )
    now = room.deps.clock()
    items = [views.delivery_for_staff(view, now=now) for view in found.items]
    return page(request, items, following=found.next, base=room.base)


@router.get(
    "/v1/deliveries/{delivery}",
    summary="One delivery with all its steps and attempts",
    responses={200: {"model": DeliveryWithAttempts}},
)
async def get_delivery(delivery: str, user: Viewer, room: RoomOf) -> Response:
    """By its id, or by what its destination was given. Holds no personal data: bodies have an address of their own."""
    known = id_or_our_reference(delivery)
    if known is None:
        raise NotThere(_ABSENT)

    def look(connection: Connection) -> tuple[DeliveryView, list[StepView], list[AttemptView]]:
        view = deliveries.get(connection, known)
        return view, deliveries.steps(connection, view.id), deliveries.attempts(connection, view.id)

    view, steps, attempts = await room.deps.store.read(look)
    if not user.sees(view.council):
        raise NotThere(_ABSENT)
    body = views.delivery_for_staff(view, now=room.deps.clock())
    # Here the tries themselves stand where lists give their number.
    return as_json({**body, "steps": views.steps(steps), "attempts": [views.attempt(one) for one in attempts]})


@router.post(
    "/v1/deliveries/{delivery}/replay",
    summary="Queue it again",
    responses={200: {"model": StaffDelivery}},
    openapi_extra=body_of(Replay, {"reason": "The mapping was mended."}, required=False),
)
async def replay(delivery: str, request: Request, user: Operator, room: RoomOf) -> Response:
    """Dead: queued with attempts reset. Queued: due now. Discarded: queued, with a reason. Delivered: only as
    `new_case` with a reason, and a second person where the destination would take it twice. Else 409."""
    words = await said(request, Replay)
    done = await room.deps.operations.replay(_id(delivery), actor=user, reason=words.reason, new_case=words.new_case)
    return _now(done.delivery, room)


@router.post(
    "/v1/deliveries/{delivery}/discard",
    summary="Set it aside, with a reason",
    responses={200: {"model": StaffDelivery}},
    openapi_extra=body_of(Because, {"reason": "The resident rang: it was collected."}),
)
async def discard(delivery: str, request: Request, user: Operator, room: RoomOf) -> Response:
    words = await said(request, Because)
    done = await room.deps.operations.discard(_id(delivery), actor=user, reason=words.reason)
    return _now(done.delivery, room)


@router.post(
    "/v1/deliveries/{delivery}/resolve",
    summary="Say what became of an unclear one",
    responses={200: {"model": StaffDelivery}},
    openapi_extra=body_of(Resolve, {"outcome": "delivered", "reference": "WS-1093", "reason": "Seen in Whitespace."}),
)
async def resolve(delivery: str, request: Request, user: Operator, room: RoomOf) -> Response:
    words = await said(request, Resolve)
    done = await room.deps.operations.resolve(
        _id(delivery), outcome=words.outcome, actor=user, reason=words.reason, reference=words.reference
    )
    return _now(done.delivery, room)


def _id(name: str) -> str:
    # Verbs take ids alone: two destinations may have been given the same reference.
    if not is_id(name):
        raise NotThere(_ABSENT)
    return name


def _now(view: DeliveryView, room: Room) -> Response:
    return as_json(views.delivery_for_staff(view, now=room.deps.clock()))
