"""Who sent it: a person to answer, or somebody who wants no name known."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any, ClassVar

from hub.model import Warning
from hub.standard.fields import Email, Maybe, Phone, Str64, Str100, Str200
from hub.standard.labels import Personal, optional, required
from hub.standard.part import Part
from hub.standard.place import Address
from hub.standard.rules import Alone, AnyOf, NotWith, Rule, Together, Unless


class Preferred(StrEnum):
    """How somebody would like to be answered."""

    EMAIL = "email"
    PHONE = "phone"
    SMS = "sms"
    POST = "post"
    NONE = "none"


REACHABLE = AnyOf(
    ("email", "phone", "address"), "Add `email`, `phone` or `address`, or send only `anonymous` with the value true."
)


class Contact(Part):
    """A person to answer; `{"anonymous": true}` when there is to be none."""

    full_name: Maybe[Str200] = optional("Full name", "Enw llawn", example="Alex Example", personal=Personal.YES)
    first_name: Maybe[Str100] = optional("First name", "Enw cyntaf", example="Alex", personal=Personal.YES)
    last_name: Maybe[Str100] = optional("Last name", "Cyfenw", example="Example", personal=Personal.YES)
    email: Maybe[Email] = optional(
        "Email address", "Cyfeiriad e-bost", example="alex@example.org", personal=Personal.YES
    )
    phone: Maybe[Phone] = optional(
        "Telephone number",
        "Rhif ffôn",
        example="07700 900123",
        personal=Personal.YES,
        about="As it was typed; the hub adds `phone_e164` when the number can be dialled.",
    )
    address: Maybe[Address] = optional("Postal address", "Cyfeiriad post", example={"lines": ["1 High Street"]})
    preferred: Maybe[Preferred] = optional("Preferred way to be contacted", "Y ffordd orau o gysylltu", example="email")
    organisation: Maybe[Str200] = optional(
        "Organisation", "Sefydliad", example="Northborough Tenants", personal=Personal.YES
    )
    anonymous: Maybe[bool] = optional(
        "Wants no name known", "Yn dymuno aros yn ddienw", example=False, about="When true, nothing else is sent here."
    )
    account_id: Maybe[Str64] = optional("Customer account", "Cyfrif cwsmer", example="cust-4711", personal=Personal.YES)

    rules: ClassVar[tuple[Rule, ...]] = (
        Alone("anonymous"),
        Unless("anonymous", REACHABLE),
        NotWith("full_name", ("first_name", "last_name")),
        Together("first_name", "last_name"),
    )
    derived: ClassVar[dict[str, dict[str, Any]]] = {
        "phone_e164": {
            "type": "string",
            "pattern": r"^\+[0-9]{4,15}$",
            "description": "The number as it can be dialled; the hub makes it from `phone`.",
            "x-label": {"en": "Telephone number (E.164)", "cy": "Rhif ffôn (E.164)"},
            "x-example": "+447700900123",
            "x-personal": True,
        }
    }

    def remarks(self, *, today: date) -> list[Warning]:
        if self.email is None or "." in self.email.rpartition("@")[2]:
            return []
        return [Warning(pointer="#/contact/email", message="The part after the @ has no dot; check the address.")]


class OnBehalfOf(Part):
    """The person for whom a carer, agent or solicitor writes."""

    full_name: Str200 = required(
        "Name of the person you act for",
        "Enw'r person yr ydych yn gweithredu ar ei ran",
        example="Sam Example",
        personal=Personal.YES,
    )
    relationship: Maybe[Str100] = optional(
        "Relationship to that person", "Perthynas â'r person hwnnw", example="carer", personal=Personal.YES
    )
    has_authority: Maybe[bool] = optional(
        "Has that person's authority", "Wedi'i awdurdodi gan y person hwnnw", example=True
    )
