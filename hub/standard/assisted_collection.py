"""Assisted collection: a crew that fetches the bins of somebody who cannot put them out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from hub.model import Warning
from hub.standard.attachment import DOT, Refs, unattached
from hub.standard.envelope import Envelope
from hub.standard.fields import Day, Exactly, Maybe, Str200, Str300, Str500
from hub.standard.labels import Personal, optional, required
from hub.standard.part import Part
from hub.standard.place import Property
from hub.standard.rules import AnyOf, NotWith, Other, Rule, Within
from hub.standard.service import Example, Service
from hub.standard.wording import AT_HOME, in_past


class Action(StrEnum):
    REQUEST = "request"
    CHANGE = "change"
    CANCEL = "cancel"
    RENEW = "renew"


class ReasonCategory(StrEnum):
    """As much as a crew needs to know; what is behind it is nobody's business here."""

    PHYSICAL = "physical"
    PROPERTY = "property"
    OTHER = "other"


class Duration(StrEnum):
    THREE_MONTHS = "3_months"
    SIX_MONTHS = "6_months"
    TWELVE_MONTHS = "12_months"
    PERMANENT = "permanent"


ASSISTED_COLLECTION = 854


class Details(Part):
    """What help is wanted, and for how long. Why is a category: there is no field for medical detail."""

    action: Action = required("What to do", "Beth i'w wneud", example="request")
    reason_category: ReasonCategory = required(
        "Reason",
        "Rheswm",
        example="physical",
        personal=Personal.SENSITIVE,
        about="Of the person (`physical`) or of the home, as many steps (`property`). Ask for no medical detail.",
    )
    reason_category_other: Maybe[Str200] = optional(
        "Reason, in words",
        "Rheswm, mewn geiriau",
        example="Nobody is at home on collection days",
        personal=Personal.SENSITIVE,
        about="Not for medical detail. It may be left out with `other` too.",
    )
    duration: Maybe[Duration] = optional(
        "How long", "Am ba hyd", example="12_months", personal=Personal.YES, about="Or `end_date`, never both."
    )
    end_date: Maybe[Day] = optional(
        "Until",
        "Hyd at",
        example="2026-09-30",
        personal=Personal.YES,
        about="Or `duration`, never both. A day that has gone by is taken with a warning.",
    )
    containers_location: Str300 = required(
        "Where the containers are kept",
        "Ble cedwir y cynwysyddion",
        example="Beside the back door",
        personal=Personal.YES,
    )
    access_arrangements: Maybe[Str500] = optional(
        "How the crew gets in",
        "Sut mae'r criw yn mynd i mewn",
        example="The side gate is on the latch",
        personal=Personal.SENSITIVE,
        about="Key safes and codes belong here and nowhere else: this field is handled as sensitive.",
    )
    other_able_adult: Maybe[bool] = optional(
        "Another adult in the home could do it",
        "Gallai oedolyn arall yn y cartref ei wneud",
        example=False,
        personal=Personal.SENSITIVE,
    )
    evidence: Maybe[Refs] = optional(
        "Evidence",
        "Tystiolaeth",
        example=["letter.png"],
        personal=Personal.SENSITIVE,
        about="Each the `id` or `name` of one of the `attachments`.",
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        Other("reason_category"),
        AnyOf(("duration", "end_date"), "Add `duration` or `end_date`: it says how long the help is wanted."),
        NotWith("duration", ("end_date",)),
    )

    def remarks(self, *, today: date) -> list[Warning]:
        return in_past("#/details/end_date", self.end_date, today=today)


class AssistedCollection(Envelope):
    """Help with the bins of one home."""

    service: Literal["assisted-collection"] = required("Service", "Gwasanaeth", example="assisted-collection")
    version: Annotated[int, Exactly(1)] = required(
        "Version of the service's contract", "Fersiwn contract y gwasanaeth", example=1
    )
    property: Property = required("Property", "Eiddo", example={"uprn": "100012345678"})
    details: Details = required(
        "Details",
        "Manylion",
        example={
            "action": "request",
            "reason_category": "physical",
            "duration": "permanent",
            "containers_location": "Beside the back door",
        },
    )

    rules: ClassVar[tuple[Rule, ...]] = (Within("property", (AT_HOME,)),)

    def remarks(self, *, today: date) -> list[Warning]:
        found = super().remarks(today=today)
        return found + unattached("#/details/evidence", self.details.evidence, self.attachments)


def _lgsl(data: Mapping[str, Any]) -> tuple[int, ...]:
    return (ASSISTED_COLLECTION,)


_TODAY = date(2026, 3, 10)

GOOD = (
    Example(
        why="The least that is taken: a home by UPRN, a category and no more of it, and for good.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "assisted-collection",
            "version": 1,
            "property": {"uprn": "100012345678"},
            "details": {
                "action": "request",
                "reason_category": "physical",
                "duration": "permanent",
                "containers_location": "Beside the back door",
            },
        },
    ),
    Example(
        why="A daughter asks for her mother, with a letter, until a day in autumn.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "assisted-collection",
            "version": 1,
            "contact": {"full_name": "Alex Example", "email": "alex@example.org", "phone": "07700 900123"},
            "on_behalf_of": {"full_name": "Sam Example", "relationship": "mother", "has_authority": True},
            "property": {"uprn": "100012345678", "address": {"lines": ["1 High Street"], "postcode": "NB1 2CD"}},
            "attachments": [{"name": "letter.png", "media_type": "image/png", "content_base64": DOT}],
            "details": {
                "action": "request",
                "reason_category": "physical",
                "end_date": "2026-09-30",
                "containers_location": "Beside the back door",
                "access_arrangements": "The side gate is on the latch \N{OLD KEY}\ufe0f",
                "other_able_adult": False,
                "evidence": ["letter.png"],
            },
        },
    ),
    Example(
        why="Renewed in Welsh, to a day that has gone by, with evidence that was not sent: taken, with warnings.",
        today=_TODAY,
        pointers=("#/details/end_date", "#/details/evidence/0"),
        body={
            "council": "E07000999",
            "service": "assisted-collection",
            "version": 1,
            "channel": "phone",
            "language": "cy",
            "contact": {"full_name": "Siân Ŵyn", "phone": "01632 960001"},
            "property": {"address": {"lines": ["Tŷ Gwyn", "Lôn y Felin"], "postcode": "NB3 4EF"}},
            "details": {
                "action": "renew",
                "reason_category": "other",
                "reason_category_other": "Mae'r lôn yn rhy serth",
                "end_date": "2026-02-28",
                "containers_location": "Wrth y giât",
                "evidence": ["llythyr.pdf"],
            },
        },
    ),
)

BAD = (
    Example(
        why="Nothing says for how long, or where the containers are.",
        today=_TODAY,
        pointers=("#/details", "#/details/containers_location"),
        body={
            "council": "northborough",
            "service": "assisted-collection",
            "version": 1,
            "property": {"uprn": "100012345678"},
            "details": {"action": "request", "reason_category": "physical"},
        },
    ),
    Example(
        why="For a year and yet until a day, and words for `other` where the reason is another.",
        today=_TODAY,
        pointers=("#/details/end_date", "#/details/reason_category_other"),
        body={
            "council": "northborough",
            "service": "assisted-collection",
            "version": 1,
            "property": {"uprn": "100012345678"},
            "details": {
                "action": "change",
                "reason_category": "property",
                "reason_category_other": "Forty steps",
                "duration": "12_months",
                "end_date": "2026-09-30",
                "containers_location": "At the top of the steps",
            },
        },
    ),
    Example(
        why="A diagnosis where a category belongs, a length that there is not, and no home at all.",
        today=_TODAY,
        pointers=(
            "#/property",
            "#/details/reason_category",
            "#/details/medical_condition",
            "#/details/duration",
        ),
        body={
            "council": "northborough",
            "service": "assisted-collection",
            "version": 1,
            "details": {
                "action": "request",
                "reason_category": "arthritis",
                "medical_condition": "Arthritis in both hands",
                "duration": "2_years",
                "containers_location": "Beside the back door",
            },
        },
    ),
)

SERVICE = Service(
    code="assisted-collection",
    title="Assisted collection",
    title_cy="Casgliad â chymorth",
    description="Somebody who cannot put the bins out asks the crew to fetch them, or changes or ends that help.",
    versions={1: AssistedCollection},
    lgsl=(ASSISTED_COLLECTION,),
    lgsl_of=_lgsl,
    good=GOOD,
    bad=BAD,
)
