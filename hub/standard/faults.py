"""Turns what pydantic found into faults that say where and what to do, and quote nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice, takewhile
from typing import Any

from pydantic import ValidationError

from hub.standard.fields import LARGEST_INLINE, REMEDIES, TOO_LARGE
from hub.standard.hints import not_a_field
from hub.standard.part import Part, all_broken, part_at
from hub.standard.pointers import Loc, pointer
from hub.standard.rules import Fault

#: More than anyone reads; the bound keeps a hostile body cheap.
MOST = 100
LONGEST_KEY = 200

#: What to do, by pydantic's name of the fault. Pydantic's own words are never passed on.
_REMEDIES = {
    "missing": "Add this field; it is required.",
    "string_type": "Send text, in double quotes.",
    "bool_type": "Send true or false, without quotes.",
    "int_type": "Send a whole number, without quotes or a decimal point.",
    "int_from_float": "Send a whole number, without quotes or a decimal point.",
    "list_type": "Send a list, in [ ].",
    "dict_type": "Send an object, in {{ }}.",
    "model_type": "Send an object, in {{ }}.",
    "string_too_short": "Send some text here; it may not be empty.",
    "too_short": "Send at least {min_length} of these.",
    "too_long": "Send at most {max_length} of these.",
    "string_too_long": "Use at most {max_length} characters.",
    "greater_than_equal": "Send a number that is at least {ge}.",
    "less_than_equal": "Send a number that is at most {le}.",
    "enum": "Send one of: {expected}.",
    "literal_error": "Send {expected}.",
    "string_pattern_mismatch": "{remedy}",
}
#: Faults that this package raised itself: their words are ours already.
_OURS = frozenset({"rule", "unreal", "base64", "too_large", "between"})


def faults_of(
    error: ValidationError, *, model: type[Part], sent: Any, remedies: Mapping[Loc, str]
) -> list[tuple[str, str]]:
    """Every fault as (pointer, message), broken rules included; `remedies` knows better what to do in some places."""
    lines = error.errors(include_url=False)
    found = (_fault(line, model, remedies) for line in lines)
    listed = list(dict.fromkeys(islice(_with_rules(found, model, sent), MOST + 1)))
    faults = [(pointer(_short(loc)), message) for loc, message in listed[:MOST]]
    if len(listed) > MOST:
        faults.append(("#", f"There are more faults; the first {MOST} are listed."))
    return faults


def too_long(error: ValidationError, *, model: type[Part]) -> list[tuple[str, str]]:
    """The texts that are too long as they were sent, whatever is taken out of them later."""
    lines = error.errors(include_url=False)
    long = islice((_fault(line, model, {}) for line in lines if line["type"] == "string_too_long"), MOST)
    return [(pointer(_short(loc)), message) for loc, message in long]


def _with_rules(found: Iterator[Fault], model: type[Part], sent: Any) -> Iterator[Fault]:
    yield from found
    yield from all_broken(model, sent)


def _short(loc: Loc) -> Loc:
    """The path up to a key that is far longer than any of the contract."""
    return tuple(takewhile(lambda step: isinstance(step, int) or len(step) <= LONGEST_KEY, loc))


def _fault(line: Any, model: type[Part], remedies: Mapping[Loc, str]) -> Fault:
    loc: Loc = line["loc"]
    if loc in remedies:
        return loc, remedies[loc]
    if line["type"] == "extra_forbidden":
        return loc, not_a_field(model, loc)
    return loc, _remedy(line, model, loc)


def _remedy(line: Any, model: type[Part], loc: Loc) -> str:
    kind, context = line["type"], line.get("ctx", {})
    if kind in _OURS:
        return str(line["msg"])
    if kind != "missing" and line["input"] is None:
        return _null(model, loc)
    if kind == "string_type" and isinstance(line["input"], int | float):
        return "Send text: put the number in double quotes."
    if kind == "string_too_long" and context["max_length"] > LARGEST_INLINE:
        return TOO_LARGE
    if kind not in _REMEDIES:
        return "Send a value of the form that the contract gives."
    expected = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
    remedy = REMEDIES.get(context.get("pattern"), "Send text of the form that the contract gives.")
    return _REMEDIES[kind].format_map({**context, "expected": expected, "remedy": remedy})


def _null(model: type[Part], loc: Loc) -> str:
    field = part_at(model, loc).model_fields.get(str(loc[-1]))
    if field and field.is_required():
        return "Send a value; this field is required and may not be null."
    if field:
        return "Leave this field out instead of sending null."
    return "Take the null out of this list."
