"""Missed bin: a collection that did not happen; version 1, and the service with all its versions."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from hub.model import Warning
from hub.standard.attachment import DOT
from hub.standard.envelope import Envelope
from hub.standard.fields import Day, Exactly, Maybe, Str64, Str200
from hub.standard.labels import Personal, optional, required
from hub.standard.missed_bin_2 import BAD as BAD_2
from hub.standard.missed_bin_2 import CHANGE, MissedBin2
from hub.standard.missed_bin_2 import GOOD as GOOD_2
from hub.standard.part import Part
from hub.standard.place import Property
from hub.standard.rules import Other, Rule, Within
from hub.standard.service import Example, Service
from hub.standard.waste import (
    CLINICAL,
    FOOD,
    GARDEN,
    RECYCLING,
    REFUSE,
    Reason,
    WasteType,
    collections,
    crew_said,
    missed_on,
)
from hub.standard.wording import AT_HOME, unworded

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
        found = missed_on("#/details/collection_date", self.collection_date, today=today)
        found += crew_said("#/details/crew_reason_seen", self.crew_reason_seen)
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
            "attachments": [{"name": "bin.png", "media_type": "image/png", "content_base64": DOT}],
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
    versions={1: MissedBin, 2: MissedBin2},
    changes={2: CHANGE},
    lgsl=(REFUSE, RECYCLING, FOOD, GARDEN, CLINICAL),
    lgsl_of=collections,
    good=GOOD + GOOD_2,
    bad=BAD + BAD_2,
)
