"""What names an expression sees, and what is known of its value before it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import nodes

from hub.core.expressions import Rule, path_of
from hub.core.findings import Finding, Place, Severity
from hub.core.kinds import UNKNOWN
from hub.core.paths import Shape


class Parameter:
    """A name that a route's `with` fills: a table or a plain value, known only there."""


PARAMETER: Final = Parameter()
Scope = Mapping[str, "Shape | Parameter"]


Chain = tuple[str, ...]  #: the optional steps of one path, as ("contact", "contact.email")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of an expression before it runs."""

    types: frozenset[str] = UNKNOWN  #: JSON types it can have; empty when that is not known
    shape: Shape | None = None
    path: str | None = None
    absent: tuple[Chain, ...] = ()  #: what would leave it undefined
    parameter: bool = False
    table: str | None = None  #: the table whose values it can have
    values: tuple[Any, ...] = ()  #: every value it can have, where the contract lists them


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """A list read at a fixed position: fine only where every position that may be filled is read."""

    path: str
    index: int
    most: int | None
    place: Place


def constant_indexes(indexed: Iterable[Indexed]) -> list[Finding]:
    """Lists of which only some positions are read, so that what a resident adds further on would be lost."""
    seen = list(indexed)
    found = []
    for each in seen:
        read = {other.index for other in seen if other.path == each.path}
        if each.most is not None and read >= set(range(each.most)):
            continue
        most = "more" if each.most is None else f"up to {each.most}"
        found.append(
            Finding.at(
                each.place,
                "constant_index",
                f"`{each.path}[{each.index}]` reads one element of a list that may hold {most}; the others are lost",
                "split it with `each:`, go through it with `for:`, or join it with `| join_lines`",
            )
        )
    return found


def untested(chain: Chain, tested: frozenset[str]) -> Chain:
    """The steps of a path that no `is defined` speaks of; one of a longer path speaks of its parents too."""
    return tuple(step for step in chain if not any(_speaks_of(known, step) for known in tested))


def _speaks_of(known: str, step: str) -> bool:
    return known == step or known.startswith((f"{step}.", f"{step}["))


def optional_paths(optional: Iterable[tuple[Place, Chain]], *, tested: frozenset[str]) -> list[Finding]:
    """Optional fields that nothing defaults and no route tests: a submission without one needs a person."""
    return [
        Finding.at(
            place,
            "may_be_absent",
            f"`{chain[-1]}` is optional in the contract; a submission without it would wait for a person",
            "say what holds then: `| default(omit)`, `| default(…)`, or `| required` if that is meant",
            severity=Severity.WARNING,
        )
        for place, chain in dict.fromkeys(optional)
        if untested(chain, tested)
    ]


def tested_paths(rule: Rule) -> frozenset[str]:
    """The paths that a rule tests with `is defined`."""
    return frozenset(
        path
        for piece in rule.pieces
        if isinstance(piece, nodes.Expr)
        for test in ([piece] if isinstance(piece, nodes.Test) else piece.find_all(nodes.Test))
        if test.name in ("defined", "undefined") and (path := path_of(test.node)) is not None
    )
