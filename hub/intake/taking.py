"""From bytes to a durable submission: read, find the council, plan, write down, ring."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from pydantic_core import to_json

from hub import standard
from hub.core import about, calendar, routing
from hub.council import Council, Route
from hub.errors import Conflict, Invalid, KeyReused, NotAllowed, NotThere, StoreUnavailable
from hub.fuse import CrashPoint
from hub.intake import files
from hub.intake.deps import Deps
from hub.model import FrontEnd, Plan, PlannedDelivery, StepKind
from hub.store.accept import Accept, Accepted, IdempotencyKey, NewDelivery, ReferenceTaken
from hub.store.steps import LaterStep

LONDON = ZoneInfo("Europe/London")
KEY_LIFE = timedelta(days=7)
#: Above this, reading and sealing leave the event loop: everybody else's request would wait for them.
LARGE = 128 * 1024
NOTHING: Mapping[str, int] = MappingProxyType({})
_DRAWS = 4
#: After these, certainly nothing of it was kept.
REFUSED = (KeyReused, Conflict, Invalid)


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
    large = len(letter.raw) > LARGE
    read, council = await asyncio.to_thread(_read, letter, deps) if large else _read(letter, deps)
    admitted = files.NONE
    if "attachments" in read.data:
        sender, keyed = letter.front_end.id, letter.key is not None
        admitted = await files.admit(read.data, front_end=sender, deps=deps, keyed=keyed)
    for _ in range(_DRAWS):
        if large:
            thought = await asyncio.to_thread(compose, read, council, letter, deps, admitted=admitted)
        else:
            thought = compose(read, council, letter, deps, admitted=admitted)
        try:
            accepted = await _write(thought, deps)
        except ReferenceTaken:
            continue  # one in a million millions: draw again
        except REFUSED:
            await files.forget(admitted, deps=deps)
            raise
        if accepted.replayed:
            await files.forget(admitted, deps=deps)
        else:
            deps.fuse.reach(CrashPoint.AFTER_COMMIT_BEFORE_BELL)
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


def _read(letter: Letter, deps: Deps) -> tuple[standard.Read, Council]:
    read = standard.read(letter.raw, today=letter.received_at.astimezone(LONDON).date())
    return read, _council_for(read.data, letter.front_end, deps)


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


def compose(
    read: standard.Read,
    council: Council,
    letter: Letter,
    deps: Deps,
    *,
    id: str | None = None,
    reference: str | None = None,
    remarks: Sequence[Mapping[str, str]] = (),
    admitted: files.Admitted = files.NONE,
) -> Accept:
    """The thought that writes a submission down, planned and sealed.

    `id` and `reference` are those that somebody was told before, `remarks` are
    warnings of the door by which it came.
    """
    data = admitted.in_place(read.data)
    warnings = [*(warning.as_dict() for warning in read.warnings), *map(dict, remarks), *map(dict, admitted.remarks)]
    submission, reference = id or deps.ids(), reference or deps.references()
    received = letter.received_at.astimezone(LONDON).date()
    due = calendar.due_by(data["service"], received=received, gss=council.gss)
    hub = about.facts(
        our_reference=reference, reference=reference, received_at=letter.received_at, council=council.slug,
        warnings=warnings, front_end_reference=data.get("front_end_reference"), due_by=due,
    )  # fmt: skip
    plan = routing.plan({**data, "hub": hub}, council.routes_for(data["service"]))
    if data.get("attachments"):
        warnings += _left_behind(plan, council)
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
        deliveries=deliveries_of(plan.deliveries, reference, council, data, deps),
        idempotency=_key(letter, read, council, deps),
        event_id=deps.ids(),
        files=admitted.new,
        claims=admitted.claims(submission) if admitted.named else (),
    )


def deliveries_of(
    planned: Sequence[PlannedDelivery],
    reference: str,
    council: Council,
    data: Mapping[str, Any],
    deps: Deps,
    *,
    before: Mapping[str, int] = NOTHING,
) -> list[NewDelivery]:
    """Deliveries with the references that destinations are given: numbered where one gets several.

    `before` says how many each destination has had already.
    """
    to = [each.destination for each in planned]
    routes = [council.route(each.route) for each in planned]
    return [
        NewDelivery(
            id=deps.ids(),
            step=deps.ids(),
            destination=each.destination,
            route=each.route,
            item_index=each.item_index,
            our_reference=_numbered(reference, to, at, before=before.get(each.destination, 0)),
            call=routes[at].call("create"),
            later=_later(routes[at], data, deps),
        )
        for at, each in enumerate(planned)
    ]


def _numbered(reference: str, to: Sequence[str], at: int, *, before: int) -> str:
    if not before and to.count(to[at]) == 1:
        return reference
    return f"{reference}-{before + to[: at + 1].count(to[at])}"


def _later(route: Route, data: Mapping[str, Any], deps: Deps) -> list[LaterStep]:
    """Each file is a step of its own, behind the create, where the destination's product takes files."""
    if not route.destination.can("attach"):
        return []
    return [
        LaterStep(id=deps.ids(), kind=StepKind.ATTACH, call=route.call("attach"), attachment=each["id"])
        for each in data.get("attachments", ())
    ]


def _left_behind(plan: Plan, council: Council) -> list[dict[str, str]]:
    """Whoever sends files to a system that takes none is told, though nobody has to do anything about it."""
    reached = {each.destination for each in plan.deliveries if not council.route(each.route).destination.can("attach")}
    message = "{} takes no files: the case is made without them, and they stay in the hub as long as its content."
    return [{"pointer": "#/attachments", "message": message.format(name)} for name in sorted(reached)]


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
