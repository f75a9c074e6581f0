"""Which destinations get this submission?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from hub.core.mapping import CompiledMapping, Condition
from hub.errors import MappingFault
from hub.model import Plan, PlannedDelivery, Takes
from hub.standard import in_version


class Routable(Protocol):
    """What routing asks of a route."""

    @property
    def name(self) -> str: ...
    @property
    def destination_id(self) -> str: ...
    @property
    def when(self) -> Condition | None: ...
    @property
    def mapping(self) -> CompiledMapping: ...
    @property
    def tables(self) -> Mapping[str, Any]: ...
    @property
    def takes(self) -> Takes: ...


def plan(context: Mapping[str, Any], routes: Iterable[Routable]) -> Plan:
    """The deliveries of one submission, in the order of the routes and of their elements.

    `context` is the submission with `hub`; `routes` are those of its council
    and service; each sees it in the version of the contract that its mapping is
    written for. Never raises: a `when` or `each` that fails to evaluate, and a
    submission that no route takes, become faults, which are a person's. A test
    goes only to destinations that take tests, anything else only to those that
    take what is live.
    """
    deliveries: list[PlannedDelivery] = []
    faults: list[str] = []
    test, known = is_test(context), tuple(routes)
    open_to_it = [route for route in known if route.takes.fits(test=test)]
    for route in open_to_it:
        try:
            deliveries.extend(_of_route(context, route))
        except MappingFault as fault:
            faults.append(f"{_at(route.name)}{fault}")
        except Exception as error:  # a person can act on this; a 5xx would lose the resident's words
            faults.append(f"{_at(route.name)}it could not be evaluated ({type(error).__name__}); check the mapping")
    if not deliveries and not faults:
        faults.append(_untaken(test=test, shut=len(known) - len(open_to_it)))
    return Plan(deliveries=tuple(deliveries), faults=tuple(faults))


def still_to_make(
    plan: Plan, *, has: Collection[PlannedDelivery], faults: Sequence[str]
) -> tuple[PlannedDelivery, ...]:
    """What a plan of now adds to the deliveries that a submission has, and never one of them twice.

    A route adds its own where it failed before (`faults` of the earlier plan),
    or where its destination has none of this submission yet: it may be the same
    route under another name.
    """
    reached = {each.destination for each in has}
    return tuple(
        each
        for each in plan.deliveries
        if each.destination not in reached or any(fault.startswith(_at(each.route)) for fault in faults)
    )


def _at(route: str) -> str:
    return f"route {route}: "


def is_test(submission: Mapping[str, Any]) -> bool:
    """Whether its front end says that it is a test."""
    return submission.get("test") is True


def _untaken(*, test: bool, shut: int) -> str:
    """Why nobody gets it, and what to add; `shut` is how many routes lead where such a submission may not go."""
    if not shut:
        return "no route takes this submission; add a route to council.yaml, then `hub submissions replay`"
    if test:
        return (
            "this is a test, and no destination that takes tests gets it; "
            "add one with `takes: test` and a route to it to council.yaml, then `hub submissions replay`"
        )
    return (
        "no destination that takes live submissions gets it; "
        "set `takes: live` on one, or add a route to such a one, in council.yaml, then `hub submissions replay`"
    )


def _of_route(context: Mapping[str, Any], route: Routable) -> list[PlannedDelivery]:
    if route.when is None and not route.mapping.has_each:
        return [PlannedDelivery(destination=route.destination_id, route=route.name)]
    seen = {**in_version(context, route.mapping.version), **route.tables}
    if route.when is not None and not route.when.holds(seen):
        return []
    elements = route.mapping.split(seen)
    split = route.mapping.has_each
    return [
        PlannedDelivery(destination=route.destination_id, route=route.name, item_index=at if split else None)
        for at, _ in enumerate(elements)
    ]
