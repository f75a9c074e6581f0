"""What staff do with a submission that a route failed for, or none took: route it again, or set it aside."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from pydantic_core import from_json

from hub.core import about, routing
from hub.errors import NotThere, WrongState
from hub.intake.deps import Deps
from hub.intake.follow_ups import calls, words_of
from hub.intake.naming import id_or_reference
from hub.intake.taking import content_place, deliveries_of
from hub.model import PlannedDelivery, User
from hub.store import follow_ups, received, reroute, submissions
from hub.store.accept import NewDelivery
from hub.store.follow_ups import Words
from hub.store.reroute import Act, Unrouted

_ABSENT = "There is no submission with that id or reference in your councils; `hub submissions list` shows them."
_FORGOTTEN = "What was sent is forgotten by now; ask its sender for it again, or discard this."
_PARKED = "It is a form that is no submission yet; `hub received replay` or `hub received discard` is for it."
_WHY = "Somebody has set it aside; say why it is wanted after all (`reason`)."


async def replay(name: str, *, deps: Deps, user: User, reason: str | None) -> str:
    """Route it by the council files as they are now; its id.

    It keeps its reference and the deliveries that it has, and gets those that
    were missing. What still cannot be routed stays a person's, with the new
    reason why. Raises NotThere, WrongState and StoreUnavailable.
    """
    seen = await _seen(name, deps=deps, user=user)
    if seen.discarded and not reason:
        raise WrongState(_WHY)
    if seen.body is None:
        raise WrongState(_FORGOTTEN)
    made, faults = await asyncio.to_thread(_routed, seen, deps)
    act, row = Act(actor=user.name, reason=reason), seen.row

    def said(follow_up: Any) -> Words:
        return words_of(from_json(deps.store.sealer.open(follow_up.body, place=follow_ups.place(follow_up.id))))

    await deps.store.transact(
        lambda connection: reroute.route(
            connection, seen, made, faults=faults, act=act, said=said, call_of=calls(deps, row.council)
        )
    )
    for destination in {each.destination for each in made}:
        deps.ring(destination)
    return str(row.id)


async def discard(name: str, *, deps: Deps, user: User, reason: str) -> str:
    """Nobody has to route it any more; its id. What it has been delivered to stays as it is.

    Raises NotThere and WrongState.
    """
    seen = await _seen(name, deps=deps, user=user)
    act = Act(actor=user.name, reason=reason)
    await deps.store.transact(lambda connection: reroute.discard(connection, seen, act=act))
    return str(seen.row.id)


async def _seen(name: str, *, deps: Deps, user: User) -> Unrouted:
    known = id_or_reference(name)
    if known is None:
        raise NotThere(_ABSENT)
    try:
        council = (await deps.store.read(lambda connection: submissions.find(connection, known))).council
    except NotThere:
        form = await deps.store.read(lambda connection: received.waiting(connection, known))
        if form is None or not user.sees(form.council):
            raise NotThere(_ABSENT) from None
        raise WrongState(_PARKED) from None
    if not user.sees(council):
        raise NotThere(_ABSENT)
    return await deps.store.read(lambda connection: reroute.find(connection, known))


def _routed(seen: Unrouted, deps: Deps) -> tuple[Sequence[NewDelivery], Sequence[str]]:
    """What routing adds to it now, and what it still cannot decide."""
    row = seen.row
    assert seen.body is not None
    place = content_place(row.id, revision=seen.revision)
    data: dict[str, Any] = from_json(deps.store.sealer.open(seen.body, place=place))
    council = deps.councils().find(row.council)
    hub = about.facts(
        our_reference=row.reference, reference=row.reference, received_at=row.accepted_at, council=council.slug,
        warnings=row.warnings or (), front_end_reference=row.front_end_reference, due_by=row.due_by,
    )  # fmt: skip
    plan = routing.plan({**data, "hub": hub}, council.routes_for(row.service))
    has = [PlannedDelivery(destination=case.destination, route=case.route) for case in seen.cases]
    adds = routing.still_to_make(plan, has=has, faults=row.faults)
    before = Counter(case.destination for case in seen.cases)
    return deliveries_of(adds, row.reference, council, data, deps, before=before), plan.faults
