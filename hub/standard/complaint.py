"""Complaint: what went wrong, or right, and what would mend it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from hub.model import Warning
from hub.standard.contact import Contact
from hub.standard.envelope import Envelope
from hub.standard.fields import Day, Exactly, Maybe, Str64, Str100, Str200, Str2000, Str10000
from hub.standard.labels import Personal, optional, required
from hub.standard.part import Part
from hub.standard.service import Example, Service
from hub.standard.wording import in_future


class Kind(StrEnum):
    COMPLAINT = "complaint"
    COMPLIMENT = "compliment"
    SUGGESTION = "suggestion"
    COMMENT = "comment"


class Stage(StrEnum):
    """How far a complaint has come."""

    STAGE_1 = "stage_1"
    STAGE_2 = "stage_2"
    OMBUDSMAN_REFERRAL = "ombudsman_referral"


COMPLAINTS_PROCEDURE, FEEDBACK = 353, 1536


class Details(Part):
    """What happened, in the resident's words."""

    kind: Kind = required("Kind", "Math", example="complaint")
    stage: Maybe[Stage] = optional("Stage", "Cam", example="stage_1")
    service_area: Str100 = required(
        "Service area", "Maes gwasanaeth", example="Waste", about="In the council's own words; its table maps them."
    )
    what_happened: Str10000 = required(
        "What happened",
        "Beth ddigwyddodd",
        example="The bin was left across the drive three weeks running.",
        personal=Personal.YES,
    )
    desired_outcome: Maybe[Str2000] = optional(
        "What would put it right",
        "Beth fyddai'n unioni'r sefyllfa",
        example="Please put the bin back where it was.",
        personal=Personal.YES,
    )
    happened_on: Maybe[Day] = optional("When it happened", "Pryd y digwyddodd", example="2026-03-02")
    staff_involved: Maybe[Str200] = optional(
        "Staff involved", "Staff dan sylw", example="The driver of round 7", personal=Personal.SENSITIVE
    )
    previous_reference: Maybe[Str64] = optional("Earlier reference", "Cyfeirnod blaenorol", example="CMP-0042")
    discrimination_alleged: Maybe[bool] = optional(
        "Discrimination is alleged", "Honnir gwahaniaethu", example=False, personal=Personal.SENSITIVE
    )

    def remarks(self, *, today: date) -> list[Warning]:
        return in_future("#/details/happened_on", self.happened_on, today=today)


class Complaint(Envelope):
    """A complaint, compliment, suggestion or comment, by somebody or by nobody who wants to be known."""

    service: Literal["complaint"] = required("Service", "Gwasanaeth", example="complaint")
    version: Annotated[int, Exactly(1)] = required(
        "Version of the service's contract", "Fersiwn contract y gwasanaeth", example=1
    )
    contact: Contact = required("Contact", "Cyswllt", example={"anonymous": True}, about='May be {"anonymous": true}.')
    details: Details = required(
        "Details",
        "Manylion",
        example={"kind": "complaint", "service_area": "Waste", "what_happened": "The bin blocked the drive."},
    )


def _lgsl(data: Mapping[str, Any]) -> tuple[int, ...]:
    complained = data["details"]["kind"] == Kind.COMPLAINT
    return (COMPLAINTS_PROCEDURE if complained else FEEDBACK,)


_TODAY = date(2026, 3, 10)

GOOD = (
    Example(
        why="The least that is taken: somebody who wants no name known.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "complaint",
            "version": 1,
            "contact": {"anonymous": True},
            "details": {
                "kind": "complaint",
                "service_area": "Waste",
                "what_happened": "The bin was left across the drive three weeks running.",
            },
        },
    ),
    Example(
        why="A second-stage complaint with all that staff may need.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "complaint",
            "version": 1,
            "contact": {"full_name": "Alex Example", "email": "alex@example.org", "preferred": "email"},
            "location": {"lat": 52.6369, "long": -1.1398, "easting": 458300, "northing": 304500, "pinned": True},
            "details": {
                "kind": "complaint",
                "stage": "stage_2",
                "service_area": "Waste",
                "what_happened": "Nothing has changed since the first answer.\nThe drive was blocked again.",
                "desired_outcome": "Please put the bin back where it was.",
                "happened_on": "2026-03-02",
                "staff_involved": "The driver of round 7",
                "previous_reference": "CMP-0042",
                "discrimination_alleged": False,
            },
        },
    ),
    Example(
        why="A compliment in Welsh, dated tomorrow by mistake: taken, with a warning.",
        today=_TODAY,
        pointers=("#/details/happened_on",),
        body={
            "council": "northborough",
            "service": "complaint",
            "version": 1,
            "language": "cy",
            "contact": {"full_name": "Siân Ŵyn", "phone": "01632 960001"},
            "details": {
                "kind": "compliment",
                "service_area": "Llyfrgelloedd",
                "what_happened": "Gwasanaeth gwych! \N{CLAPPING HANDS SIGN}",
                "happened_on": "2026-03-11",
            },
        },
    ),
)

BAD = (
    Example(
        why="Without `contact`: somebody who wants no name known says so.",
        today=_TODAY,
        pointers=("#/contact",),
        body={
            "council": "northborough",
            "service": "complaint",
            "version": 1,
            "details": {"kind": "complaint", "service_area": "Waste", "what_happened": "The bin blocked the drive."},
        },
    ),
    Example(
        why="Anonymous and yet with a telephone number, a kind that there is not, and an empty account.",
        today=_TODAY,
        pointers=("#/contact/phone", "#/details/kind", "#/details/what_happened"),
        body={
            "council": "northborough",
            "service": "complaint",
            "version": 1,
            "contact": {"anonymous": True, "phone": "07700 900123"},
            "details": {"kind": "grumble", "service_area": "Waste", "what_happened": ""},
        },
    ),
    Example(
        why="Half a pair of coordinates, a truth in quotes, and words that belong in `details`.",
        today=_TODAY,
        pointers=("#/location/long", "#/details/discrimination_alleged", "#/what_happened", "#/details/what_happened"),
        body={
            "council": "northborough",
            "service": "complaint",
            "version": 1,
            "contact": {"anonymous": True},
            "location": {"lat": 52.6369},
            "what_happened": "The bin blocked the drive.",
            "details": {"kind": "complaint", "service_area": "Waste", "discrimination_alleged": "no"},
        },
    ),
)

SERVICE = Service(
    code="complaint",
    title="Complaint, compliment or suggestion",
    title_cy="Cwyn, canmoliaeth neu awgrym",
    description="Somebody tells the council what went wrong, what went well, or what could be better.",
    versions={1: Complaint},
    lgsl=(COMPLAINTS_PROCEDURE, FEEDBACK),
    lgsl_of=_lgsl,
    good=GOOD,
    bad=BAD,
)
