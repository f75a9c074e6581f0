"""Which destinations get this submission?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from hub.core.mapping import CompiledMapping, Condition
from hub.errors import MappingFault
from hub.model import Plan, PlannedDelivery


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


def plan(context: Mapping[str, Any], routes: Iterable[Routable]) -> Plan:
    """The deliveries of one submission, in the order of the routes and of their elements.

    `context` is the submission with `hub`; `routes` are those of its council
    and service. Never raises: a `when` or `each` that fails to evaluate, and a
    submission that no route takes, become faults, which are a person's.
    """
    deliveries: list[PlannedDelivery] = []
    faults: list[str] = []
    for route in routes:
        try:
            deliveries.extend(_of_route(context, route))
        except MappingFault as fault:
            faults.append(f"route {route.name}: {fault}")
        except Exception as error:  # a person can act on this; a 5xx would lose the resident's words
            faults.append(f"route {route.name}: it could not be evaluated ({type(error).__name__}); check the mapping")
    if not deliveries and not faults:
        faults.append("no route takes this submission; add a route to council.yaml, then replay")
    return Plan(deliveries=tuple(deliveries), faults=tuple(faults))


def _of_route(context: Mapping[str, Any], route: Routable) -> list[PlannedDelivery]:
    if route.when is None and not route.mapping.has_each:
        return [PlannedDelivery(destination=route.destination_id, route=route.name)]
    seen = {**context, **route.tables}
    if route.when is not None and not route.when.holds(seen):
        return []
    elements = route.mapping.split(seen)
    split = route.mapping.has_each
    return [
        PlannedDelivery(destination=route.destination_id, route=route.name, item_index=at if split else None)
        for at, _ in enumerate(elements)
    ]
