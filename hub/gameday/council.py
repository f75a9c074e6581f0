"""The council of a rehearsal: one destination for each class of replay safety, and what residents send it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.model import ReplaySafety

TIMEOUT = 4  #: seconds until a call to a back office is given up
SLOW = 2.0  #: seconds that a back office takes where many calls are to be away at any moment
LONG = 3.0  #: and where they are to be away while a process is started
SETTLE = 2  #: seconds after which a look that finds nothing counts
CAP = 64  #: calls in flight at one destination
LADDER = 40  #: tries, a second or two apart: nothing may be dead only because a fault took its time

#: The scriptable connectors, by the class that each declares and keeps.
CONNECTORS = {
    ReplaySafety.IDEMPOTENT: "scriptable",
    ReplaySafety.REJECTS_DUPLICATES: "scriptable-rejects",
    ReplaySafety.LOOKUP: "scriptable-lookup",
    ReplaySafety.LISTING: "scriptable-listing",
    ReplaySafety.UNSAFE: "scriptable-unsafe",
}
CLASSES = tuple(ReplaySafety)
MAIN = "gameday"
NUMBERED = 24  #: places of each class with room for one call, for two workers to race for


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A destination, and which pretend back office stands behind it."""

    name: str
    safety: ReplaySafety
    office: str  #: several places may share one
    council: str = MAIN
    cap: int = CAP
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.council}/{self.name}"

    @property
    def variable(self) -> str:
        """Where its address stands in the environment."""
        return f"GAMEDAY_{self.office.upper().replace('-', '_')}_URL"


def name_of(safety: ReplaySafety) -> str:
    return safety.value.replace("_", "-")


PLACES = {safety: Place(name=name_of(safety), safety=safety, office=name_of(safety)) for safety in CLASSES}
#: Many places with room for one call each.
NARROW = [
    Place(
        name=f"{name_of(safety)}-{number}",
        safety=safety,
        office=name_of(safety),
        council="gameday-narrow",
        cap=1,
        more={"retry": ["1s"] * 5},
    )
    for safety in CLASSES
    for number in range(NUMBERED)
]
_NEIGHBOUR = 4  #: calls in flight at each place of the two neighbours
HEALTHY = Place(
    name="register", safety=ReplaySafety.IDEMPOTENT, office="healthy", council="gameday-healthy", cap=_NEIGHBOUR
)
#: Six of them, so that more than twenty calls hang.
SICK = [
    Place(
        name=f"register-{number}", safety=ReplaySafety.IDEMPOTENT, office="sick", council="gameday-sick", cap=_NEIGHBOUR
    )
    for number in range(6)
]
EVERYWHERE = [*PLACES.values(), *NARROW, HEALTHY, *SICK]

_MAPPING = """\
service: missed-bin
connector: {connector}
create:
  operation: CreateCase
  record:
    title: "Missed bin for {{ hub.reference }}"
    uprn: "{{ property.uprn | default(omit) }}"
"""


def write_files(folder: Path, places: Iterable[Place] = EVERYWHERE) -> Path:
    """The council files of these places; gives the folder to name in HUB_MAPPINGS."""
    by_council: dict[str, list[Place]] = {}
    for place in places:
        by_council.setdefault(place.council, []).append(place)
    for at, (slug, some) in enumerate(by_council.items()):
        of_its_own = folder / "mappings" / slug
        of_its_own.mkdir(parents=True)
        # JSON is YAML, and needs no care with quotes.
        (of_its_own / "council.yaml").write_text(json.dumps(_council(slug, some, number=at)))
        for connector in {CONNECTORS[place.safety] for place in some}:
            (of_its_own / f"{connector}.yaml").write_text(_MAPPING.replace("{connector}", connector))
    return folder / "mappings"


def _council(slug: str, places: list[Place], *, number: int) -> dict[str, Any]:
    return {
        "council": f"Rehearsal {number}",
        "slug": slug,
        "gss": f"E0700099{number}",
        "calendar": "england-and-wales",
        "destinations": {place.name: _destination(place) for place in places},
        "routes": [
            {
                "name": place.name,
                "service": "missed-bin",
                "to": place.name,
                "when": f"{{{{ (extra.goes_to | default('')) == '{place.name}' }}}}",
                "mapping": f"{CONNECTORS[place.safety]}.yaml",
            }
            for place in places
        ],
    }


def _destination(place: Place) -> dict[str, Any]:
    return {
        "connector": CONNECTORS[place.safety],
        "settings": {"url": f"env:{place.variable}"},
        "limits": {"concurrency": place.cap, "timeout": f"{TIMEOUT}s"},
        "retry": ["1s", *["2s"] * (LADDER - 1)],
        "settle": f"{SETTLE}s",
        "breaker": "off",  # here every fault is one that ends; a breaker would only add its own waits
        **place.more,
    }


def body(place: Place, *, mark: str, number: int) -> dict[str, Any]:
    """A submission that goes to this place and nowhere else; fictional in every field."""
    return {
        "council": place.council,
        "service": "missed-bin",
        "version": 1,
        "channel": "api",
        "front_end_reference": f"{mark}:{place.name}:{number}",
        "property": {"uprn": str(100_000_000 + number)},
        "details": {"containers": [{"waste_type": "refuse"}]},
        "extra": {"goes_to": place.name},
    }
