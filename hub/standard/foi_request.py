"""FOI request: a question that the council must answer by law."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from hub.model import Warning
from hub.standard.contact import Contact
from hub.standard.envelope import Envelope
from hub.standard.fields import Day, Exactly, Maybe, Str200, Str20000, Url
from hub.standard.labels import Personal, optional, required
from hub.standard.part import Part
from hub.standard.rules import NotBefore, Other, Rule, Within
from hub.standard.service import Example, Service
from hub.standard.wording import ANSWERABLE, in_future, unworded


class Regime(StrEnum):
    """The law that it is asked under; the council decides."""

    FOI = "foi"
    EIR = "eir"
    NOT_SURE = "not_sure"


class Format(StrEnum):
    """How the answer is wanted."""

    EMAIL = "email"
    POST = "post"
    ELECTRONIC_FILE = "electronic_file"
    INSPECT = "inspect"
    OTHER = "other"


FREEDOM_OF_INFORMATION, ENVIRONMENTAL_INFORMATION = 722, 879


class Details(Part):
    """What is asked. When it is due is the hub's to say, never the front end's."""

    regime: Regime = optional("Law", "Deddf", example="not_sure", default=Regime.NOT_SURE)
    request_text: Str20000 = required(
        "Information asked for",
        "Yr wybodaeth y gofynnir amdani",
        example="How many missed collections were reported in each ward in 2025?",
        personal=Personal.YES,
        about="The whole text; a description is no substitute.",
    )
    subject: Maybe[Str200] = optional("Subject", "Pwnc", example="Missed collections in 2025", personal=Personal.YES)
    preferred_format: Maybe[Format] = optional("Preferred format", "Fformat dewisol", example="electronic_file")
    preferred_format_other: Maybe[Str200] = optional(
        "Preferred format, in words", "Fformat dewisol, mewn geiriau", example="Audio", personal=Personal.YES
    )
    date_from: Maybe[Day] = optional("About the time from", "Ynghylch y cyfnod o", example="2025-01-01")
    date_to: Maybe[Day] = optional("About the time to", "Ynghylch y cyfnod hyd", example="2025-12-31")
    public_reply_url: Maybe[Url] = optional(
        "Where the answer is published",
        "Ble cyhoeddir yr ateb",
        example="https://foi.example.org/request/4711",
        personal=Personal.YES,
    )

    rules: ClassVar[tuple[Rule, ...]] = (Other("preferred_format"), NotBefore("date_to", "date_from"))

    def remarks(self, *, today: date) -> list[Warning]:
        found = in_future("#/details/date_from", self.date_from, today=today)
        if self.preferred_format is Format.OTHER and self.preferred_format_other is None:
            found.append(unworded("#/details/preferred_format"))
        return found


class FoiRequest(Envelope):
    """A request for information, by somebody with a name and an address for the answer."""

    service: Literal["foi-request"] = required("Service", "Gwasanaeth", example="foi-request")
    version: Annotated[int, Exactly(1)] = required(
        "Version of the service's contract", "Fersiwn contract y gwasanaeth", example=1
    )
    contact: Contact = required(
        "Contact", "Cyswllt", example={"full_name": "Alex Example", "email": "alex@example.org"}
    )
    details: Details = required("Details", "Manylion", example={"request_text": "How many bins were missed?"})

    # The Act asks for a real name and an address for the answer; an email address will do.
    rules: ClassVar[tuple[Rule, ...]] = (Within("contact", ANSWERABLE),)


def _lgsl(data: Mapping[str, Any]) -> tuple[int, ...]:
    eir = data["details"]["regime"] == Regime.EIR
    return (ENVIRONMENTAL_INFORMATION if eir else FREEDOM_OF_INFORMATION,)


_TODAY = date(2026, 3, 10)

GOOD = (
    Example(
        why="The least that is taken: a name, an email address and the question.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "foi-request",
            "version": 1,
            "contact": {"full_name": "Alex Example", "email": "alex@example.org"},
            "details": {"request_text": "How many missed collections were reported in each ward in 2025?"},
        },
    ),
    Example(
        why="By post, for an organisation, about the environment, over a stretch of time.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "foi-request",
            "version": 1,
            "channel": "staff",
            "contact": {
                "first_name": "Sam",
                "last_name": "Example",
                "organisation": "Northborough Anglers",
                "address": {"lines": ["Flat 2", "1 High Street"], "town": "Northborough", "postcode": "NB1 2CD"},
                "preferred": "post",
            },
            "details": {
                "regime": "eir",
                "subject": "Water quality",
                "request_text": "Please send every water sample taken from the canal.\n\nReadings alone will do.",
                "preferred_format": "post",
                "date_from": "2025-01-01",
                "date_to": "2025-12-31",
            },
        },
    ),
    Example(
        why="Welsh, an answer to be published, and a form of answer that the list does not have.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "foi-request",
            "version": 1,
            "language": "cy",
            "contact": {"full_name": "Siân Ŵyn", "email": "sian@example.org", "phone": "+44 1632 960001"},
            "accessibility_needs": "Sain yn hytrach na phrint",
            "details": {
                "regime": "foi",
                "request_text": "Faint o gwynion a gafwyd am gasgliadau sbwriel? \N{PAGE FACING UP}",
                "preferred_format": "other",
                "preferred_format_other": "Sain",
                "public_reply_url": "https://foi.example.org/request/4711",
            },
        },
    ),
)

BAD = (
    Example(
        why="A question without a name or an address for the answer.",
        today=_TODAY,
        pointers=("#/contact",),
        body={
            "council": "northborough",
            "service": "foi-request",
            "version": 1,
            "contact": {"phone": "07700 900123"},
            "details": {"request_text": "How many bins were missed?"},
        },
    ),
    Example(
        why="Nobody may ask anonymously, and the question itself is missing.",
        today=_TODAY,
        pointers=("#/contact", "#/contact/anonymous", "#/details/request_text"),
        body={
            "council": "northborough",
            "service": "foi-request",
            "version": 1,
            "contact": {"anonymous": True},
            "details": {"subject": "Bins"},
        },
    ),
    Example(
        why="The due date is the hub's to work out, a null is not an answer, and the times are the wrong way round.",
        today=_TODAY,
        pointers=("#/details/subject", "#/details/due_date", "#/details/date_to"),
        body={
            "council": "northborough",
            "service": "foi-request",
            "version": 1,
            "contact": {"full_name": "Alex Example", "email": "alex@example.org"},
            "details": {
                "request_text": "How many bins were missed?",
                "subject": None,
                "due_date": "2026-04-08",
                "date_from": "2025-12-31",
                "date_to": "2025-01-01",
            },
        },
    ),
)

SERVICE = Service(
    code="foi-request",
    title="Freedom of information request",
    title_cy="Cais rhyddid gwybodaeth",
    description="Somebody asks for information that the council holds.",
    versions={1: FoiRequest},
    lgsl=(FREEDOM_OF_INFORMATION, ENVIRONMENTAL_INFORMATION),
    lgsl_of=_lgsl,
    good=GOOD,
    bad=BAD,
)
