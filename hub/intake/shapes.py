"""The JSON that leaves intake, written down for readers and for OpenAPI."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from hub.model import StepState, SubmissionStatus, WaitReason

Reference = Annotated[
    str,
    Field(
        pattern="^[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}$",
        examples=["K7QM-2XVD"],
        description="Made by the hub, random and not personal; what a resident is told.",
    ),
]
Pointer = Annotated[
    str,
    Field(description="RFC 6901, as a URI fragment.", examples=["#/details/containers/0/waste_type"]),
]


class Remark(BaseModel):
    """Something to know about a submission that was taken all the same."""

    pointer: Pointer
    message: str


class Fault(BaseModel):
    """One thing that is wrong with the request."""

    pointer: Pointer
    message: str


class ProblemBody(BaseModel):
    """RFC 9457. `code` is stable and names a page of its own at `type`."""

    type: str = Field(examples=["https://hub.example/problems/invalid"])
    title: str
    status: int
    detail: str = Field(description="What to do next.")
    instance: str = Field(description="This occurrence; the same id stands in the hub's log.")
    code: str
    errors: list[Fault] | None = Field(default=None, description="Every fault at once, for a request of wrong form.")


class Links(BaseModel):
    self: str
    service: str
    council: str


class AcceptedBody(BaseModel):
    """It is durable now: nothing can lose it."""

    id: str
    reference: Reference
    status: SubmissionStatus
    council: str = Field(description="The council's slug.")
    service: str
    received_at: datetime
    warnings: list[Remark]
    links: Links


class WaitingBody(BaseModel):
    reason: WaitReason
    until: datetime | None
    text: str


class DeliveryState(BaseModel):
    """One delivery of a submission to one of the council's systems."""

    id: str
    destination: str
    connector: str
    state: StepState
    reference: str | None = Field(description="The council's own; null until it is known.")
    our_reference: str = Field(description="What the council's system was given.")
    attempts: int
    waiting: WaitingBody | None
    issues: list[Any] = Field(description="Later steps (a photo, a note) that need a person.")
    updated_at: datetime


class Update(BaseModel):
    at: datetime
    status: str
    text: str | None = None


class StatusBody(BaseModel):
    """Where a submission is now. `final` speaks of the hub's job, `case_status` of the council's."""

    id: str
    reference: Reference
    front_end_reference: str | None
    council: str
    service: str
    status: SubmissionStatus
    final: bool
    case_status: str | None
    received_at: datetime
    due_by: date | None = None
    warnings: list[Remark]
    deliveries: list[DeliveryState]
    updates: list[Update]


class ServiceBody(BaseModel):
    code: str
    title: str
    description: str
    version: int = Field(description="The newest.")
    versions: list[int]
    lgsl: list[int] = Field(description="Ids in the Local Government Service List.")
    schema_: str = Field(alias="schema", description="Where its JSON Schema 2020-12 is.")


class CouncilBody(BaseModel):
    slug: str
    name: str
    gss: str
    services: list[str] = Field(description="The codes of the services that it takes.")


class Page(BaseModel):
    items: list[Any]
    next: str | None = Field(description="The cursor of the next page; null on the last.")


class ServicesBody(Page):
    items: list[ServiceBody]


class CouncilsBody(Page):
    items: list[CouncilBody]
