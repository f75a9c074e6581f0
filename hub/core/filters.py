"""The closed set of filters and tests: what a mapping may do with a value."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from jinja2 import pass_context
from jinja2.runtime import Context, Undefined

from hub.core import dates, grid
from hub.core.sandbox import (
    OMIT,
    Absent,
    Mishap,
    Run,
    Sandbox,
    join_text,
    leaf,
    prune_list,
    prune_map,
    text_of,
)
from hub.core.tables import Table

_SPACES: Final = re.compile(r"\s+")
_PHONE: Final = re.compile(r"^\+?[\d\s().\-/]{6,30}$")
_POSTCODE: Final = re.compile(r"^[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}$")
_ADDRESS: Final = ("lines", "town", "county", "postcode")


def lookup(value: object, run: Run, table: object) -> Any:
    """The table's entry for this code."""
    if not isinstance(table, Table):
        raise Mishap("type", "`lookup` needs a table; name one of the route's `with`")
    found, line = table.find(value)
    if run.notes is not None:
        run.notes.append(("table", table.name, line))
    return found


def default(absent: Any, run: Run, value: Any) -> Any:
    """`value` where there is none."""
    if absent.__class__ is not Absent:
        return absent
    if run.notes is not None:
        run.notes.append(("default", "", None))
    return value


def required(value: Any, _run: Run, message: str = "it is required") -> Any:
    """The value, which must be there and not be empty."""
    if isinstance(value, Undefined) or value is OMIT or value is None or value == "":
        name = value.segment if isinstance(value, Absent) else ""
        raise Mishap("required", f"`{name}` is not in this submission: {message}" if name else message, key=name)
    return value


def date(value: object, pattern: str = "%d/%m/%Y") -> str:
    """A date as the pattern writes it; of an instant, its day in London."""
    return dates.written(dates.day_of(value), pattern)


def datetime(value: object, pattern: str = "%d/%m/%Y %H:%M") -> str:
    """An instant in Europe/London as the pattern writes it."""
    return dates.written(dates.moment_of(value), pattern)


def easting(location: object) -> Any:
    """Metres east on the National Grid: as sent, else converted from `lat` and `long` (good to 5 m)."""
    return _grid(location, "easting", 0)


def northing(location: object) -> Any:
    """Metres north on the National Grid: as sent, else converted from `lat` and `long` (good to 5 m)."""
    return _grid(location, "northing", 1)


def _grid(location: object, name: str, position: int) -> Any:
    if not isinstance(location, dict):
        raise Mishap("type", f"`{name}` works on a location, as `location | {name}`")
    if name in location:
        return location[name]
    if "lat" not in location or "long" not in location:
        return Absent(name=name)
    point = grid.to_grid(location["lat"], location["long"])
    if not grid.on_grid(*point):
        raise Mishap("not_in_britain", "the point is not on the National Grid of Great Britain; send lat and long")
    return point[position]


def first_name(contact: object) -> Any:
    """The first name of a contact, or of a full name: what stands before the first space."""
    if isinstance(contact, dict) and "first_name" in contact:
        return contact["first_name"]
    before, after = _split(contact)
    return before if after else Absent(name="first_name")


def last_name(contact: object) -> Any:
    """The last name: what stands after the first space; a single name is a last name."""
    if isinstance(contact, dict) and "last_name" in contact:
        return contact["last_name"]
    before, after = _split(contact)
    return after or before or Absent(name="last_name")


def _split(contact: object) -> tuple[str, str]:
    full = contact.get("full_name", "") if isinstance(contact, dict) else contact
    if not isinstance(full, str):
        raise Mishap("type", "a name is read from `contact` or from a text")
    before, _, after = _SPACES.sub(" ", full.strip()).partition(" ")
    return before, after


def join_lines(value: object, run: Run, separator: str = "\n") -> str:
    """The lines of a list, or of an address, one under the other; empty and omitted ones are left out."""
    if isinstance(value, dict):
        value = [line for name in _ADDRESS if name in value for line in _as_list(value[name])]
    if isinstance(value, str):  # an answer in `extra` may be one text or several
        value = [value]
    if not isinstance(value, list | tuple):
        raise Mishap("type", "`join_lines` works on a list or an address")
    lines = [line for each in value if each is not OMIT and (line := text_of(each).strip())]
    run.make(sum(map(len, lines)) + len(separator) * len(lines))
    return separator.join(lines)


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def shorten(value: object, length: int) -> str:
    """At most `length` characters; what was cut ends in `...`."""
    text = text_of(value)
    if len(text) <= length:
        return text
    return text[: length - 3].rstrip() + "..." if length > 3 else text[:length]


def phone(value: object, form: str = "national") -> str:
    """A UK number as 07700900123 (`e164`: +447700900123), another as +digits; anything else as typed."""
    typed = text_of(value).strip()
    if not _PHONE.match(typed):
        return typed
    digits = re.sub(r"[^\d+]", "", typed.replace("(0)", ""))
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if digits.startswith("+44"):
        national = digits[3:] if digits[3:].startswith("0") else "0" + digits[3:]
    elif digits.startswith("0"):
        national = digits
    else:
        return digits if digits.startswith("+") else typed
    return "+44" + national[1:] if form == "e164" else national


def postcode(value: object) -> str:
    """A UK postcode as `SW1A 1AA`; anything else as typed, in capitals."""
    typed = text_of(value).strip().upper()
    packed = re.sub(r"[^A-Z0-9]", "", typed)
    return f"{packed[:-3]} {packed[-3:]}" if _POSTCODE.match(packed) else _SPACES.sub(" ", typed)


def yes_no(value: object, yes: Any = "Yes", no: Any = "No") -> Any:
    """Words for true and false."""
    if not isinstance(value, bool):
        raise Mishap("type", "`yes_no` works on true or false")
    return yes if value else no


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """How a filter is called and what it makes; `makes` of None means whatever went in or was asked for."""

    parameters: tuple[str, ...] = ()
    needs: int = 0
    makes: frozenset[str] | None = None
    kinds: dict[str, type] = field(default_factory=dict)  #: literal arguments are checked against these


_TEXT: Final = frozenset(["string"])
SIGNATURES: Final[dict[str, Signature]] = {
    "lookup": Signature(parameters=("table",), needs=1),
    "default": Signature(parameters=("value",), needs=1),
    "required": Signature(parameters=("message",), kinds={"message": str}),
    "date": Signature(parameters=("pattern",), makes=_TEXT, kinds={"pattern": str}),
    "datetime": Signature(parameters=("pattern",), makes=_TEXT, kinds={"pattern": str}),
    "easting": Signature(makes=frozenset(["number", "integer"])),
    "northing": Signature(makes=frozenset(["number", "integer"])),
    "first_name": Signature(makes=_TEXT),
    "last_name": Signature(makes=_TEXT),
    "join_lines": Signature(parameters=("separator",), makes=_TEXT, kinds={"separator": str}),
    "shorten": Signature(parameters=("length",), needs=1, makes=_TEXT, kinds={"length": int}),
    "phone": Signature(parameters=("form",), makes=_TEXT, kinds={"form": str}),
    "postcode": Signature(makes=_TEXT),
    "yes_no": Signature(parameters=("yes", "no")),
}
TESTS: Final = ("defined", "undefined", "none", "string", "number", "boolean", "in")

_FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "date": date,
    "datetime": datetime,
    "easting": easting,
    "northing": northing,
    "first_name": first_name,
    "last_name": last_name,
    "shorten": shorten,
    "phone": phone,
    "postcode": postcode,
    "yes_no": yes_no,
}
_NOTING: Final[dict[str, Callable[..., Any]]] = {"lookup": lookup, "join_lines": join_lines}


def _passing(function: Callable[..., Any], *, counts: bool) -> Callable[..., Any]:
    """What is absent or omitted passes a filter unchanged, so that a later `default` still sees it."""

    def counted(value: Any, run: Run, *args: Any, **named: Any) -> Any:
        if value is OMIT or value.__class__ is Absent:
            return value
        return function(value, run, *args, **named)

    def filtered(value: Any, run: Run, *args: Any, **named: Any) -> Any:
        if value is OMIT or value.__class__ is Absent:
            return value
        made = function(value, *args, **named)
        if made.__class__ is str:
            run.make(len(made))
        return made

    return counted if counts else filtered


def _strict(test: Callable[..., bool]) -> Callable[..., bool]:
    """A test other than `defined` on what is absent would answer about nothing: it is a fault."""

    def tested(value: Any, *args: Any) -> bool:
        if value is OMIT or isinstance(value, Undefined):
            raise Mishap("absent", "an absent field was tested", key=getattr(value, "segment", None))
        return test(value, *args)

    return tested


@pass_context
def each(context: Context, elements: Any, loop: int, run: Run) -> Any:
    """Run a loop's sub-expression once for each element."""
    if elements is OMIT:
        return OMIT
    check_list(elements)
    name, template = run.loops[loop]
    made = []
    outer = context.parent
    for element in elements:
        run.step()
        made.append(SANDBOX.evaluate(template, {**outer, name: element}))
    return [value for value in made if value is not OMIT]


def check_list(elements: Any) -> None:
    """Only a list can be gone through."""
    if isinstance(elements, Absent):
        raise Mishap("absent", f"`{elements.segment}` is not in this submission", key=elements.segment)
    if not isinstance(elements, list | tuple):
        raise Mishap("type", "only a list can be gone through with `in`")


def hold(answer: Any) -> bool:
    """A `when` is true or false, nothing else."""
    if answer.__class__ is bool:
        return bool(answer)
    if isinstance(answer, Undefined):
        raise Mishap("absent", "an absent field was tested", key=getattr(answer, "segment", None))
    raise Mishap("type", "a `when` must be true or false; compare it, or test it with `is defined`")


# Names that start with an underscore cannot be written in a mapping: they are the compiler's own.
SANDBOX: Final = Sandbox(
    filters={
        **{name: _passing(function, counts=False) for name, function in _FILTERS.items()},
        **{name: _passing(function, counts=True) for name, function in _NOTING.items()},
        "default": default,
        "required": required,
        "_leaf": leaf,
        "_text": join_text,
        "_map": prune_map,
        "_list": prune_list,
        "_each": each,
        "_hold": hold,
    },
    tests={
        "defined": lambda value: not isinstance(value, Undefined),
        "undefined": lambda value: isinstance(value, Undefined),
        "none": _strict(lambda value: value is None),
        "string": _strict(lambda value: isinstance(value, str)),
        "number": _strict(lambda value: isinstance(value, int | float) and not isinstance(value, bool)),
        "boolean": _strict(lambda value: isinstance(value, bool)),
        "in": _strict(lambda value, among: value in among),
    },
)
