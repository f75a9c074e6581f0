"""General enquiry: a question that belongs to no other service."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from hub.model import Warning
from hub.standard.contact import Contact
from hub.standard.envelope import Envelope
from hub.standard.fields import Exactly, Maybe, Str64, Str100, Str5000
from hub.standard.labels import Personal, optional, required
from hub.standard.part import Part
from hub.standard.service import Example, Service


class Details(Part):
    """What is asked, in the resident's words."""

    topic: Str100 = required(
        "Topic", "Pwnc", example="Libraries", about="In the council's own words; its table maps them."
    )
    question: Str5000 = required(
        "Question",
        "Cwestiwn",
        example="When does the library in Mill Lane open again?",
        personal=Personal.YES,
        about="The whole text; a description is no substitute.",
    )
    reply_wanted: bool = required("Wants an answer", "Eisiau ateb", example=True)
    related_reference: Maybe[Str64] = optional("Earlier reference", "Cyfeirnod blaenorol", example="ENQ-0042")


class GeneralEnquiry(Envelope):
    """A question to the council, by somebody or by nobody who wants to be known."""

    service: Literal["general-enquiry"] = required("Service", "Gwasanaeth", example="general-enquiry")
    version: Annotated[int, Exactly(1)] = required(
        "Version of the service's contract", "Fersiwn contract y gwasanaeth", example=1
    )
    contact: Contact = required(
        "Contact",
        "Cyswllt",
        example={"full_name": "Alex Example", "email": "alex@example.org"},
        about='May be {"anonymous": true}.',
    )
    details: Details = required(
        "Details",
        "Manylion",
        example={"topic": "Libraries", "question": "When does the library open again?", "reply_wanted": True},
    )

    def remarks(self, *, today: date) -> list[Warning]:
        found = super().remarks(today=today)
        if self.details.reply_wanted and self.contact.anonymous:
            # Taken all the same: a form without this rule would lose the question over it.
            do = "An answer is wanted, and there is nobody to send it to; ask for `contact.email` or `contact.phone`."
            found.append(Warning(pointer="#/details/reply_wanted", message=do))
        return found


def _lgsl(data: Mapping[str, Any]) -> tuple[int, ...]:
    """The list has no enquiry; the nearest, 1536, is for feedback, which is a complaint's."""
    return ()


_TODAY = date(2026, 3, 10)

GOOD = (
    Example(
        why="The least that is taken: a question by somebody who wants no name known, and no answer.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "general-enquiry",
            "version": 1,
            "contact": {"anonymous": True},
            "details": {
                "topic": "Libraries",
                "question": "Have you thought of opening on Sundays?",
                "reply_wanted": False,
            },
        },
    ),
    Example(
        why="A second question about the same thing, to be answered by post.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "general-enquiry",
            "version": 1,
            "front_end_reference": "NB-2026-00211",
            "contact": {
                "full_name": "Alex Example",
                "address": {"lines": ["1 High Street"], "town": "Northborough", "postcode": "NB1 2CD"},
                "preferred": "post",
            },
            "property": {"uprn": "100012345678"},
            "description": "There is a notice on the door.",
            "accessibility_needs": "Large print",
            "details": {
                "topic": "Libraries",
                "question": "When does the library in Mill Lane open again?\nThe notice gives no date.",
                "reply_wanted": True,
                "related_reference": "ENQ-0042",
            },
        },
    ),
    Example(
        why="In Welsh, an answer wanted by nobody who can be answered: taken, with a warning.",
        today=_TODAY,
        pointers=("#/details/reply_wanted",),
        body={
            "council": "northborough",
            "service": "general-enquiry",
            "version": 1,
            "channel": "face_to_face",
            "language": "cy",
            "contact": {"anonymous": True},
            "details": {
                "topic": "Llyfrgelloedd",
                "question": "Pryd fydd y llyfrgell ar agor? \N{BOOKS}",
                "reply_wanted": True,
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
            "service": "general-enquiry",
            "version": 1,
            "details": {"topic": "Libraries", "question": "When do you open?", "reply_wanted": False},
        },
    ),
    Example(
        why="A name that cannot be answered, and a question that was put into `description`.",
        today=_TODAY,
        pointers=("#/contact", "#/details/question", "#/details/reply_wanted"),
        body={
            "council": "northborough",
            "service": "general-enquiry",
            "version": 1,
            "contact": {"full_name": "Alex Example"},
            "description": "When does the library open again?",
            "details": {"topic": "Libraries", "reply_wanted": "yes"},
        },
    ),
    Example(
        why="Anonymous and yet with an email address, a topic of two, and a reference that is a number.",
        today=_TODAY,
        pointers=("#/contact/email", "#/details/topic", "#/details/related_reference"),
        body={
            "council": "northborough",
            "service": "general-enquiry",
            "version": 1,
            "contact": {"anonymous": True, "email": "alex@example.org"},
            "details": {
                "topic": ["Libraries", "Parks"],
                "question": "When do you open?",
                "reply_wanted": True,
                "related_reference": 42,
            },
        },
    ),
)

SERVICE = Service(
    code="general-enquiry",
    title="General enquiry",
    title_cy="Ymholiad cyffredinol",
    description="Somebody asks the council something that belongs to no other service.",
    versions={1: GeneralEnquiry},
    lgsl=(),
    lgsl_of=_lgsl,
    good=GOOD,
    bad=BAD,
)
