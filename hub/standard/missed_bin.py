"""Missed bin: a collection that did not happen, container by container."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from hub.model import Warning
from hub.standard.envelope import Envelope
from hub.standard.fields import Day, Exactly, Maybe, Str64, Str200
from hub.standard.labels import Personal, optional, required
from hub.standard.part import Part
from hub.standard.place import Property
from hub.standard.rules import Other, Rule, Within
from hub.standard.service import Example, Service
from hub.standard.wording import AT_HOME, in_future, unworded

#: A collection missed longer ago than this is past mending; councils answer with the next one.
LONG_AGO = timedelta(days=31)


class WasteType(StrEnum):
    REFUSE = "refuse"
    RECYCLING = "recycling"
    MIXED_RECYCLING = "mixed_recycling"
    PAPER_CARD = "paper_card"
    GLASS = "glass"
    FOOD = "food"
    GARDEN = "garden"
    TEXTILES = "textiles"
    BATTERIES = "batteries"
    ELECTRICALS = "electricals"
    NAPPIES = "nappies"
    CLINICAL = "clinical"
    COMMUNAL = "communal"
    OTHER = "other"


class Reason(StrEnum):
    NOT_COLLECTED = "not_collected"
    PART_COLLECTED = "part_collected"
    SPILLAGE = "spillage"
    CONTAINER_NOT_RETURNED = "container_not_returned"
    OTHER = "other"


#: What crews report, after the collection event types of the open waste service standards.
CREW_REASONS = frozenset(
    """
    not_presented incorrectly_presented too_heavy excess_waste lid_open side_waste_present contaminated
    contaminated_food contaminated_garden contaminated_refuse contaminated_bulky contaminated_rubble
    contaminated_commercial contaminated_turf_soil contaminated_animal_bedding inaccessible_container_store
    damaged damaged_lid damaged_wheels damaged_body excess_containers container_from_other_council
    container_lost_in_vehicle not_on_scheme safety_concern street_completed blocked_by_vehicles roadworks
    gate_locked part_access partly_completed_street alarm_activated breakdown road_closure inaccessible_road
    other
    """.split()
)

REFUSE, RECYCLING, FOOD, GARDEN, CLINICAL = 524, 1130, 1423, 530, 859
#: Local Government Service List ids; what is not here goes with household refuse.
LGSL = {
    WasteType.RECYCLING: RECYCLING,
    WasteType.MIXED_RECYCLING: RECYCLING,
    WasteType.PAPER_CARD: RECYCLING,
    WasteType.GLASS: RECYCLING,
    WasteType.TEXTILES: RECYCLING,
    WasteType.BATTERIES: RECYCLING,
    WasteType.ELECTRICALS: RECYCLING,
    WasteType.FOOD: FOOD,
    WasteType.GARDEN: GARDEN,
    WasteType.CLINICAL: CLINICAL,
}

Quantity = Annotated[int, Field(ge=1, le=20)]


class Container(Part):
    """One kind of container that was not emptied."""

    waste_type: WasteType = required("Kind of waste", "Math o wastraff", example="refuse")
    waste_type_other: Maybe[Str200] = optional(
        "Kind of waste, in words", "Math o wastraff, mewn geiriau", example="Cooking oil", personal=Personal.YES
    )
    container_code: Maybe[Str64] = optional(
        "Container code", "Cod y cynhwysydd", example="RES240", about="As the council's own system knows it."
    )
    quantity: Maybe[Quantity] = optional("How many", "Faint", example=1)

    rules: ClassVar[tuple[Rule, ...]] = (Other("waste_type"),)


Containers = Annotated[list[Container], Field(min_length=1, max_length=50)]


class Details(Part):
    """What was missed, and when."""

    containers: Containers = required("Containers missed", "Cynwysyddion a fethwyd", example=[{"waste_type": "refuse"}])
    collection_date: Maybe[Day] = optional(
        "Collection day",
        "Diwrnod casglu",
        example="2026-03-09",
        about="A day to come, or one more than 31 days ago, is taken with a warning.",
    )
    put_out_by_time: Maybe[bool] = optional("Put out in time", "Wedi'i roi allan mewn pryd", example=True)
    location_of_containers: Maybe[Str200] = optional(
        "Where the containers are",
        "Ble mae'r cynwysyddion",
        example="At the end of the drive",
        personal=Personal.YES,
    )
    whole_street_missed: Maybe[bool] = optional("The whole street was missed", "Methwyd y stryd gyfan", example=False)
    assisted: Maybe[bool] = optional(
        "Has assisted collection", "Yn cael casgliad â chymorth", example=False, personal=Personal.SENSITIVE
    )
    crew_reason_seen: Maybe[Str64] = optional(
        "Reason the crew gave", "Y rheswm a roddodd y criw", example="not_presented"
    )
    service_id: Maybe[Str64] = optional("Back office's service id", "Dynodydd gwasanaeth y swyddfa gefn", example="81")
    service_item_name: Maybe[Str64] = optional(
        "Back office's item name", "Enw'r eitem yn y swyddfa gefn", example="Refuse 240L"
    )
    round_ref: Maybe[Str64] = optional("Round", "Cylchdaith", example="REF-07")
    reason: Reason = optional(
        "What happened", "Beth ddigwyddodd", example="not_collected", default=Reason.NOT_COLLECTED
    )
    reason_other: Maybe[Str200] = optional(
        "What happened, in words", "Beth ddigwyddodd, mewn geiriau", example="Lid left open", personal=Personal.YES
    )

    rules: ClassVar[tuple[Rule, ...]] = (Other("reason"),)

    def remarks(self, *, today: date) -> list[Warning]:
        at = "#/details/collection_date"
        found = in_future(at, self.collection_date, today=today)
        if self.collection_date is not None and today - self.collection_date > LONG_AGO:
            found.append(Warning(pointer=at, message="This collection day is more than 31 days ago; check it."))
        if self.crew_reason_seen is not None and self.crew_reason_seen not in CREW_REASONS:
            at = "#/details/crew_reason_seen"
            found.append(Warning(pointer=at, message="This code is not of the crew vocabulary."))
        if self.reason is Reason.OTHER and self.reason_other is None:
            found.append(unworded("#/details/reason"))
        for place, container in enumerate(self.containers):
            if container.waste_type is WasteType.OTHER and container.waste_type_other is None:
                found.append(unworded(f"#/details/containers/{place}/waste_type"))
        return found


class MissedBin(Envelope):
    """A missed collection at a home."""

    service: Literal["missed-bin"] = required("Service", "Gwasanaeth", example="missed-bin")
    version: Annotated[int, Exactly(1)] = required(
        "Version of the service's contract", "Fersiwn contract y gwasanaeth", example=1
    )
    property: Property = required("Property", "Eiddo", example={"uprn": "100012345678"})
    details: Details = required("Details", "Manylion", example={"containers": [{"waste_type": "refuse"}]})

    rules: ClassVar[tuple[Rule, ...]] = (Within("property", (AT_HOME,)),)


def _lgsl(data: Mapping[str, Any]) -> tuple[int, ...]:
    kinds = [container["waste_type"] for container in data["details"]["containers"]]
    return tuple(dict.fromkeys(LGSL.get(kind, REFUSE) for kind in kinds))


_TODAY = date(2026, 3, 10)

GOOD = (
    Example(
        why="The least that is taken: a home by UPRN and one kind of waste.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "missed-bin",
            "version": 1,
            "property": {"uprn": "100012345678"},
            "details": {"containers": [{"waste_type": "refuse"}]},
        },
    ),
    Example(
        why="Two kinds of waste, which a council may answer with two worksheets.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "missed-bin",
            "version": 1,
            "front_end_reference": "NB-2026-00042",
            "submitted_at": "2026-03-10T08:15:00Z",
            "contact": {"full_name": "Alex Example", "email": "alex@example.org", "phone": "07700 900123"},
            "property": {
                "uprn": "100012345678",
                "address": {"lines": ["1 High Street"], "town": "Northborough", "postcode": "nb12cd"},
            },
            "description": "Both were out by six. The crew went past on the other side \N{WASTEBASKET}\ufe0f.",
            "details": {
                "containers": [
                    {"waste_type": "refuse", "container_code": "RES240"},
                    {"waste_type": "food", "quantity": 2},
                ],
                "collection_date": "2026-03-09",
                "put_out_by_time": True,
                "reason": "not_collected",
            },
        },
    ),
    Example(
        why="Every detail, in Welsh, by a carer, without a UPRN, with an old date and words for `other`.",
        today=_TODAY,
        pointers=("#/details/collection_date",),
        body={
            "council": "E07000999",
            "service": "missed-bin",
            "version": 1,
            "channel": "phone",
            "language": "cy-GB",
            "contact": {"first_name": "Siân", "last_name": "Ŵyn", "phone": "01632 960001", "preferred": "phone"},
            "on_behalf_of": {"full_name": "Gwyn Esiampl", "relationship": "mam", "has_authority": True},
            "property": {"address": {"lines": ["Tŷ Gwyn", "Lôn y Felin"], "postcode": "NB3 4EF"}, "usrn": "20601234"},
            "attachments": [{"name": "bin.jpg", "media_type": "image/jpeg", "content_base64": "aGVsbG8="}],
            "declarations": {"privacy_notice_version": "2026-01", "terms_accepted": True, "marketing": False},
            "accessibility_needs": "Print bras",
            "extra": {"how_heard": ["Taflen", "Cymydog"]},
            "details": {
                "containers": [{"waste_type": "other", "waste_type_other": "Olew coginio"}],
                "collection_date": "2026-01-05",
                "location_of_containers": "Wrth y giât",
                "whole_street_missed": False,
                "assisted": True,
                "crew_reason_seen": "gate_locked",
                "service_id": "81",
                "service_item_name": "Olew",
                "round_ref": "REF-07",
                "reason": "other",
                "reason_other": "Clo newydd ar y giât",
            },
        },
    ),
)

BAD = (
    Example(
        why="A UPRN is a string: as a number it would lose its leading zeros.",
        today=_TODAY,
        pointers=("#/property/uprn",),
        body={
            "council": "northborough",
            "service": "missed-bin",
            "version": 1,
            "property": {"uprn": 100012345678},
            "details": {"containers": [{"waste_type": "refuse"}]},
        },
    ),
    Example(
        why="A misspelt field, a kind of waste that there is not, and 30 February: all said at once.",
        today=_TODAY,
        pointers=(
            "#/details/containers/0/waste_type",
            "#/details/containers/1/wasteType",
            "#/details/containers/1/waste_type",
            "#/details/collection_date",
        ),
        body={
            "council": "northborough",
            "service": "missed-bin",
            "version": 1,
            "property": {"uprn": "100012345678"},
            "details": {
                "containers": [{"waste_type": "rubbish"}, {"wasteType": "food"}],
                "collection_date": "2026-02-30",
            },
        },
    ),
    Example(
        why="A home that nobody can find, a name in both styles, and a sender who is anonymous but named.",
        today=_TODAY,
        pointers=("#/contact/full_name", "#/contact/last_name", "#/contact/first_name", "#/property"),
        body={
            "council": "northborough",
            "service": "missed-bin",
            "version": 1,
            "contact": {"anonymous": True, "full_name": "Alex Example", "last_name": "Example"},
            "property": {"custodian_code": "5990"},
            "details": {"containers": [{"waste_type": "refuse"}]},
        },
    ),
)

SERVICE = Service(
    code="missed-bin",
    title="Missed bin",
    title_cy="Bin a fethwyd",
    description="A household's bin, box or bag was not emptied when it should have been.",
    versions={1: MissedBin},
    lgsl=(REFUSE, RECYCLING, FOOD, GARDEN, CLINICAL),
    lgsl_of=_lgsl,
    good=GOOD,
    bad=BAD,
)
