"""Guesses what a sender meant by a field that is not of the contract."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from functools import cache

from hub.standard.part import Part, part_at, parts_of
from hub.standard.pointers import Loc

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LONGEST_GUESSED = 60


def not_a_field(model: type[Part], loc: Loc) -> str:
    """What to do about the unknown key that `loc` ends in."""
    part, key = part_at(model, loc), str(loc[-1])
    if key in part.derived:
        return "Leave this field out; the hub makes it itself."
    guess = _guess(model, part, key)
    if guess:
        return f"This is not a field here; did you mean `{guess}`?"
    fields = ", ".join(part.model_fields)
    elsewhere = " Answers with no field of their own go into `extra`." if part is model else ""
    return f"This is not a field here; leave it out, or use one of: {fields}.{elsewhere}"


def _guess(model: type[Part], part: type[Part], key: str) -> str | None:
    if len(key) > _LONGEST_GUESSED:
        return None
    name = _CAMEL.sub("_", key).lower().replace("-", "_").replace(" ", "_")
    # From what is nearest: a field here, one further in, one anywhere; at last a field here only a little like it.
    for known, alike in ((_here(part), 0.7), (_inside(part), 0.8), (_inside(model), 0.8), (_here(part), 0.6)):
        if near := difflib.get_close_matches(name, known, n=1, cutoff=alike):
            return known[near[0]]
    return None


def _here(part: type[Part]) -> dict[str, str]:
    return {name: name for name in part.model_fields}


@cache
def _inside(part: type[Part]) -> dict[str, str]:
    """Every field's name with its path; where a name stands twice, the path nearest the top."""
    return dict(_paths(part, ""))


def _paths(part: type[Part], before: str) -> Iterator[tuple[str, str]]:
    for name, inner in reversed(parts_of(part).items()):
        listed = "[]" if "list[" in str(part.model_fields[name].annotation) else ""
        yield from _paths(inner, f"{before}{name}{listed}.")
    for name in part.model_fields:
        yield name, f"{before}{name}"
