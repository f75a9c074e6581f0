"""Street issue: something on or beside a street that wants mending or cleaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core import core_schema as cs

from hub.model import Warning
from hub.standard.attachment import DOT
from hub.standard.envelope import Envelope
from hub.standard.fields import Exactly, Maybe, Str64, Str120, Str200, Url
from hub.standard.labels import Personal, optional, required
from hub.standard.part import Part
from hub.standard.place import Location
from hub.standard.rules import AnyOf, Needs, OnlyWhen, Other, Rule, When, Within
from hub.standard.service import Example, Service
from hub.standard.wording import FINDABLE, unworded


class Category(StrEnum):
    POTHOLE = "pothole"
    PAVEMENT = "pavement"
    STREET_LIGHT = "street_light"
    TRAFFIC_LIGHT = "traffic_light"
    DRAIN = "drain"
    STREET_FURNITURE = "street_furniture"
    STREET_NAME_PLATE = "street_name_plate"
    SIGN = "sign"
    OBSTRUCTION = "obstruction"
    SPILLAGE = "spillage"
    TREE = "tree"
    GRAFFITI = "graffiti"
    FLYPOSTING = "flyposting"
    DEAD_ANIMAL = "dead_animal"
    DOG_FOULING = "dog_fouling"
    LITTER = "litter"
    BIN_OVERFLOWING = "bin_overflowing"
    STREET_CLEANING = "street_cleaning"
    OTHER = "other"


class Surface(StrEnum):
    CARRIAGEWAY = "carriageway"
    CYCLEWAY = "cycleway"
    FOOTWAY = "footway"
    VERGE = "verge"


class Fault(StrEnum):
    """What is wrong with a light."""

    NOT_WORKING = "not_working"
    DAY_BURNING = "day_burning"
    FLICKERING = "flickering"
    DAMAGED = "damaged"
    DOOR_OPEN = "door_open"
    OTHER = "other"


class Material(StrEnum):
    BRICK = "brick"
    METAL = "metal"
    GLASS = "glass"
    WOOD = "wood"
    OTHER = "other"


class Animal(StrEnum):
    DOG = "dog"
    CAT = "cat"
    FOX = "fox"
    BADGER = "badger"
    DEER = "deer"
    BIRD = "bird"
    LIVESTOCK = "livestock"
    OTHER = "other"


class Band(StrEnum):
    """A size by eye."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


#: Local Government Service List ids; the list has none for `other`.
LGSL = {
    Category.POTHOLE: 557,
    Category.PAVEMENT: 537,
    Category.STREET_LIGHT: 564,
    Category.TRAFFIC_LIGHT: 567,
    Category.DRAIN: 555,
    Category.STREET_FURNITURE: 559,
    Category.STREET_NAME_PLATE: 541,
    Category.SIGN: 540,
    Category.OBSTRUCTION: 550,
    Category.SPILLAGE: 591,
    Category.TREE: 505,
    Category.GRAFFITI: 584,
    Category.FLYPOSTING: 588,
    Category.DEAD_ANIMAL: 576,
    Category.DOG_FOULING: 577,
    Category.LITTER: 580,
    Category.BIN_OVERFLOWING: 580,
    Category.STREET_CLEANING: 582,
}

Millimetres = Annotated[int, Field(ge=1, le=100_000)]


class Size(Part):
    """How large it is: measured, or by eye."""

    width_mm: Maybe[Millimetres] = optional("Width in millimetres", "Lled mewn milimetrau", example=300)
    depth_mm: Maybe[Millimetres] = optional("Depth in millimetres", "Dyfnder mewn milimetrau", example=60)
    band: Maybe[Band] = optional("By eye", "Yn fras", example="medium")

    rules: ClassVar[tuple[Rule, ...]] = (
        AnyOf(("width_mm", "depth_mm", "band"), "Add `width_mm`, `depth_mm` or `band`; or leave the size out."),
    )


@dataclass(frozen=True, slots=True)
class _OrBand:
    """A band may stand alone, as `"small"`; it is kept as `{"band": "small"}`, so that mappings read one form."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return cs.no_info_before_validator_function(self._spelt_out, handler(source))

    def _spelt_out(self, sent: Any) -> Any:
        if not isinstance(sent, str):
            return sent
        if sent not in list(Band):
            raise PydanticCustomError("unreal", "Send small, medium or large, or an object with `width_mm`.")
        return {"band": sent}

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "enum": [str(band) for band in Band]}, handler(schema)]}


LIGHTS = (Category.STREET_LIGHT, Category.TRAFFIC_LIGHT)


class Details(Part):
    """What is wrong, and what a crew should know before it comes."""

    category: Category = required("Kind of issue", "Math o broblem", example="pothole")
    category_other: Maybe[Str200] = optional(
        "Kind of issue, in words", "Math o broblem, mewn geiriau", example="Loose kerb", personal=Personal.YES
    )
    title: Maybe[Str120] = optional("Title", "Teitl", example="Deep pothole by the school", personal=Personal.YES)
    asset_id: Maybe[Str64] = optional(
        "Asset number", "Rhif ased", example="LC-0042", about="As a street light column bears it."
    )
    emergency: Maybe[bool] = optional(
        "Is an emergency", "Mae'n argyfwng", example=False, about="Better telephoned; taken with a warning."
    )
    size: Maybe[Annotated[Size, _OrBand()]] = optional(
        "Size", "Maint", example={"width_mm": 300, "depth_mm": 60}, about="Measured, or `small`, `medium`, `large`."
    )
    surface: Maybe[Surface] = optional("Surface", "Arwyneb", example="carriageway")
    fault: Maybe[Fault] = optional("What is wrong with the light", "Beth sydd o'i le ar y golau", example="not_working")
    fault_other: Maybe[Str200] = optional(
        "What is wrong with the light, in words",
        "Beth sydd o'i le ar y golau, mewn geiriau",
        example="Buzzes",
        personal=Personal.YES,
    )
    offensive: Maybe[bool] = optional("Is offensive", "Mae'n sarhaus", example=False)
    surface_material: Maybe[Material] = optional("Written or stuck on", "Ar ba ddeunydd", example="brick")
    surface_material_other: Maybe[Str200] = optional(
        "Written or stuck on, in words", "Ar ba ddeunydd, mewn geiriau", example="Plastic", personal=Personal.YES
    )
    private_property: Maybe[bool] = optional("On private property", "Ar eiddo preifat", example=False)
    animal: Maybe[Animal] = optional("Kind of animal", "Math o anifail", example="fox")
    animal_other: Maybe[Str200] = optional(
        "Kind of animal, in words", "Math o anifail, mewn geiriau", example="Otter", personal=Personal.YES
    )
    collar_or_chip: Maybe[bool] = optional("Wears a collar or a chip", "Mae ganddo goler neu sglodyn", example=False)
    injury_reported: Maybe[bool] = optional(
        "Somebody was hurt", "Cafodd rhywun ei anafu", example=False, personal=Personal.SENSITIVE
    )
    report_url: Maybe[Url] = optional(
        "Where it is published",
        "Ble mae wedi'i gyhoeddi",
        example="https://street.example.org/report/31",
        personal=Personal.YES,
    )
    public: Maybe[bool] = optional("May be published", "Gellir ei gyhoeddi", example=True)

    rules: ClassVar[tuple[Rule, ...]] = (
        Other("category"),
        Other("fault"),
        Other("surface_material"),
        Other("animal"),
        When("category", (Category.STREET_LIGHT,), (Needs("fault", "Add what is wrong with the light."),)),
        When("category", (Category.DEAD_ANIMAL,), (Needs("animal", "Add which kind of animal it is."),)),
        OnlyWhen("fault", "category", LIGHTS),
        OnlyWhen("animal", "category", (Category.DEAD_ANIMAL,)),
        OnlyWhen("collar_or_chip", "category", (Category.DEAD_ANIMAL,)),
    )

    def remarks(self, *, today: date) -> list[Warning]:
        found = [
            unworded(f"#/details/{name}")
            for name in ("category", "fault", "surface_material", "animal")
            if getattr(self, name) == "other" and getattr(self, f"{name}_other") is None
        ]
        if self.emergency:
            do = "An emergency should be telephoned; tell the resident whom to call."
            found.append(Warning(pointer="#/details/emergency", message=do))
        return found


class StreetIssue(Envelope):
    """Something wrong in a street, by somebody who says where."""

    service: Literal["street-issue"] = required("Service", "Gwasanaeth", example="street-issue")
    version: Annotated[int, Exactly(1)] = required(
        "Version of the service's contract", "Fersiwn contract y gwasanaeth", example=1
    )
    location: Location = required("Location", "Lleoliad", example={"lat": 52.6369, "long": -1.1398})
    details: Details = required("Details", "Manylion", example={"category": "pothole"})

    rules: ClassVar[tuple[Rule, ...]] = (Within("location", (FINDABLE,)),)


def _lgsl(data: Mapping[str, Any]) -> tuple[int, ...]:
    known = LGSL.get(data["details"]["category"])
    return () if known is None else (known,)


_TODAY = date(2026, 3, 10)

GOOD = (
    Example(
        why="The least that is taken: where it is, and what kind of thing it is.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "street-issue",
            "version": 1,
            "location": {"lat": 52.6369, "long": -1.1398},
            "details": {"category": "pothole"},
        },
    ),
    Example(
        why="A pothole as a map front end sends it: measured, titled, and published there.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "street-issue",
            "version": 1,
            "submitted_at": "2026-03-10T08:15:00Z",
            "contact": {"first_name": "Sam", "last_name": "Example", "email": "sam@example.org"},
            "location": {
                "lat": 52.6369,
                "long": -1.1398,
                "easting": 458310,
                "northing": 304697,
                "usrn": "20601234",
                "pinned": True,
            },
            "description": "Cars swerve round it into the cycle lane.",
            "attachments": [{"name": "hole.png", "media_type": "image/png", "content_base64": DOT}],
            "details": {
                "category": "pothole",
                "title": "Deep pothole by the school",
                "size": {"width_mm": 300, "depth_mm": 60},
                "surface": "carriageway",
                "emergency": False,
                "injury_reported": False,
                "report_url": "https://street.example.org/report/31",
                "public": True,
            },
        },
    ),
    Example(
        why="In Welsh, a light by the number on its column, its size by eye, and an emergency: taken, with a warning.",
        today=_TODAY,
        pointers=("#/details/emergency",),
        body={
            "council": "northborough",
            "service": "street-issue",
            "version": 1,
            "language": "cy",
            "channel": "app",
            "location": {"asset_id": "LC-0042", "nearest_address": "Gyferbyn â 12 Lôn y Felin"},
            "details": {
                "category": "street_light",
                "asset_id": "LC-0042",
                "fault": "other",
                "fault_other": "Gwifrau yn y golwg",
                "size": "large",
                "private_property": False,
                "emergency": True,
            },
        },
    ),
)

BAD = (
    Example(
        why="Nowhere to look, and a kind of issue that belongs to a service of its own.",
        today=_TODAY,
        pointers=("#/location", "#/details/category"),
        body={
            "council": "northborough",
            "service": "street-issue",
            "version": 1,
            "details": {"category": "fly_tipping"},
        },
    ),
    Example(
        why="A light without what is wrong with it, with an animal, and a size that is neither measured nor a band.",
        today=_TODAY,
        pointers=("#/details/fault", "#/details/animal", "#/details/size"),
        body={
            "council": "northborough",
            "service": "street-issue",
            "version": 1,
            "location": {"usrn": "20601234"},
            "details": {"category": "street_light", "animal": "cat", "size": "huge"},
        },
    ),
    Example(
        why="A dead animal of no kind, a depth of nothing, words without `other`, and half a pair of coordinates.",
        today=_TODAY,
        pointers=(
            "#/location/northing",
            "#/details/animal",
            "#/details/category_other",
            "#/details/size/depth_mm",
            "#/details/report_url",
        ),
        body={
            "council": "northborough",
            "service": "street-issue",
            "version": 1,
            "location": {"easting": 458310},
            "details": {
                "category": "dead_animal",
                "category_other": "Otter",
                "collar_or_chip": False,
                "size": {"depth_mm": 0},
                "report_url": "street.example.org/report/31",
            },
        },
    ),
)

SERVICE = Service(
    code="street-issue",
    title="Street issue",
    title_cy="Problem ar y stryd",
    description="Something on or beside a street wants mending or cleaning.",
    versions={1: StreetIssue},
    lgsl=tuple(dict.fromkeys(LGSL.values())),
    lgsl_of=_lgsl,
    good=GOOD,
    bad=BAD,
)
