"""Missed bin, version 2: each container with its own day and its own reason; and what version 1 makes of that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from hub.model import Warning
from hub.standard.envelope import Envelope
from hub.standard.fields import Day, Exactly, Maybe, Str64, Str200
from hub.standard.labels import Personal, optional, required
from hub.standard.part import Part
from hub.standard.place import Property
from hub.standard.rules import Other, Rule, Within
from hub.standard.service import Example
from hub.standard.versions import Change, Data, set_aside
from hub.standard.waste import Reason, WasteType, crew_said, missed_on
from hub.standard.wording import AT_HOME, unworded

Quantity = Annotated[int, Field(ge=1, le=20)]


class Container(Part):
    """One kind of container that was not emptied: when, why, and what the back office calls it."""

    waste_type: WasteType = required("Kind of waste", "Math o wastraff", example="refuse")
    waste_type_other: Maybe[Str200] = optional(
        "Kind of waste, in words", "Math o wastraff, mewn geiriau", example="Cooking oil", personal=Personal.YES
    )
    container_code: Maybe[Str64] = optional(
        "Container code", "Cod y cynhwysydd", example="RES240", about="As the council's own system knows it."
    )
    quantity: Maybe[Quantity] = optional("How many", "Faint", example=1)
    collection_date: Maybe[Day] = optional(
        "Collection day",
        "Diwrnod casglu",
        example="2026-03-09",
        about="A day to come, or one more than 31 days ago, is taken with a warning.",
    )
    reason: Reason = optional(
        "What happened", "Beth ddigwyddodd", example="not_collected", default=Reason.NOT_COLLECTED
    )
    reason_other: Maybe[Str200] = optional(
        "What happened, in words", "Beth ddigwyddodd, mewn geiriau", example="Lid left open", personal=Personal.YES
    )
    crew_reason_seen: Maybe[Str64] = optional(
        "Reason the crew gave", "Y rheswm a roddodd y criw", example="not_presented"
    )
    service_id: Maybe[Str64] = optional("Back office's service id", "Dynodydd gwasanaeth y swyddfa gefn", example="81")
    service_item_name: Maybe[Str64] = optional(
        "Back office's item name", "Enw'r eitem yn y swyddfa gefn", example="Refuse 240L"
    )
    round_ref: Maybe[Str64] = optional("Round", "Cylchdaith", example="REF-07")

    rules: ClassVar[tuple[Rule, ...]] = (Other("waste_type"), Other("reason"))

    def remarked(self, where: str, *, today: date) -> list[Warning]:
        found = missed_on(f"{where}/collection_date", self.collection_date, today=today)
        found += crew_said(f"{where}/crew_reason_seen", self.crew_reason_seen)
        if self.waste_type is WasteType.OTHER and self.waste_type_other is None:
            found.append(unworded(f"{where}/waste_type"))
        if self.reason is Reason.OTHER and self.reason_other is None:
            found.append(unworded(f"{where}/reason"))
        return found


Containers = Annotated[list[Container], Field(min_length=1, max_length=50)]


class Details(Part):
    """What was missed, and what is true of the whole household."""

    containers: Containers = required("Containers missed", "Cynwysyddion a fethwyd", example=[{"waste_type": "refuse"}])
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

    def remarks(self, *, today: date) -> list[Warning]:
        places = enumerate(self.containers)
        return [found for place, one in places for found in one.remarked(f"#/details/containers/{place}", today=today)]


class MissedBin2(Envelope):
    """A missed collection at a home."""

    service: Literal["missed-bin"] = required("Service", "Gwasanaeth", example="missed-bin")
    version: Annotated[int, Exactly(2)] = required(
        "Version of the service's contract", "Fersiwn contract y gwasanaeth", example=2
    )
    property: Property = required("Property", "Eiddo", example={"uprn": "100012345678"})
    details: Details = required("Details", "Manylion", example={"containers": [{"waste_type": "refuse"}]})

    rules: ClassVar[tuple[Rule, ...]] = (Within("property", (AT_HOME,)),)


#: What version 1 says once for all containers, besides the reason.
_ONCE = ("collection_date", "crew_reason_seen", "service_id", "service_item_name", "round_ref")
_REASON = ("reason", "reason_other")
_LONGEST = 200  #: of the words that version 1 has for `other`


def up(data: Data) -> Data:
    """Version 1 as version 2: what was said once is true of every container."""
    once = {name: value for name, value in data["details"].items() if name in _ONCE + _REASON}
    kept = {name: value for name, value in data["details"].items() if name not in once}
    return {**data, "details": {**kept, "containers": [{**each, **once} for each in kept["containers"]]}}


def down(data: Data) -> Data:
    """Version 2 as version 1: what all containers agree on is said once, what they do not is never said of all."""
    containers = data["details"]["containers"]
    once: dict[str, Any] = {}
    aside: dict[str, list[str]] = {}
    for name in _ONCE:
        agreed = {each.get(name) for each in containers}
        if len(agreed) > 1:
            aside[_label(name)] = _apart(containers, name)
        elif agreed != {None}:
            once[name] = agreed.pop()
    reasons = [{name: each[name] for name in _REASON if name in each} for each in containers]
    if all(reason == reasons[0] for reason in reasons):
        once |= reasons[0]
    else:
        told = aside[_label("reason")] = _apart(containers, "reason_other", "reason")
        once |= {"reason": Reason.OTHER.value, "reason_other": _short("; ".join(told))}
    left = [{name: value for name, value in each.items() if name not in _ONCE + _REASON} for each in containers]
    return set_aside({**data, "details": {**data["details"], "containers": left, **once}}, aside)


def _apart(containers: list[Any], *names: str) -> list[str]:
    """What each container says under the first of these names, behind the container's own."""
    said = [(each, next((each[name] for name in names if name in each), None)) for each in containers]
    return [f"{_name(each)}: {text}" for each, text in said if text is not None]


def _name(container: Mapping[str, Any]) -> str:
    kind = container.get("waste_type_other", container["waste_type"])
    return f"{kind} ({container['container_code']})" if "container_code" in container else str(kind)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _label(name: str) -> str:
    notes: Any = Container.model_fields[name].json_schema_extra
    return str(notes["x-label"]["en"])


CHANGE = Change(
    about=(
        "`collection_date`, `reason`, `reason_other`, `crew_reason_seen`, `service_id`, `service_item_name` and "
        "`round_ref` are said of each container, not once for all: refuse may be missed on Monday and food on Friday."
    ),
    up=up,
    down=down,
)

_TODAY = date(2026, 3, 10)

GOOD = (
    Example(
        why="The least that is taken: the same as in version 1.",
        today=_TODAY,
        version=2,
        body={
            "council": "northborough",
            "service": "missed-bin",
            "version": 2,
            "property": {"uprn": "100012345678"},
            "details": {"containers": [{"waste_type": "refuse"}]},
        },
    ),
    Example(
        why="Two kinds of waste with two rounds, missed on two days for two reasons.",
        today=_TODAY,
        version=2,
        body={
            "council": "northborough",
            "service": "missed-bin",
            "version": 2,
            "front_end_reference": "NB-2026-00043",
            "contact": {"full_name": "Alex Example", "email": "alex@example.org", "phone": "07700 900123"},
            "property": {"uprn": "100012345678", "address": {"lines": ["1 High Street"], "postcode": "NB1 2CD"}},
            "description": "The caddy was left in the road \N{WASTEBASKET}\ufe0f.",
            "details": {
                "containers": [
                    {
                        "waste_type": "refuse",
                        "container_code": "RES240",
                        "collection_date": "2026-03-05",
                        "reason": "part_collected",
                        "service_id": "81",
                        "service_item_name": "Refuse 240L",
                        "round_ref": "REF-07",
                    },
                    {
                        "waste_type": "food",
                        "quantity": 2,
                        "collection_date": "2026-03-09",
                        "reason": "container_not_returned",
                        "service_id": "85",
                        "round_ref": "FOOD-02",
                    },
                ],
                "put_out_by_time": True,
            },
        },
    ),
    Example(
        why="In Welsh, with words for `other`, an old date, and a code that no crew uses.",
        today=_TODAY,
        version=2,
        pointers=("#/details/containers/0/collection_date", "#/details/containers/1/crew_reason_seen"),
        body={
            "council": "E07000999",
            "service": "missed-bin",
            "version": 2,
            "channel": "phone",
            "language": "cy",
            "contact": {"first_name": "Siân", "last_name": "Ŵyn", "phone": "01632 960001"},
            "property": {"address": {"lines": ["Tŷ Gwyn", "Lôn y Felin"], "postcode": "NB3 4EF"}},
            "extra": {"Collection day": "Dydd Llun"},
            "details": {
                "containers": [
                    {
                        "waste_type": "other",
                        "waste_type_other": "Olew coginio",
                        "collection_date": "2026-01-05",
                        "reason": "other",
                        "reason_other": "Clo newydd ar y giât",
                        "crew_reason_seen": "gate_locked",
                    },
                    {"waste_type": "food", "crew_reason_seen": "gwenyn"},
                ],
                "location_of_containers": "Wrth y giât",
                "whole_street_missed": False,
                "assisted": True,
            },
        },
    ),
)

BAD = (
    Example(
        why="Written for version 1: what was missed when, and why, is said of each container now.",
        today=_TODAY,
        version=2,
        pointers=("#/details/collection_date", "#/details/reason"),
        body={
            "council": "northborough",
            "service": "missed-bin",
            "version": 2,
            "property": {"uprn": "100012345678"},
            "details": {
                "containers": [{"waste_type": "refuse"}],
                "collection_date": "2026-03-09",
                "reason": "not_collected",
            },
        },
    ),
    Example(
        why="A day that there is not, a reason that there is not, and words for `other` where it is something else.",
        today=_TODAY,
        version=2,
        pointers=(
            "#/details/containers/0/collection_date",
            "#/details/containers/1/reason",
            "#/details/containers/2/reason_other",
        ),
        body={
            "council": "northborough",
            "service": "missed-bin",
            "version": 2,
            "property": {"uprn": "100012345678"},
            "details": {
                "containers": [
                    {"waste_type": "refuse", "collection_date": "2026-02-30"},
                    {"waste_type": "food", "reason": "forgotten"},
                    {"waste_type": "glass", "reason": "spillage", "reason_other": "All over the road"},
                ]
            },
        },
    ),
    Example(
        why="Nothing was missed, at a home that nobody can find.",
        today=_TODAY,
        version=2,
        pointers=("#/property", "#/details/containers"),
        body={
            "council": "northborough",
            "service": "missed-bin",
            "version": 2,
            "property": {"usrn": "20601234"},
            "details": {"containers": []},
        },
    ),
)
