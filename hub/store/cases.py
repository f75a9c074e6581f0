"""Which deliveries are of one case: each part of a split, and each route, has a case of its own."""

from __future__ import annotations

from typing import Any


def same_case(one: Any, other: Any) -> tuple[Any, ...]:
    """Conditions under which two rows of the delivery table, given by their columns or values, are of one case."""
    return (
        one.order_key == other.order_key,
        one.destination == other.destination,
        one.route == other.route,  # two routes may lead there, each with a case of its own
        one.item_index.is_not_distinct_from(other.item_index),
        one.generation == other.generation,
    )
