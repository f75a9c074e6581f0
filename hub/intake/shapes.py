"""The JSON that leaves intake, written down for readers and for OpenAPI."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from hub.model import (
    DeliveryKind,
    Outcome,
    Phase,
    ReceivedState,
    ReplaySafety,
    StepKind,
    StepState,
    SubmissionStatus,
    Trigger,
    WaitReason,
)

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


class BatchItem(AcceptedBody):
    """It is durable now, as if it had come alone."""

    http_status: Literal[202]
    replayed: bool = Field(description="This is the first answer to its `idempotency_key` again.")


class BatchProblem(ProblemBody):
    """It was not taken, and no other item minds."""

    http_status: int


class BatchBody(BaseModel):
    """One answer for each item, in the order in which they came."""

    items: list[BatchItem | BatchProblem]


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


class FollowUpBody(BaseModel):
    """Something that was said of a submission afterwards, and where it is on its way to each system."""

    id: str
    kind: Literal["comment", "cancel", "evidence"]
    status: SubmissionStatus = Field(
        description="`needs_attention`: a system cannot be told, or did not take it; staff tell the council."
    )
    received_at: datetime
    deliveries: list[DeliveryState]


class FollowedUpBody(FollowUpBody):
    """It is durable now: nothing can lose it."""

    submission: str = Field(description="Its id.")
    reference: Reference
    warnings: list[Remark]
    links: dict[str, str]


class UploadedBody(BaseModel):
    """A file that is durable and waits for the submission that names it."""

    id: str = Field(description="Name it in `attachments: [{id}]`.")
    name: str = Field(description="As it travels on: what you called it, made safe.")
    media_type: str = Field(description="What its bytes say that it is.")
    size: int
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    expires_at: datetime = Field(description="Forgotten then, unless a submission names it before.")


class StatusBody(BaseModel):
    """Where a submission is now. `final` speaks of the hub's job, `case_status` of the council's."""

    id: str
    reference: Reference
    front_end_reference: str | None
    council: str
    service: str | None = Field(description="Null only for a form that no profile can read yet.")
    version: int | None = Field(default=None, description="Of its contract; absent for a form that is no submission.")
    status: SubmissionStatus
    final: bool
    case_status: str | None
    received_at: datetime
    due_by: date | None = None
    warnings: list[Remark]
    deliveries: list[DeliveryState]
    updates: list[Update]
    follow_ups: list[FollowUpBody] = Field(description="What you said of it afterwards; empty in lists.")
    why: list[str] | None = Field(default=None, description="For staff alone: why it went nowhere, or is parked.")


class ChangeBody(BaseModel):
    version: int
    about: str


class ServiceBody(BaseModel):
    code: str
    title: str
    description: str
    version: int = Field(description="The newest.")
    versions: list[int] = Field(description="Each is taken, by every council that takes the service.")
    changes: list[ChangeBody] = Field(description="What each version changed against the one before.")
    lgsl: list[int] = Field(description="Ids in the Local Government Service List.")
    schema_: str = Field(
        alias="schema", description="Where its JSON Schema 2020-12 is: the newest, or `?version=` any other."
    )


class CouncilBody(BaseModel):
    slug: str
    name: str
    gss: str
    services: list[str] = Field(description="The codes of the services that it takes.")


class StaffDelivery(DeliveryState):
    """A delivery with what staff need to find and mend it."""

    kind: DeliveryKind
    council: str
    service: str
    submission: str = Field(description="Its id.")
    submission_reference: Reference
    joined: bool = Field(description="It met a case that was there before and is not provably ours.")
    attempts_used: int = Field(description="Of those that are retried by themselves.")
    fault_code: str | None
    reason: str | None = Field(description="A person's, for discarding or resolving it.")
    created_at: datetime


class AttemptBody(BaseModel):
    """One try. What was sent and answered is personal and is not in it."""

    id: str
    step: int = Field(description="The position of the step that was tried.")
    trigger: Trigger
    actor: str | None
    phase: Phase
    outcome: Outcome | None
    fault_code: str | None
    failure: str | None = Field(description="What went wrong and where, in codes: the title of its group.")
    group: str | None = Field(description="Its group in `GET /v1/groups`.")
    replay_safety: ReplaySafety
    mapping_generation: int
    started_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    evidence: bool = Field(description="Whether what was sent and answered is kept.")


class StepBody(BaseModel):
    """One part of a delivery: what is claimed, sent and retried by itself."""

    position: int
    kind: StepKind
    file: int | None = Field(description="Which file of this delivery it is; names are personal.")
    state: StepState
    attempts_used: int
    reason: str | None = Field(description="A person's, for discarding or resolving it.")
    updated_at: datetime


class DeliveryWithAttempts(StaffDelivery):
    steps: list[StepBody]
    attempts: list[AttemptBody]  # type: ignore[assignment]  # the tries themselves where lists give their number


class PausedBody(BaseModel):
    at: datetime
    by: str
    reason: str | None


class DestinationBody(BaseModel):
    id: str = Field(description='"council/name"')
    council: str
    name: str
    connector: str
    concurrency: int
    per_second: float | None
    paused: PausedBody | None
    probe_at: datetime | None = Field(description="When the hub looks whether it is well again.")
    breaker: str
    breaker_until: datetime | None
    last_served: datetime | None


class GroupBody(BaseModel):
    group: str = Field(description="Names it in GET /v1/deliveries?group=")
    destination: str
    title: str
    fault_code: str
    state: str
    count: int
    waiting: int = Field(description="How many of its deliveries need a person now, counted up to 1,000.")
    first_at: datetime
    last_at: datetime


class ReceivedBody(BaseModel):
    id: str
    reference: str
    council: str
    format: str
    profile: str
    state: ReceivedState
    why: str | None = Field(description="Of a parked one: file, line, leaf and field; never what a resident wrote.")
    received_at: datetime


class ActBody(BaseModel):
    id: str
    at: datetime
    actor: str
    verb: str
    council: str | None
    subject: str
    reason: str | None
    detail: dict[str, Any] | None


Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """A list, one page of it."""

    items: list[Item]
    next: str | None = Field(description="The cursor of the next page; null on the last.")
