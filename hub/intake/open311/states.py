"""Where a request is, as GeoReport says it: open or closed, and nothing personal."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from hub.core.offer import Offer
from hub.council import Council
from hub.intake.deps import Room
from hub.intake.naming import id_or_reference, is_id
from hub.intake.open311 import catalogue
from hub.intake.problems import Stop
from hub.intake.views import instant
from hub.model import FrontEnd
from hub.store import service_requests
from hub.store.service_requests import ServiceRequest

MOST = 100  #: requests that one question may name
#: The council's progress after which nothing more is done. Any other, and none yet, is open.
_CLOSED = frozenset("resolved fixed closed duplicate not_councils_responsibility no_further_action cancelled".split())


async def found(names: Iterable[str], council: Council, *, caller: FrontEnd | None, room: Room) -> list[ServiceRequest]:
    """Those of these numbers that the caller may know of; what is no number of ours names nothing."""
    references = list(dict.fromkeys(filter(None, map(_reference, names))))
    if not references:
        return []
    rows = await room.deps.store.read(
        lambda connection: service_requests.find(connection, references, council=council.slug, format=catalogue.FORMAT)
    )
    return [row for row in rows if _may_know(row, council, caller)]


def _reference(name: str) -> str | None:
    known = id_or_reference(name.strip())
    return None if known is None or is_id(known) else known


def _may_know(row: ServiceRequest, council: Council, caller: FrontEnd | None) -> bool:
    """Its own front end; without a key anybody who has the number, unless the service is private."""
    if caller is not None:
        return row.front_end == caller.id
    offer = _offer(council, row.profile)
    return offer is not None and not offer.private


def _offer(council: Council, profile: str) -> Offer | None:
    """What the service is called now; None where the council no longer has it."""
    try:
        return catalogue.entry(council, profile).offer
    except Stop:
        return None


def told(rows: Collection[ServiceRequest], council: Council) -> list[dict[str, Any]]:
    return [_told(row, council) for row in rows]


def _told(row: ServiceRequest, council: Council) -> dict[str, Any]:
    offer = _offer(council, row.profile)
    return {
        "service_request_id": row.reference,
        "status": "closed" if row.discarded or row.case_status in _CLOSED else "open",
        "status_notes": row.case_status or "",
        "service_name": offer.name if offer else row.profile,
        "service_code": row.profile,
        "agency_responsible": council.name,
        "requested_datetime": instant(row.received_at.replace(microsecond=0)),
        "updated_datetime": instant(row.updated_at.replace(microsecond=0)),
    }
