"""What all submissions share: contact, property, location, attachments."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from hub.model import Warning
from hub.standard.attachment import Attachment
from hub.standard.contact import Contact, OnBehalfOf
from hub.standard.extra import Extra
from hub.standard.fields import CouncilId, Language, Maybe, Str64, Str100, Str120, Str500, Str4000, Timestamp
from hub.standard.labels import Personal, optional, required
from hub.standard.part import Part
from hub.standard.place import Location, Property
from hub.standard.rules import NotTrue, Rule


class Channel(StrEnum):
    """How the resident came to the front end."""

    WEB = "web"
    APP = "app"
    EMAIL = "email"
    PHONE = "phone"
    FACE_TO_FACE = "face_to_face"
    STAFF = "staff"
    API = "api"


Pence = Annotated[int, Field(ge=0, le=100_000_000)]
Attachments = Annotated[list[Attachment], Field(max_length=10)]


class Payment(Part):
    """What was paid and where it can be found; never card or bank details."""

    reference: Str100 = required("Payment reference", "Cyfeirnod talu", example="pay-7f3k", personal=Personal.YES)
    provider: Maybe[Str100] = optional("Payment provider", "Darparwr taliadau", example="GOV.UK Pay")
    amount_pence: Maybe[Pence] = optional("Amount in pence", "Swm mewn ceiniogau", example=4500)
    currency: Literal["GBP"] = optional("Currency", "Arian cyfred", example="GBP", default="GBP")
    status: Maybe[Str64] = optional("Payment status", "Statws y taliad", example="success")
    paid_at: Maybe[Timestamp] = optional("Paid at", "Amser talu", example="2026-03-09T10:29:00Z")


class Declarations(Part):
    """What the resident was shown and agreed to."""

    privacy_notice_version: Maybe[Str64] = optional(
        "Privacy notice version", "Fersiwn yr hysbysiad preifatrwydd", example="2026-01"
    )
    terms_accepted: Maybe[bool] = optional("Terms accepted", "Wedi derbyn y telerau", example=True)
    marketing: Maybe[bool] = optional("Marketing", "Marchnata", example=False, about="False, if it is sent at all.")

    rules: ClassVar[tuple[Rule, ...]] = (
        NotTrue("marketing", "Send false or leave this out: asking for a service is no consent to marketing."),
    )


class Envelope(Part):
    """A submission, whatever its service; each service fixes `service`, `version` and `details`."""

    council: CouncilId = required("Council", "Cyngor", example="northborough", about="Its slug or its GSS code.")
    service: str = required("Service", "Gwasanaeth", example="missed-bin")
    version: int = required("Version of the service's contract", "Fersiwn contract y gwasanaeth", example=1)
    front_end_reference: Maybe[Str120] = optional(
        "Reference the resident was given", "Y cyfeirnod a roddwyd i'r preswylydd", example="NB-2026-00042"
    )
    submitted_at: Maybe[Timestamp] = optional(
        "Submitted at", "Amser cyflwyno", example="2026-03-09T10:30:00Z", about="The front end's own time."
    )
    channel: Channel = optional("Channel", "Sianel", example="web", default=Channel.WEB)
    language: Language = optional(
        "Language", "Iaith", example="cy", default="en", about="`en-GB` and `cy-GB` are folded to `en` and `cy`."
    )
    contact: Maybe[Contact] = optional(
        "Contact", "Cyswllt", example={"full_name": "Alex Example", "email": "alex@example.org"}
    )
    on_behalf_of: Maybe[OnBehalfOf] = optional("On behalf of", "Ar ran", example={"full_name": "Sam Example"})
    property: Maybe[Property] = optional("Property", "Eiddo", example={"uprn": "100012345678"})
    location: Maybe[Location] = optional("Location", "Lleoliad", example={"lat": 52.6369, "long": -1.1398})
    description: Maybe[Str4000] = optional(
        "Description", "Disgrifiad", example="The crew missed our side of the street.", personal=Personal.YES
    )
    attachments: Maybe[Attachments] = optional(
        "Attachments", "Atodiadau", example=[{"id": "0199f6f0-5a4b-7c3d-9e8f-0a1b2c3d4e5f"}]
    )
    payment: Maybe[Payment] = optional("Payment", "Taliad", example={"reference": "pay-7f3k"})
    declarations: Maybe[Declarations] = optional("Declarations", "Datganiadau", example={"terms_accepted": True})
    accessibility_needs: Maybe[Str500] = optional(
        "Accessibility needs", "Anghenion hygyrchedd", example="Large print", personal=Personal.SENSITIVE
    )
    details: Any = required("Details", "Manylion", example={})
    extra: Maybe[Extra] = optional(
        "Other answers",
        "Atebion eraill",
        example={"how_heard": "Leaflet"},
        personal=Personal.YES,
        about="Answers with no field of their own: shown to staff, there for mappings, never lost.",
    )
    test: Maybe[bool] = optional("Test submission", "Cyflwyniad prawf", example=False)

    def remarks(self, *, today: date) -> list[Warning]:
        found: list[Warning] = []
        # A day's grace: `today` is London's, and the sender may be ahead of it.
        if self.submitted_at is not None and (self.submitted_at.date() - today).days > 1:
            found.append(Warning(pointer="#/submitted_at", message="This is in the future; check the sender's clock."))
        for part in (self.contact, self.property, self.details):
            if part is not None:
                found += part.remarks(today=today)
        return found
