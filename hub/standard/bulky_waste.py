"""Bulky waste: large things to be fetched from a home, booked, changed or called off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from hub.model import Warning
from hub.standard.attachment import DOT, unattached
from hub.standard.contact import Contact
from hub.standard.envelope import Envelope
from hub.standard.fields import Day, Exactly, Maybe, Str64, Str100, Str200, Str300, Str500, Timestamp
from hub.standard.labels import Personal, optional, required
from hub.standard.part import Part
from hub.standard.place import Property
from hub.standard.rules import AnyOf, Brings, Needs, Rule, When, Within
from hub.standard.service import Example, Service
from hub.standard.wording import AT_HOME, PAID, SOMEBODY, in_past


class Action(StrEnum):
    BOOK = "book"
    AMEND = "amend"
    CANCEL = "cancel"


class Concession(StrEnum):
    NONE = "none"
    BENEFIT = "benefit"
    PENSION = "pension"
    COUNCIL_TENANT = "council_tenant"


BULKY_COLLECTIONS = 528

Quantity = Annotated[int, Field(ge=1, le=10)]


class Item(Part):
    """One kind of thing to be fetched."""

    code: Maybe[Str64] = optional(
        "Item code", "Cod yr eitem", example="SOFA3", about="As the council's own price list knows it."
    )
    description: Maybe[Str200] = optional(
        "Item", "Eitem", example="Three-seat sofa, brown", personal=Personal.YES, about="Needed where there is no code."
    )
    quantity: Quantity = optional("How many", "Faint", example=1, default=1)
    notes: Maybe[Str500] = optional(
        "Notes on this item", "Nodiadau ar yr eitem hon", example="Taken apart already", personal=Personal.YES
    )
    contains_fridge_gas: Maybe[bool] = optional("Contains fridge gas", "Yn cynnwys nwy oergell", example=False)
    weight_band: Maybe[Str64] = optional(
        "Weight band",
        "Band pwysau",
        example="two_person_lift",
        about="In the council's own words; its table maps them.",
    )
    photo_ref: Maybe[Str200] = optional(
        "Photo of this item",
        "Llun o'r eitem hon",
        example="sofa.jpg",
        personal=Personal.YES,
        about="The `id` or `name` of one of the `attachments`.",
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        AnyOf(("code", "description"), "Add `code` or `description`: the crew has to know what to fetch."),
    )


Items = Annotated[list[Item], Field(min_length=1, max_length=20)]


class Slot(Part):
    """A place on a round that the front end has reserved."""

    ref: Str100 = required("Slot reference", "Cyfeirnod y slot", example="SLOT-2026-03-17-AM-04")
    round_id: Maybe[Str64] = optional("Round", "Cylchdaith", example="BULKY-02")
    expires_at: Maybe[Timestamp] = optional(
        "Reserved until",
        "Wedi'i gadw tan",
        example="2026-03-10T11:00:00Z",
        about="One of days ago is taken with a warning.",
    )


class Details(Part):
    """What is to be fetched, when, and from where."""

    action: Action = optional("What to do", "Beth i'w wneud", example="book", default=Action.BOOK)
    items: Items = required("Items", "Eitemau", example=[{"code": "SOFA3", "quantity": 1}])
    collection_date: Maybe[Day] = optional(
        "Collection day",
        "Diwrnod casglu",
        example="2026-03-17",
        about="Needed beside a slot. A day that has gone by is taken with a warning.",
    )
    slot: Maybe[Slot] = optional("Reserved slot", "Slot a gadwyd", example={"ref": "SLOT-2026-03-17-AM-04"})
    put_out_location: Str300 = required(
        "Where the items will be put out",
        "Ble bydd yr eitemau'n cael eu rhoi allan",
        example="On the front drive, by the hedge",
        personal=Personal.YES,
    )
    access_notes: Maybe[Str500] = optional(
        "How to get there", "Sut i gyrraedd", example="The lane is narrow; come from Mill Road", personal=Personal.YES
    )
    parking_restricted: Maybe[bool] = optional("Parking is restricted", "Mae parcio'n gyfyngedig", example=False)
    occupier_permission: Maybe[bool] = optional(
        "The occupier agrees", "Mae'r deiliad yn cytuno", example=True, about="For items that are not the sender's own."
    )
    concession: Maybe[Concession] = optional("Concession", "Consesiwn", example="pension", personal=Personal.YES)
    chargeable: bool = required(
        "There is a charge", "Codir tâl", example=True, about="When true, `payment` says where it was paid."
    )
    previous_booking_ref: Maybe[Str64] = optional(
        "Earlier booking", "Archeb flaenorol", example="BULKY-0042", about="Needed to amend or cancel."
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        Brings("slot", "collection_date"),
        When(
            "action",
            (Action.AMEND, Action.CANCEL),
            (Needs("previous_booking_ref", "Add `previous_booking_ref`: it says which booking is meant."),),
        ),
    )

    def remarks(self, *, today: date) -> list[Warning]:
        found = in_past("#/details/collection_date", self.collection_date, today=today)
        if self.slot is not None:
            found += in_past("#/details/slot/expires_at", self.slot.expires_at, today=today)
        return found


class BulkyWaste(Envelope):
    """Large things to be fetched from a home, for somebody who can be told when."""

    service: Literal["bulky-waste"] = required("Service", "Gwasanaeth", example="bulky-waste")
    version: Annotated[int, Exactly(1)] = required(
        "Version of the service's contract", "Fersiwn contract y gwasanaeth", example=1
    )
    contact: Contact = required(
        "Contact", "Cyswllt", example={"full_name": "Alex Example", "phone": "07700 900123"}, about="Not anonymous."
    )
    property: Property = required("Property", "Eiddo", example={"uprn": "100012345678"})
    details: Details = required(
        "Details",
        "Manylion",
        example={"items": [{"code": "SOFA3"}], "put_out_location": "On the front drive", "chargeable": False},
    )

    rules: ClassVar[tuple[Rule, ...]] = (Within("property", (AT_HOME,)), Within("contact", (SOMEBODY,)), PAID)

    def remarks(self, *, today: date) -> list[Warning]:
        found = super().remarks(today=today)
        for place, item in enumerate(self.details.items):
            refs = () if item.photo_ref is None else (item.photo_ref,)
            at = f"#/details/items/{place}/photo_ref"
            found += [replace(remark, pointer=at) for remark in unattached(at, refs, self.attachments)]
        return found


def _lgsl(data: Mapping[str, Any]) -> tuple[int, ...]:
    return (BULKY_COLLECTIONS,)


_TODAY = date(2026, 3, 10)

GOOD = (
    Example(
        why="The least that is taken: one thing, free of charge, and somebody to ring.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "bulky-waste",
            "version": 1,
            "contact": {"phone": "07700 900123"},
            "property": {"uprn": "100012345678"},
            "details": {
                "items": [{"description": "Mattress, double"}],
                "put_out_location": "On the front drive",
                "chargeable": False,
            },
        },
    ),
    Example(
        why="A paid booking of a reserved slot: a fridge with gas, two armchairs and a photo.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "bulky-waste",
            "version": 1,
            "front_end_reference": "NB-2026-00077",
            "contact": {"full_name": "Alex Example", "email": "alex@example.org", "phone": "07700 900123"},
            "property": {"uprn": "100012345678", "address": {"lines": ["1 High Street"], "postcode": "NB1 2CD"}},
            "attachments": [{"name": "fridge.png", "media_type": "image/png", "content_base64": DOT}],
            "payment": {
                "reference": "pay-7f3k",
                "provider": "GOV.UK Pay",
                "amount_pence": 4500,
                "status": "success",
                "paid_at": "2026-03-10T09:12:00Z",
            },
            "details": {
                "action": "book",
                "items": [
                    {"code": "FRIDGE", "contains_fridge_gas": True, "photo_ref": "fridge.png"},
                    {"code": "ARMCHAIR", "quantity": 2, "notes": "One has no legs \N{COUCH AND LAMP}"},
                ],
                "collection_date": "2026-03-17",
                "slot": {
                    "ref": "SLOT-2026-03-17-AM-04",
                    "round_id": "BULKY-02",
                    "expires_at": "2026-03-10T11:00:00Z",
                },
                "put_out_location": "Behind the gate, left of the door",
                "parking_restricted": True,
                "occupier_permission": True,
                "concession": "none",
                "chargeable": True,
            },
        },
    ),
    Example(
        why="A booking changed by telephone, in Welsh, to a day that has gone by: taken, with a warning.",
        today=_TODAY,
        pointers=("#/details/collection_date", "#/details/items/0/photo_ref"),
        body={
            "council": "E07000999",
            "service": "bulky-waste",
            "version": 1,
            "channel": "phone",
            "language": "cy",
            "contact": {"full_name": "Siân Ŵyn", "phone": "01632 960001", "preferred": "phone"},
            "property": {"address": {"lines": ["Tŷ Gwyn", "Lôn y Felin"], "postcode": "NB3 4EF"}},
            "details": {
                "action": "amend",
                "previous_booking_ref": "BULKY-0042",
                "items": [{"description": "Soffa", "weight_band": "two_person_lift", "photo_ref": "soffa.jpg"}],
                "collection_date": "2026-03-09",
                "put_out_location": "Wrth y giât",
                "access_notes": "Mae'r lôn yn gul",
                "concession": "pension",
                "chargeable": False,
            },
        },
    ),
)

BAD = (
    Example(
        why="It costs something, and nothing says that it was paid for.",
        today=_TODAY,
        pointers=("#/payment",),
        body={
            "council": "northborough",
            "service": "bulky-waste",
            "version": 1,
            "contact": {"phone": "07700 900123"},
            "property": {"uprn": "100012345678"},
            "details": {"items": [{"code": "SOFA3"}], "put_out_location": "On the front drive", "chargeable": True},
        },
    ),
    Example(
        why="Called off without saying which booking, a slot without its day, and an item that nobody can name.",
        today=_TODAY,
        pointers=("#/details/previous_booking_ref", "#/details/collection_date", "#/details/items/0"),
        body={
            "council": "northborough",
            "service": "bulky-waste",
            "version": 1,
            "contact": {"phone": "07700 900123"},
            "property": {"uprn": "100012345678"},
            "details": {
                "action": "cancel",
                "items": [{"quantity": 2}],
                "slot": {"ref": "SLOT-2026-03-17-AM-04"},
                "put_out_location": "On the front drive",
                "chargeable": False,
            },
        },
    ),
    Example(
        why="Nobody to answer, no place to fetch it from, more sofas than one visit takes, and pounds for pence.",
        today=_TODAY,
        pointers=(
            "#/contact/anonymous",
            "#/property",
            "#/payment/amount_pence",
            "#/details/items/0/quantity",
            "#/details/put_out_location",
        ),
        body={
            "council": "northborough",
            "service": "bulky-waste",
            "version": 1,
            "contact": {"anonymous": True},
            "property": {"usrn": "20601234"},
            "payment": {"reference": "pay-7f3k", "amount_pence": 45.5},
            "details": {"items": [{"code": "SOFA3", "quantity": 11}], "chargeable": True},
        },
    ),
)

SERVICE = Service(
    code="bulky-waste",
    title="Bulky waste collection",
    title_cy="Casglu gwastraff swmpus",
    description="Somebody has large things fetched from a home, or changes or calls off a booking.",
    versions={1: BulkyWaste},
    lgsl=(BULKY_COLLECTIONS,),
    lgsl_of=_lgsl,
    good=GOOD,
    bad=BAD,
)
