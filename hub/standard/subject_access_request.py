"""Subject access request: what the council holds about somebody, and what they may ask to be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from hub.model import Warning
from hub.standard.attachment import DOT, Refs, unattached
from hub.standard.contact import Contact
from hub.standard.envelope import Envelope
from hub.standard.fields import Clock, Day, Exactly, Maybe, Str80, Str200, Str300, Str500, Str5000
from hub.standard.labels import Personal, optional, required
from hub.standard.part import Part
from hub.standard.place import Property
from hub.standard.rules import NotBefore, Rule, Within
from hub.standard.service import Example, Service
from hub.standard.wording import ANSWERABLE, AT_HOME, in_future

OF_AGE = 18
#: How long recordings of cameras are usually kept.
CCTV_KEPT = timedelta(days=31)


class Subject(StrEnum):
    """Whose data it is."""

    SELF = "self"
    CHILD = "child"
    OTHER_WITH_AUTHORITY = "other_with_authority"


class Right(StrEnum):
    """What is asked for; all of these have one month by law."""

    ACCESS = "access"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    PORTABILITY = "portability"
    OBJECTION = "objection"


class ReplyBy(StrEnum):
    EMAIL = "email"
    SECURE_PORTAL = "secure_portal"
    POST = "post"
    COLLECT = "collect"


DATA_PROTECTION = 826


class Lived(Part):
    """A home of the person, to find their records by."""

    property: Property = required("Home", "Cartref", example={"uprn": "100012345678"}, personal=Personal.SENSITIVE)
    # `from` is a word of Python's own, so it cannot be declared as the others are.
    __annotations__["from"] = "Maybe[Day]"
    vars()["from"] = optional("From", "O", example="2019-04-01", personal=Personal.SENSITIVE)
    to: Maybe[Day] = optional("Until", "Hyd", example="2024-09-30", personal=Personal.SENSITIVE)

    rules: ClassVar[tuple[Rule, ...]] = (Within("property", (AT_HOME,)), NotBefore("to", "from"))


PreviousNames = Annotated[list[Str200], Field(max_length=20)]
Homes = Annotated[list[Lived], Field(max_length=20)]
Areas = Annotated[list[Str80], Field(max_length=50)]


class SubjectDetails(Part):
    """The person whose data it is, so that the right records are found and no others."""

    full_name: Str200 = required("Full name", "Enw llawn", example="Sam Example", personal=Personal.SENSITIVE)
    previous_names: Maybe[PreviousNames] = optional(
        "Earlier names", "Enwau blaenorol", example=["Sam Sample"], personal=Personal.SENSITIVE
    )
    date_of_birth: Maybe[Day] = optional(
        "Date of birth", "Dyddiad geni", example="1984-05-17", personal=Personal.SENSITIVE
    )
    addresses: Maybe[Homes] = optional(
        "Homes",
        "Cartrefi",
        example=[{"property": {"uprn": "100012345678"}, "to": "2024-09-30"}],
        personal=Personal.SENSITIVE,
    )


class Cctv(Part):
    """Where and when somebody was filmed."""

    date: Day = required("Day", "Diwrnod", example="2026-03-02")
    time_from: Maybe[Clock] = optional("From", "O", example="14:30")
    time_to: Maybe[Clock] = optional("Until", "Hyd", example="15:00", about="Before `time_from` it is of the next day.")
    location: Str300 = required(
        "Where the camera is", "Ble mae'r camera", example="Town hall entrance", personal=Personal.SENSITIVE
    )
    appearance: Maybe[Str500] = optional(
        "How to know the person", "Sut i adnabod y person", example="Red coat", personal=Personal.SENSITIVE
    )


class Details(Part):
    """What is asked, and about whom. When it is due is the hub's to say, never the front end's."""

    right: Right = optional("Right", "Hawl", example="access", default=Right.ACCESS)
    subject: Subject = required("Whose data", "Data pwy", example="self")
    subject_details: SubjectDetails = required(
        "The person", "Y person", example={"full_name": "Sam Example"}, personal=Personal.SENSITIVE
    )
    information_wanted: Str5000 = required(
        "Information asked for",
        "Yr wybodaeth y gofynnir amdani",
        example="Everything on my housing application.",
        personal=Personal.SENSITIVE,
    )
    service_areas: Maybe[Areas] = optional(
        "Services that may hold it",
        "Gwasanaethau a all ei chadw",
        example=["Housing"],
        personal=Personal.SENSITIVE,
        about="In the council's own words.",
    )
    date_from: Maybe[Day] = optional("About the time from", "Ynghylch y cyfnod o", example="2025-01-01")
    date_to: Maybe[Day] = optional("About the time to", "Ynghylch y cyfnod hyd", example="2025-12-31")
    identity_evidence: Maybe[Refs] = optional(
        "Proof of identity",
        "Prawf adnabod",
        example=["passport.png"],
        personal=Personal.SENSITIVE,
        about="The `id` or `name` of each, which stands in `attachments`.",
    )
    authority_evidence: Maybe[Refs] = optional(
        "Proof of authority",
        "Prawf awdurdod",
        example=["power-of-attorney.pdf"],
        personal=Personal.SENSITIVE,
        about="The `id` or `name` of each, which stands in `attachments`.",
    )
    reply_by: ReplyBy = required("How to answer", "Sut i ateb", example="email")
    cctv: Maybe[Cctv] = optional(
        "CCTV",
        "Teledu cylch cyfyng",
        example={"date": "2026-03-02", "location": "Town hall entrance"},
        personal=Personal.SENSITIVE,
    )

    rules: ClassVar[tuple[Rule, ...]] = (NotBefore("date_to", "date_from"),)

    def remarks(self, *, today: date) -> list[Warning]:
        born = self.subject_details.date_of_birth
        found = in_future("#/details/subject_details/date_of_birth", born, today=today)
        if self.subject is Subject.CHILD and born is not None and _age(born, today=today) >= OF_AGE:
            do = "This person is of age; ask for `authority_evidence`, and send `other_with_authority`."
            found.append(Warning(pointer="#/details/subject", message=do))
        found += in_future("#/details/date_from", self.date_from, today=today)
        return found + self._of_cctv(today=today)

    def _of_cctv(self, *, today: date) -> list[Warning]:
        if self.cctv is None:
            return []
        found = in_future("#/details/cctv/date", self.cctv.date, today=today)
        if today - self.cctv.date > CCTV_KEPT:
            do = "Recordings more than 31 days old are seldom still held; say so to the resident."
            found.append(Warning(pointer="#/details/cctv/date", message=do))
        return found


def _age(born: date, *, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


class SubjectAccessRequest(Envelope):
    """A request about somebody's own data, by them or for them, with a name and an address for the answer."""

    service: Literal["subject-access-request"] = required("Service", "Gwasanaeth", example="subject-access-request")
    version: Annotated[int, Exactly(1)] = required(
        "Version of the service's contract", "Fersiwn contract y gwasanaeth", example=1
    )
    contact: Contact = required(
        "Contact", "Cyswllt", example={"full_name": "Alex Example", "email": "alex@example.org"}
    )
    details: Details = required(
        "Details",
        "Manylion",
        example={
            "subject": "self",
            "subject_details": {"full_name": "Alex Example"},
            "information_wanted": "Everything on my housing application.",
            "reply_by": "email",
        },
    )

    rules: ClassVar[tuple[Rule, ...]] = (Within("contact", ANSWERABLE),)

    def remarks(self, *, today: date) -> list[Warning]:
        found = super().remarks(today=today) + self._of_the_answer()
        for name in ("identity_evidence", "authority_evidence"):
            found += unattached(f"#/details/{name}", getattr(self.details, name), self.attachments)
        return found

    def _of_the_answer(self) -> list[Warning]:
        # Never a fault: the law knows no form for such a request, so it must not fail over one.
        needed = {ReplyBy.EMAIL: "email", ReplyBy.POST: "address"}.get(self.details.reply_by)
        if needed is None or getattr(self.contact, needed) is not None:
            return []
        do = f"The answer is to go there, so ask for `contact.{needed}`."
        return [Warning(pointer="#/details/reply_by", message=do)]


def _lgsl(data: Mapping[str, Any]) -> tuple[int, ...]:
    return (DATA_PROTECTION,)


_TODAY = date(2026, 3, 10)

GOOD = (
    Example(
        why="The least that is taken: somebody asks for their own data, by email.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "subject-access-request",
            "version": 1,
            "contact": {"full_name": "Alex Example", "email": "alex@example.org"},
            "details": {
                "subject": "self",
                "subject_details": {"full_name": "Alex Example"},
                "information_wanted": "Everything on my housing application.",
                "reply_by": "email",
            },
        },
    ),
    Example(
        why="A solicitor asks for a client, with proof of both, every earlier name and home, and a camera.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "subject-access-request",
            "version": 1,
            "channel": "staff",
            "contact": {
                "first_name": "Jo",
                "last_name": "Example",
                "organisation": "Example Solicitors",
                "email": "jo@example.org",
                "address": {"lines": ["3 Market Place"], "town": "Northborough", "postcode": "NB1 2CD"},
            },
            "on_behalf_of": {"full_name": "Sam Example", "relationship": "client", "has_authority": True},
            "attachments": [
                {"name": "passport.png", "media_type": "image/png", "content_base64": DOT},
                {"name": "authority.png", "media_type": "image/png", "content_base64": DOT},
            ],
            "details": {
                "right": "access",
                "subject": "other_with_authority",
                "subject_details": {
                    "full_name": "Sam Example",
                    "previous_names": ["Sam Sample"],
                    "date_of_birth": "1984-05-17",
                    "addresses": [
                        {"property": {"uprn": "100012345678"}, "from": "2019-04-01", "to": "2024-09-30"},
                        {"property": {"address": {"lines": ["1 High Street"], "postcode": "nb12cd"}}},
                    ],
                },
                "information_wanted": "The housing file, and the recording of the visit to the town hall.",
                "service_areas": ["Housing", "Customer services"],
                "date_from": "2025-01-01",
                "date_to": "2025-12-31",
                "identity_evidence": ["passport.png"],
                "authority_evidence": ["authority.png"],
                "reply_by": "post",
                "cctv": {
                    "date": "2026-03-02",
                    "time_from": "14:30",
                    "time_to": "15:00",
                    "location": "Town hall entrance",
                    "appearance": "Red coat",
                },
            },
        },
    ),
    Example(
        why="In Welsh, for a child who is of age by now, a camera of long ago, proof not sent: taken, with warnings.",
        today=_TODAY,
        pointers=(
            "#/details/subject",
            "#/details/cctv/date",
            "#/details/reply_by",
            "#/details/identity_evidence/0",
        ),
        body={
            "council": "E07000999",
            "service": "subject-access-request",
            "version": 1,
            "language": "cy",
            "contact": {"full_name": "Siân Ŵyn", "address": {"lines": ["Tŷ Gwyn", "Lôn y Felin"]}},
            "details": {
                "right": "erasure",
                "subject": "child",
                "subject_details": {"full_name": "Gwyn Esiampl", "date_of_birth": "2005-01-05"},
                "information_wanted": "Dilëwch y recordiad o'r llyfrgell. \N{VIDEO CAMERA}",
                "identity_evidence": ["pasbort.jpg"],
                "reply_by": "email",
                "cctv": {"date": "2025-12-01", "time_from": "23:30", "time_to": "00:15", "location": "Y llyfrgell"},
            },
        },
    ),
)

BAD = (
    Example(
        why="Nobody may ask anonymously, and nothing says whose data it is or what is wanted.",
        today=_TODAY,
        pointers=(
            "#/contact",
            "#/contact/anonymous",
            "#/details/subject",
            "#/details/subject_details",
            "#/details/information_wanted",
        ),
        body={
            "council": "northborough",
            "service": "subject-access-request",
            "version": 1,
            "contact": {"anonymous": True},
            "details": {"reply_by": "email"},
        },
    ),
    Example(
        why="A telephone alone cannot be answered in writing, the due date is the hub's, and the times run backwards.",
        today=_TODAY,
        pointers=("#/contact", "#/details/due_date", "#/details/date_to", "#/details/reply_by"),
        body={
            "council": "northborough",
            "service": "subject-access-request",
            "version": 1,
            "contact": {"full_name": "Alex Example", "phone": "07700 900123"},
            "details": {
                "subject": "self",
                "subject_details": {"full_name": "Alex Example"},
                "information_wanted": "Everything on my housing application.",
                "date_from": "2025-12-31",
                "date_to": "2025-01-01",
                "due_date": "2026-04-10",
                "reply_by": "fax",
            },
        },
    ),
    Example(
        why="A home that nobody can find, left before it was moved into, and an hour that no day has.",
        today=_TODAY,
        pointers=(
            "#/details/subject_details/full_name",
            "#/details/subject_details/addresses/0/property",
            "#/details/subject_details/addresses/0/to",
            "#/details/cctv/time_from",
            "#/details/cctv/location",
        ),
        body={
            "council": "northborough",
            "service": "subject-access-request",
            "version": 1,
            "contact": {"full_name": "Alex Example", "email": "alex@example.org"},
            "details": {
                "subject": "child",
                "subject_details": {
                    "addresses": [{"property": {"usrn": "20601234"}, "from": "2024-09-30", "to": "2019-04-01"}]
                },
                "information_wanted": "The school file.",
                "reply_by": "collect",
                "cctv": {"date": "2026-03-02", "time_from": "24:30"},
            },
        },
    ),
)

SERVICE = Service(
    code="subject-access-request",
    title="Subject access request",
    title_cy="Cais gwrthrych am fynediad at ddata",
    description="Somebody asks what the council holds about them, or what may be done with it.",
    versions={1: SubjectAccessRequest},
    lgsl=(DATA_PROTECTION,),
    lgsl_of=_lgsl,
    good=GOOD,
    bad=BAD,
)
