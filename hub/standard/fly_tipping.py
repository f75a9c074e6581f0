"""Fly-tipping: waste left where it should not be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from hub.model import Warning
from hub.standard.attachment import DOT
from hub.standard.envelope import Envelope
from hub.standard.fields import Exactly, Maybe, Registration, Str200, Str1000, Timestamp
from hub.standard.labels import Personal, optional, required
from hub.standard.part import Part
from hub.standard.place import Location
from hub.standard.rules import Needs, OnlyWhen, Other, Rule, When, Within
from hub.standard.service import Example, Service
from hub.standard.wording import FINDABLE, in_future, unworded


class LandType(StrEnum):
    """What kind of land it lies on; it often decides who must clear it."""

    HIGHWAY = "highway"
    FOOTPATH = "footpath"
    ALLEYWAY = "alleyway"
    PUBLIC_OPEN_SPACE = "public_open_space"
    PRIVATE = "private"
    WATERCOURSE = "watercourse"
    RAILWAY = "railway"
    FARMLAND = "farmland"
    UNKNOWN = "unknown"


class WasteType(StrEnum):
    BLACK_BAGS = "black_bags"
    HOUSEHOLD = "household"
    WHITE_GOODS = "white_goods"
    FURNITURE = "furniture"
    GREEN = "green"
    CONSTRUCTION = "construction"
    TYRES = "tyres"
    VEHICLE_PARTS = "vehicle_parts"
    ELECTRICAL = "electrical"
    ASBESTOS = "asbestos"
    CLINICAL = "clinical"
    CHEMICAL_DRUMS = "chemical_drums"
    ANIMAL_CARCASS = "animal_carcass"
    COMMERCIAL = "commercial"
    OTHER = "other"


class Size(StrEnum):
    """The size classes of the fly-tipping return that councils make to Defra."""

    SINGLE_BAG = "single_bag"
    FEW_BAGS = "few_bags"
    CAR_BOOT = "car_boot"
    SMALL_VAN = "small_van"
    TRANSIT_VAN = "transit_van"
    TIPPER_LORRY = "tipper_lorry"
    LARGER = "larger"


FLYTIPPING = 587

WasteTypes = Annotated[list[WasteType], Field(min_length=1, max_length=15)]


class Details(Part):
    """What lies there, and what is known of who left it."""

    land_type: LandType = required("Kind of land", "Math o dir", example="footpath")
    waste_types: WasteTypes = required("Kinds of waste", "Mathau o wastraff", example=["black_bags", "furniture"])
    waste_types_other: Maybe[Str200] = optional(
        "Kind of waste, in words", "Math o wastraff, mewn geiriau", example="Gas bottles", personal=Personal.YES
    )
    size: Maybe[Size] = optional("How much", "Faint", example="car_boot")
    hazardous: Maybe[bool] = optional("May be hazardous", "Gall fod yn beryglus", example=False)
    witnessed: bool = required(
        "Somebody saw it being left", "Gwelodd rhywun y gwastraff yn cael ei adael", example=True
    )
    witnessed_at: Maybe[Timestamp] = optional(
        "When it was seen",
        "Pryd y gwelwyd hyn",
        example="2026-03-09T14:30:00Z",
        about="With `witnessed`, and only then.",
    )
    offender_description: Maybe[Str1000] = optional(
        "Who left it",
        "Pwy a'i gadawodd",
        example="Two people in orange jackets",
        personal=Personal.SENSITIVE,
    )
    vehicle_registration: Maybe[Registration] = optional(
        "Vehicle registration",
        "Rhif cofrestru'r cerbyd",
        example="AB12CDE",
        personal=Personal.SENSITIVE,
        about="Any case and spacing; kept in capitals without spaces.",
    )
    vehicle_description: Maybe[Str200] = optional(
        "Vehicle", "Cerbyd", example="White flatbed with a broken tail light", personal=Personal.SENSITIVE
    )
    willing_to_give_statement: Maybe[bool] = optional(
        "Would give a statement", "Yn fodlon rhoi datganiad", example=True, personal=Personal.YES
    )
    blocking: Maybe[bool] = optional("Blocks a road or path", "Yn rhwystro ffordd neu lwybr", example=False)

    rules: ClassVar[tuple[Rule, ...]] = (
        Other("waste_types", listed=True),
        When("witnessed", (True,), (Needs("witnessed_at", "Add when it was seen: `witnessed` is true."),)),
        OnlyWhen("witnessed_at", "witnessed", (True,)),
    )

    def remarks(self, *, today: date) -> list[Warning]:
        found = in_future("#/details/witnessed_at", self.witnessed_at, today=today)
        if WasteType.OTHER in self.waste_types and self.waste_types_other is None:
            found.append(unworded("#/details/waste_types"))
        return found


class FlyTipping(Envelope):
    """Waste that somebody left on land, by somebody who says where."""

    service: Literal["fly-tipping"] = required("Service", "Gwasanaeth", example="fly-tipping")
    version: Annotated[int, Exactly(1)] = required(
        "Version of the service's contract", "Fersiwn contract y gwasanaeth", example=1
    )
    location: Location = required("Location", "Lleoliad", example={"lat": 52.6369, "long": -1.1398})
    details: Details = required(
        "Details", "Manylion", example={"land_type": "footpath", "waste_types": ["black_bags"], "witnessed": False}
    )

    rules: ClassVar[tuple[Rule, ...]] = (Within("location", (FINDABLE,)),)


def _lgsl(data: Mapping[str, Any]) -> tuple[int, ...]:
    return (FLYTIPPING,)


_TODAY = date(2026, 3, 10)

GOOD = (
    Example(
        why="The least that is taken: a pin on the map and one kind of waste.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "fly-tipping",
            "version": 1,
            "location": {"lat": 52.6369, "long": -1.1398},
            "details": {"land_type": "footpath", "waste_types": ["black_bags"], "witnessed": False},
        },
    ),
    Example(
        why="Somebody saw it being left, and will say so; the registration is typed as it was read.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "fly-tipping",
            "version": 1,
            "front_end_reference": "NB-2026-00107",
            "contact": {"full_name": "Alex Example", "email": "alex@example.org", "phone": "07700 900123"},
            "location": {
                "lat": 52.6369,
                "long": -1.1398,
                "easting": 458310,
                "northing": 304697,
                "usrn": "20601234",
                "nearest_address": "Opposite 12 Mill Lane",
                "pinned": True,
            },
            "description": "A sofa and about a dozen bags, half in the road.",
            "attachments": [{"name": "tip.png", "media_type": "image/png", "content_base64": DOT}],
            "details": {
                "land_type": "highway",
                "waste_types": ["black_bags", "furniture"],
                "size": "small_van",
                "hazardous": False,
                "witnessed": True,
                "witnessed_at": "2026-03-09T14:30:00Z",
                "offender_description": "Two people in orange jackets",
                "vehicle_registration": "ab12 cde",
                "vehicle_description": "White flatbed with a broken tail light",
                "willing_to_give_statement": True,
                "blocking": True,
            },
        },
    ),
    Example(
        why="In Welsh, found by street and words, a kind of waste not in the list, seen tomorrow by mistake.",
        today=_TODAY,
        pointers=("#/details/witnessed_at",),
        body={
            "council": "E07000999",
            "service": "fly-tipping",
            "version": 1,
            "channel": "phone",
            "language": "cy",
            "contact": {"anonymous": True},
            "location": {"usrn": "20601234", "description": "Y tu ôl i'r safle bysiau"},
            "details": {
                "land_type": "unknown",
                "waste_types": ["asbestos", "other"],
                "waste_types_other": "Poteli nwy",
                "hazardous": True,
                "witnessed": True,
                "witnessed_at": "2026-03-11T09:00:00Z",
            },
        },
    ),
)

BAD = (
    Example(
        why="Without `location` nobody can find it; and no kind of waste is no waste.",
        today=_TODAY,
        pointers=("#/location", "#/details/waste_types"),
        body={
            "council": "northborough",
            "service": "fly-tipping",
            "version": 1,
            "details": {"land_type": "footpath", "waste_types": [], "witnessed": False},
        },
    ),
    Example(
        why="A pin that says nothing of where, and a witness who does not say when.",
        today=_TODAY,
        pointers=("#/location", "#/details/witnessed_at"),
        body={
            "council": "northborough",
            "service": "fly-tipping",
            "version": 1,
            "location": {"pinned": True},
            "details": {"land_type": "footpath", "waste_types": ["tyres"], "witnessed": True},
        },
    ),
    Example(
        why="A time at which nobody saw it, words for an `other` that is not there, and a registration that is none.",
        today=_TODAY,
        pointers=(
            "#/details/land_type",
            "#/details/witnessed_at",
            "#/details/waste_types_other",
            "#/details/vehicle_registration",
        ),
        body={
            "council": "northborough",
            "service": "fly-tipping",
            "version": 1,
            "location": {"usrn": "20601234"},
            "details": {
                "land_type": "Footpath",
                "waste_types": ["tyres"],
                "waste_types_other": "Gas bottles",
                "witnessed": False,
                "witnessed_at": "2026-03-09T14:30:00Z",
                "vehicle_registration": "AB12 CDE or AB12 CDF",
            },
        },
    ),
)

SERVICE = Service(
    code="fly-tipping",
    title="Fly-tipping",
    title_cy="Tipio anghyfreithlon",
    description="Waste was left on land where it should not be.",
    versions={1: FlyTipping},
    lgsl=(FLYTIPPING,),
    lgsl_of=_lgsl,
    good=GOOD,
    bad=BAD,
)
