"""Household waste: its kinds, what can go wrong with a collection, and what the public list calls it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from hub.model import Warning
from hub.standard.wording import in_future

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


REFUSE, RECYCLING, FOOD, GARDEN, CLINICAL = 524, 1130, 1423, 530, 859

#: Kinds that are collected to be used again, though not by a service of their own.
RECYCLED = frozenset(
    {
        WasteType.RECYCLING,
        WasteType.MIXED_RECYCLING,
        WasteType.PAPER_CARD,
        WasteType.GLASS,
        WasteType.TEXTILES,
        WasteType.BATTERIES,
        WasteType.ELECTRICALS,
    }
)


class Reason(StrEnum):
    """What happened instead of a collection."""

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


def collections(data: Mapping[str, Any]) -> tuple[int, ...]:
    """The public list's numbers for the containers of one submission; what has none goes with household refuse."""
    own = {WasteType.FOOD: FOOD, WasteType.GARDEN: GARDEN, WasteType.CLINICAL: CLINICAL}
    kinds = [container["waste_type"] for container in data["details"]["containers"]]
    return tuple(dict.fromkeys(own.get(kind, RECYCLING if kind in RECYCLED else REFUSE) for kind in kinds))


def missed_on(where: str, day: date | None, *, today: date) -> list[Warning]:
    """For a collection day that is yet to come, or past mending."""
    found = in_future(where, day, today=today)
    if day is not None and today - day > LONG_AGO:
        found.append(Warning(pointer=where, message="This collection day is more than 31 days ago; check it."))
    return found


def crew_said(where: str, code: str | None) -> list[Warning]:
    """For a code that no crew uses."""
    if code is None or code in CREW_REASONS:
        return []
    return [Warning(pointer=where, message="This code is not of the crew vocabulary.")]
