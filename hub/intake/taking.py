"""From bytes to a durable submission: read, find the council, plan, write down, ring."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic_core import to_json

from hub import standard
from hub.core import calendar, routing
from hub.council import Council
from hub.errors import Conflict, NotAllowed, NotThere, StoreUnavailable
from hub.intake.deps import Deps
from hub.intake.views import instant
from hub.model import FrontEnd, Plan
from hub.store.accept import Accept, Accepted, IdempotencyKey, NewDelivery, ReferenceTaken

LONDON = ZoneInfo("Europe/London")
KEY_LIFE = timedelta(days=7)
#: Above this, reading and sealing leave the event loop: everybody else's request would wait for them.
LARGE = 128 * 1024
_DRAWS = 4


def content_place(submission: str, *, revision: int = 1) -> str:
    """Where a submission's content is sealed to: it opens nowhere else."""
    return f"submission_content|{submission}|{revision}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a front end handed over, whichever door it used."""

    front_end: FrontEnd
    raw: bytes
    received_at: datetime
    scope: str = "v1"  #: whose keys these are; see contract.md, "Idempotency"
    key: str | None = None
    trace: str | None = None


_SERVICE = re.compile(rb'"service"\s*:\s*"([a-z0-9-]{1,64})"')


def service_in(raw: bytes) -> str:
    """The service that a refused body speaks of, for counting: a known code, or "unknown"."""
    named = _SERVICE.search(raw)
    code = named[1].decode() if named else ""
    return code if code in standard.SERVICES else "unknown"


async def take(letter: Letter, *, deps: Deps) -> Accepted:
    """Take one submission in; it is durable when this returns.

    Raises standard.Unreadable, Invalid, NotThere, NotAllowed, KeyReused,
    Conflict and StoreUnavailable, and then nothing was kept.
    """
    for _ in range(_DRAWS):
        if len(letter.raw) > LARGE:
            thought = await asyncio.to_thread(_prepare, letter, deps)
        else:
            thought = _prepare(letter, deps)
        try:
            accepted = await _write(thought, deps)
        except ReferenceTaken:
            continue  # one in a million millions: draw again
        if not accepted.replayed:
            for destination in {delivery.destination for delivery in thought.deliveries}:
                deps.ring(destination)
        return accepted
    raise StoreUnavailable


async def _write(thought: Accept, deps: Deps) -> Accepted:
    try:
        accepted: Accepted = await deps.store.write(thought)
    except Conflict:
        # Another process committed this key in the same moment, so now its answer can be read.
        accepted = await deps.store.write(thought)
    return accepted


def _prepare(letter: Letter, deps: Deps) -> Accept:
    read = standard.read(letter.raw, today=letter.received_at.astimezone(LONDON).date())
    council = _council_for(read.data, letter.front_end, deps)
    return _thought(read, council, letter, deps)


def _council_for(data: Mapping[str, Any], front_end: FrontEnd, deps: Deps) -> Council:
    council = deps.councils().find(data["council"])
    service = data["service"]
    if not council.routes_for(service):
        taken = ", ".join(sorted(council.services)) or "no service yet"
        raise NotThere(f"{council.slug} does not take {service} through this hub; it takes {taken}.")
    if not front_end.may(council=council.slug, service=service):
        raise NotAllowed(
            f"Your key is for {_named(front_end.councils, 'councils')} and {_named(front_end.services, 'services')}; "
            "ask the hub's administrator for one that reaches further."
        )
    return council


def _named(names: frozenset[str] | None, what: str) -> str:
    return f"all {what}" if names is None else f"the {what} {', '.join(sorted(names))}"


def _thought(read: standard.Read, council: Council, letter: Letter, deps: Deps) -> Accept:
    data, warnings = read.data, [warning.as_dict() for warning in read.warnings]
    submission, reference = deps.ids(), deps.references()
    received = letter.received_at.astimezone(LONDON).date()
    due = calendar.due_by(data["service"], received=received, gss=council.gss)
    hub = _about(data, council, letter, reference=reference, warnings=warnings, due=due)
    plan = routing.plan({**data, "hub": hub}, council.routes_for(data["service"]))
    return Accept(
        id=submission,
        reference=reference,
        council=council.slug,
        service=data["service"],
        version=data["version"],
        front_end=letter.front_end.id,
        front_end_reference=data.get("front_end_reference"),
        channel=data["channel"],
        accepted_at=letter.received_at,
        due_by=due,
        warnings=warnings,
        faults=tuple(plan.faults),
        test=data.get("test", False),
        trace_id=letter.trace,
        body=deps.store.sealer.seal(to_json(data), place=content_place(submission)),
        attrs=_attrs(data, deps),
        deliveries=_deliveries(plan, reference, deps),
        idempotency=_key(letter, read, council, deps),
        event_id=deps.ids(),
    )


def _about(
    data: Mapping[str, Any],
    council: Council,
    letter: Letter,
    *,
    reference: str,
    warnings: Sequence[dict[str, str]],
    due: date | None,
) -> dict[str, Any]:
    """What the hub adds for routing: `hub.*` in mappings."""
    about: dict[str, Any] = {
        "our_reference": reference,
        "reference": reference,
        "received_at": instant(letter.received_at),
        "council": council.slug,
        "warnings": list(warnings),
    }
    if "front_end_reference" in data:
        about["front_end_reference"] = data["front_end_reference"]
    if due is not None:
        about["due_by"] = due.isoformat()
    return about


def _deliveries(plan: Plan, reference: str, deps: Deps) -> list[NewDelivery]:
    """Deliveries with the references that destinations are given: numbered where one gets several."""
    to = [planned.destination for planned in plan.deliveries]
    return [
        NewDelivery(
            id=deps.ids(),
            step=deps.ids(),
            destination=planned.destination,
            route=planned.route,
            item_index=planned.item_index,
            our_reference=reference if to.count(to[at]) == 1 else f"{reference}-{to[: at + 1].count(to[at])}",
        )
        for at, planned in enumerate(plan.deliveries)
    ]


def _attrs(data: Mapping[str, Any], deps: Deps) -> list[tuple[str, bytes]]:
    """What staff may find it by, as keyed hashes: never the values."""
    contact, home = data.get("contact", {}), data.get("property", {})
    found = {"email": contact.get("email"), "phone": contact.get("phone_e164"), "uprn": home.get("uprn")}
    return [(name, deps.store.hasher.digest(name, value.lower())) for name, value in found.items() if value]


def _key(letter: Letter, read: standard.Read, council: Council, deps: Deps) -> IdempotencyKey | None:
    if letter.key is None:
        return None
    hasher = deps.store.hasher
    return IdempotencyKey(
        scope=letter.scope,
        key_hash=hasher.digest("idempotency", letter.key),
        fingerprint=hasher.digest("content", council.slug, read.data["service"], read.digest_input),
        expires_at=letter.received_at + KEY_LIFE,
    )
