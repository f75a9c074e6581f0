"""Which formats this door speaks and where: what `GET discovery` answers."""

from __future__ import annotations

from typing import Any

from hub.council import Council
from hub.intake.deps import Room

_SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
#: When what is told here last changed.
_CHANGED = "2026-11-23T00:00:00Z"


def told(council: Council, room: Room) -> dict[str, Any]:
    """One endpoint: this council's."""
    endpoint = {
        "specification": _SPECIFICATION,
        "url": f"{room.base}/open311/{council.slug}/",
        "changeset": _CHANGED,
        "type": "production",
        "formats": ["text/xml", "application/json"],
    }
    return {
        "changeset": _CHANGED,
        "contact": f"{council.name}, through Council Hub",
        "key_service": "Ask the hub's administrator for an api_key (`hub front-ends add`).",
        "endpoints": [endpoint],
    }
