"""Rules across fields, each said once: enforced on a submission and published in the JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NoReturn, Protocol

from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from hub.standard.fields import SOME_WORDS
from hub.standard.pointers import Loc

#: Where, from the object that holds the rule, and what to do about it.
Fault = tuple[Loc, str]
Values = Mapping[str, Any]


class Rule(Protocol):
    """A rule over the fields of one object."""

    def faults(self, values: Values) -> Sequence[Fault]:
        """What breaks the rule. A field of None is not there; types may still be wrong.

        Asked for every submission, and nearly always kept: hence no generators.
        """
        ...

    def fragment(self) -> dict[str, Any]:
        """The same rule as JSON Schema 2020-12."""
        ...


def broken(rules: Sequence[Rule], values: Values) -> list[Fault]:
    """What breaks the rules in an object that is already read, or in one of `as_sent`."""
    return [fault for rule in rules for fault in rule.faults(values)]


def as_sent(value: object) -> Values:
    """The fields of an object as it came; an empty text counts as not there."""
    if not isinstance(value, Mapping):
        return {}
    return {name: inner for name, inner in value.items() if not _blank(inner)}


def _blank(value: object) -> bool:
    return isinstance(value, str) and (not value or value.isspace())


def refuse(faults: Iterable[Fault]) -> NoReturn:
    """Raise all faults at once from inside a validator; pydantic puts the outer path before each."""
    raise ValidationError.from_exception_data(
        "rules",
        [
            InitErrorDetails(type=PydanticCustomError("rule", "{do}", {"do": do}), loc=loc, input=None)
            for loc, do in faults
        ],
    )


def _listed(names: Sequence[str], word: str) -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {word} {quoted[-1]}"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these fields."""

    names: tuple[str, ...]
    do: str

    def faults(self, values: Values) -> Sequence[Fault]:
        for name in self.names:
            if values.get(name) is not None:
                return ()
        return [((), self.do)]

    def fragment(self) -> dict[str, Any]:
        return {"anyOf": [_there(name) for name in self.names]}


@dataclass(frozen=True, slots=True)
class Together:
    """Both of these fields or neither."""

    first: str
    second: str

    def faults(self, values: Values) -> Sequence[Fault]:
        has_first, has_second = values.get(self.first) is not None, values.get(self.second) is not None
        if has_first is has_second:
            return ()
        has, lacks = (self.first, self.second) if has_first else (self.second, self.first)
        return [((lacks,), f"Add `{lacks}`: `{has}` does not stand alone.")]

    def fragment(self) -> dict[str, Any]:
        pairs = ((self.first, self.second), (self.second, self.first))
        return {"allOf": [{"if": _there(one), "then": _there(other)} for one, other in pairs]}


@dataclass(frozen=True, slots=True)
class Brings:
    """A field that does not stand without another, which may stand without it."""

    name: str
    other: str

    def faults(self, values: Values) -> Sequence[Fault]:
        if values.get(self.name) is None or values.get(self.other) is not None:
            return ()
        return [((self.other,), f"Add `{self.other}`: `{self.name}` does not stand alone.")]

    def fragment(self) -> dict[str, Any]:
        return {"if": _there(self.name), "then": _there(self.other)}


@dataclass(frozen=True, slots=True)
class NotWith:
    """One way of saying it or the other, never both."""

    name: str
    others: tuple[str, ...]

    def faults(self, values: Values) -> Sequence[Fault]:
        if values.get(self.name) is None:
            return ()
        surplus = [other for other in self.others if values.get(other) is not None]
        return [((other,), f"Send `{self.name}` or {_listed(self.others, 'and')}, not both.") for other in surplus]

    def fragment(self) -> dict[str, Any]:
        return {"if": _there(self.name), "then": _none(self.others)}


@dataclass(frozen=True, slots=True)
class Alone:
    """When this flag is true nothing else may be sent."""

    flag: str

    def faults(self, values: Values) -> Sequence[Fault]:
        if values.get(self.flag) is not True:
            return ()
        do = f"Leave this field out when `{self.flag}` is true."
        return [((name,), do) for name, value in values.items() if name != self.flag and value is not None]

    def fragment(self) -> dict[str, Any]:
        return {"if": _is(self.flag, value=True), "then": {"maxProperties": 1}}


@dataclass(frozen=True, slots=True)
class Unless:
    """A rule that does not hold when this flag is true."""

    flag: str
    rule: Rule

    def faults(self, values: Values) -> Sequence[Fault]:
        return () if values.get(self.flag) is True else self.rule.faults(values)

    def fragment(self) -> dict[str, Any]:
        return {"if": {"not": _is(self.flag, value=True)}, "then": self.rule.fragment()}


@dataclass(frozen=True, slots=True)
class NotTrue:
    """A flag that this service cannot take."""

    flag: str
    do: str

    def faults(self, values: Values) -> Sequence[Fault]:
        return [((self.flag,), self.do)] if values.get(self.flag) is True else ()

    def fragment(self) -> dict[str, Any]:
        return {"properties": {self.flag: {"const": False}}}


@dataclass(frozen=True, slots=True)
class Needs:
    """A field that must be sent: inside `When`, for one that only some cases need."""

    name: str
    do: str

    def faults(self, values: Values) -> Sequence[Fault]:
        return [((self.name,), self.do)] if values.get(self.name) is None else ()

    def fragment(self) -> dict[str, Any]:
        return _there(self.name)


@dataclass(frozen=True, slots=True)
class When:
    """Rules that hold where a field has one of these values."""

    name: str
    among: tuple[str | bool, ...]
    rules: tuple[Rule, ...]

    def faults(self, values: Values) -> Sequence[Fault]:
        return broken(self.rules, values) if values.get(self.name) in self.among else ()

    def fragment(self) -> dict[str, Any]:
        return {"if": _among(self.name, self.among), "then": {"allOf": [rule.fragment() for rule in self.rules]}}


@dataclass(frozen=True, slots=True)
class WhenIn:
    """Rules that hold where a field of an inner object has one of these values."""

    holder: str
    name: str
    among: tuple[str | bool, ...]
    rules: tuple[Rule, ...]

    def faults(self, values: Values) -> Sequence[Fault]:
        inner = _fields(values.get(self.holder))
        return broken(self.rules, values) if inner.get(self.name) in self.among else ()

    def fragment(self) -> dict[str, Any]:
        holds = {"required": [self.holder], "properties": {self.holder: _among(self.name, self.among)}}
        return {"if": holds, "then": {"allOf": [rule.fragment() for rule in self.rules]}}


@dataclass(frozen=True, slots=True)
class OnlyWhen:
    """A field that says something only where another has one of these values."""

    name: str
    of: str
    among: tuple[str | bool, ...]

    def faults(self, values: Values) -> Sequence[Fault]:
        if values.get(self.name) is None or values.get(self.of) in self.among:
            return ()
        wanted = _listed([json.dumps(value).strip('"') for value in self.among], "or")
        return [((self.name,), f"Leave this field out unless `{self.of}` is {wanted}.")]

    def fragment(self) -> dict[str, Any]:
        return {"if": _there(self.name), "then": _among(self.of, self.among)}


@dataclass(frozen=True, slots=True)
class Other:
    """`<name>_other` puts `other` into words, so it is only for `other`; `listed` where the field is a list."""

    name: str
    listed: bool = field(default=False, kw_only=True)

    def faults(self, values: Values) -> Sequence[Fault]:
        words, value = f"{self.name}_other", values.get(self.name)
        if values.get(words) is None or "other" in (value if isinstance(value, list) and self.listed else (value,)):
            return ()
        holds = "holds" if self.listed else "is"
        return [((words,), f"Leave this field out unless `{self.name}` {holds} `other`.")]

    def fragment(self) -> dict[str, Any]:
        then = _is(self.name, value="other")
        if self.listed:
            then = {"required": [self.name], "properties": {self.name: {"contains": {"const": "other"}}}}
        return {"if": _there(f"{self.name}_other"), "then": then}


@dataclass(frozen=True, slots=True)
class NotBefore:
    """A date that does not lie before another. JSON Schema cannot say it, so `x-not-before` does."""

    later: str
    earlier: str

    def faults(self, values: Values) -> Sequence[Fault]:
        later, earlier = values.get(self.later), values.get(self.earlier)
        # Dates once read, ISO texts as sent: either way they compare in order of time.
        if (isinstance(later, date) and isinstance(earlier, date) and later < earlier) or (
            isinstance(later, str) and isinstance(earlier, str) and later < earlier
        ):
            return [((self.later,), f"Send a date that is not before `{self.earlier}`.")]
        return ()

    def fragment(self) -> dict[str, Any]:
        return {"x-not-before": {self.later: self.earlier}}


@dataclass(frozen=True, slots=True)
class OneShape:
    """Exactly the fields of one of these sets."""

    shapes: tuple[tuple[str, ...], ...]

    def faults(self, values: Values) -> Sequence[Fault]:
        there = {name for name, value in values.items() if value is not None}
        if any(there == set(shape) for shape in self.shapes):
            return ()
        return [((), f"Send {', or '.join(_listed(shape, 'and') for shape in self.shapes)}.")]

    def fragment(self) -> dict[str, Any]:
        names = dict.fromkeys(name for shape in self.shapes for name in shape)
        return {
            "oneOf": [
                {"allOf": [*map(_there, shape), _none([name for name in names if name not in shape])]}
                for shape in self.shapes
            ]
        }


@dataclass(frozen=True, slots=True)
class Within:
    """Rules that this service adds to an object which all services share."""

    name: str
    rules: tuple[Rule, ...]

    def faults(self, values: Values) -> Sequence[Fault]:
        value = values.get(self.name)
        if value is None:
            return ()
        return [((self.name, *loc), do) for loc, do in broken(self.rules, _fields(value))]

    def fragment(self) -> dict[str, Any]:
        return {"properties": {self.name: {"allOf": [rule.fragment() for rule in self.rules]}}}


def _fields(value: object) -> Values:
    """The fields of an inner object, which is read already or as it came."""
    return value.__dict__ if hasattr(value, "__dict__") else as_sent(value)


def _there(name: str) -> dict[str, Any]:
    """Sent, and not as a blank text: that says nothing, so it is read as if it were not there."""
    return {"required": [name], "properties": {name: {"pattern": SOME_WORDS}}}


def _none(names: Iterable[str]) -> dict[str, Any]:
    """None of these fields, but for blanks."""
    return {"not": {"anyOf": [_there(name) for name in names]}}


def _is(name: str, *, value: object) -> dict[str, Any]:
    return {"required": [name], "properties": {name: {"const": value}}}


def _among(name: str, values: Sequence[str | bool]) -> dict[str, Any]:
    plain = [str(value) if isinstance(value, str) else value for value in values]
    return {"required": [name], "properties": {name: {"enum": plain}}}
