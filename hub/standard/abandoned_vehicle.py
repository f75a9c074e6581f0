"""Abandoned vehicle: one that seems to have been left for good."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from hub.model import Warning
from hub.standard.envelope import Envelope
from hub.standard.fields import Day, Exactly, Maybe, Registration, Str50, Str200, Str500
from hub.standard.labels import Personal, optional, required
from hub.standard.part import Part
from hub.standard.place import Location
from hub.standard.rules import AnyOf, NotWith, OnlyWhen, Other, Rule, Within
from hub.standard.service import Example, Service
from hub.standard.wording import FINDABLE, in_future, unworded


class VehicleType(StrEnum):
    CAR = "car"
    VAN = "van"
    MOTORCYCLE = "motorcycle"
    CARAVAN = "caravan"
    LORRY = "lorry"
    TRAILER = "trailer"
    OTHER = "other"


class Condition(StrEnum):
    """What may be seen of it from outside."""

    BURNT_OUT = "burnt_out"
    FLAT_TYRES = "flat_tyres"
    BROKEN_WINDOWS = "broken_windows"
    UNTAXED = "untaxed"
    NO_MOT = "no_mot"
    RUBBISH_INSIDE = "rubbish_inside"
    LEAKING = "leaking"
    OTHER = "other"


class Taxed(StrEnum):
    """Whether it is taxed, for front ends that have looked it up."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


ABANDONED_VEHICLES = 372

Conditions = Annotated[list[Condition], Field(max_length=8)]
Weeks = Annotated[int, Field(ge=0, le=5_200)]


class Details(Part):
    """Which vehicle it is, and why it seems abandoned."""

    registration: Maybe[Registration] = optional(
        "Registration number",
        "Rhif cofrestru",
        example="AB12CDE",
        personal=Personal.SENSITIVE,
        about="Any case and spacing; kept in capitals without spaces.",
    )
    no_plates: Maybe[bool] = optional(
        "Has no number plates",
        "Heb blatiau rhif",
        example=False,
        about="False without `registration`: there are plates, and nobody has read them.",
    )
    make: Maybe[Str50] = optional("Make", "Gwneuthuriad", example="Ford")
    model: Maybe[Str50] = optional("Model", "Model", example="Focus")
    colour: Maybe[Str50] = optional("Colour", "Lliw", example="Red")
    vehicle_type: VehicleType = required("Kind of vehicle", "Math o gerbyd", example="car")
    vehicle_type_other: Maybe[Str200] = optional(
        "Kind of vehicle, in words", "Math o gerbyd, mewn geiriau", example="Quad bike", personal=Personal.YES
    )
    condition: Maybe[Conditions] = optional("Condition", "Cyflwr", example=["flat_tyres"])
    condition_other: Maybe[Str200] = optional(
        "Condition, in words", "Cyflwr, mewn geiriau", example="No wheels", personal=Personal.YES
    )
    abandoned_since: Maybe[Day] = optional("There since", "Yno ers", example="2026-02-02")
    weeks_there: Maybe[Weeks] = optional("Weeks there", "Sawl wythnos yno", example=5)
    taxed: Maybe[Taxed] = optional("Taxed", "Wedi'i drethu", example="unknown")
    on_public_land: bool = required("On public land", "Ar dir cyhoeddus", example=True)
    owner_known: Maybe[bool] = optional("The owner is known", "Mae'r perchennog yn hysbys", example=False)
    owner_details: Maybe[Str500] = optional(
        "About the owner", "Ynghylch y perchennog", example="Moved away in January", personal=Personal.SENSITIVE
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        AnyOf(("registration", "no_plates"), "Add `registration`, or `no_plates` for a vehicle without one."),
        NotWith("abandoned_since", ("weeks_there",)),
        Other("vehicle_type"),
        Other("condition", listed=True),
        OnlyWhen("owner_details", "owner_known", (True,)),
    )

    def remarks(self, *, today: date) -> list[Warning]:
        found = in_future("#/details/abandoned_since", self.abandoned_since, today=today)
        if self.vehicle_type is VehicleType.OTHER and self.vehicle_type_other is None:
            found.append(unworded("#/details/vehicle_type"))
        if Condition.OTHER in (self.condition or ()) and self.condition_other is None:
            found.append(unworded("#/details/condition"))
        return found


class AbandonedVehicle(Envelope):
    """A vehicle that seems abandoned, and where it stands."""

    service: Literal["abandoned-vehicle"] = required("Service", "Gwasanaeth", example="abandoned-vehicle")
    version: Annotated[int, Exactly(1)] = required(
        "Version of the service's contract", "Fersiwn contract y gwasanaeth", example=1
    )
    location: Location = required("Location", "Lleoliad", example={"lat": 52.6369, "long": -1.1398})
    details: Details = required(
        "Details",
        "Manylion",
        example={"registration": "AB12CDE", "vehicle_type": "car", "on_public_land": True},
    )

    rules: ClassVar[tuple[Rule, ...]] = (Within("location", (FINDABLE,)),)


def _lgsl(data: Mapping[str, Any]) -> tuple[int, ...]:
    return (ABANDONED_VEHICLES,)


_TODAY = date(2026, 3, 10)

GOOD = (
    Example(
        why="The least that is taken: where it stands, what it is, and its registration.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "abandoned-vehicle",
            "version": 1,
            "location": {"lat": 52.6369, "long": -1.1398},
            "details": {"registration": "AB12CDE", "vehicle_type": "car", "on_public_land": True},
        },
    ),
    Example(
        why="All that is known of a car, by somebody who knows whose it was.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "abandoned-vehicle",
            "version": 1,
            "contact": {"first_name": "Sam", "last_name": "Example", "phone": "01632 960001"},
            "location": {"easting": 458310, "northing": 304697, "nearest_address": "Outside 12 Mill Lane"},
            "description": "It has not moved since Candlemas and the glass is in the gutter.",
            "details": {
                "registration": " m4 gic ",
                "no_plates": False,
                "make": "Ford",
                "model": "Focus",
                "colour": "Red",
                "vehicle_type": "car",
                "condition": ["flat_tyres", "broken_windows", "untaxed"],
                "abandoned_since": "2026-02-02",
                "taxed": "no",
                "on_public_land": True,
                "owner_known": True,
                "owner_details": "A neighbour who moved away in January",
            },
        },
    ),
    Example(
        why="In Welsh: a burnt-out quad bike without plates on a farm, there for weeks.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "abandoned-vehicle",
            "version": 1,
            "language": "cy",
            "contact": {"full_name": "Siân Ŵyn", "email": "sian@example.org"},
            "location": {"description": "Y cae wrth y felin", "w3w": "filled.count.soap"},
            "details": {
                "no_plates": True,
                "vehicle_type": "other",
                "vehicle_type_other": "Beic cwad",
                "condition": ["burnt_out", "other"],
                "condition_other": "Heb olwynion",
                "weeks_there": 5,
                "taxed": "unknown",
                "on_public_land": False,
                "owner_known": False,
            },
        },
    ),
)

BAD = (
    Example(
        why="Neither a registration nor that there is none, and nowhere to look.",
        today=_TODAY,
        pointers=("#/location", "#/details"),
        body={
            "council": "northborough",
            "service": "abandoned-vehicle",
            "version": 1,
            "details": {"vehicle_type": "van", "on_public_land": True},
        },
    ),
    Example(
        why="Since when in two ways that may differ, a word about an owner who is not known, and a truth in words.",
        today=_TODAY,
        pointers=("#/details/weeks_there", "#/details/owner_details", "#/details/on_public_land"),
        body={
            "council": "northborough",
            "service": "abandoned-vehicle",
            "version": 1,
            "location": {"usrn": "20601234"},
            "details": {
                "registration": "AB12CDE",
                "vehicle_type": "car",
                "abandoned_since": "2026-02-02",
                "weeks_there": 5,
                "on_public_land": "yes",
                "owner_details": "Somebody at number 12",
            },
        },
    ),
    Example(
        why="One text for all of it, a condition that there is not, and a colour of more than 50 characters.",
        today=_TODAY,
        pointers=(
            "#/details/car_details",
            "#/details/vehicle_type",
            "#/details/condition/1",
            "#/details/colour",
        ),
        body={
            "council": "northborough",
            "service": "abandoned-vehicle",
            "version": 1,
            "location": {"nearest_address": "Outside 12 Mill Lane"},
            "details": {
                "no_plates": True,
                "car_details": "M4 GIC, red Ford Focus",
                "condition": ["leaking", "rusty"],
                "colour": "Red on the one side and grey primer on all the others, more or less",
                "on_public_land": True,
            },
        },
    ),
)

SERVICE = Service(
    code="abandoned-vehicle",
    title="Abandoned vehicle",
    title_cy="Cerbyd wedi'i adael",
    description="A vehicle seems to have been left for good.",
    versions={1: AbandonedVehicle},
    lgsl=(ABANDONED_VEHICLES,),
    lgsl_of=_lgsl,
    good=GOOD,
    bad=BAD,
)
