"""A Jinja environment in which nothing can be reached but the keys of plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from jinja2 import nodes
from jinja2.environment import Template
from jinja2.runtime import Context, StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_TEXT: Final = 1024 * 1024  #: characters a mapping may produce in one run (1 MB)
MAX_WORK: Final = 4 * MAX_TEXT  #: characters that its filters and joins may make on the way
MAX_STEPS: Final = 10_000  #: elements that the loops of one run may visit together
MAX_DEPTH: Final = 40  #: how deep a value may be nested
MAX_WHOLE: Final = 2**63 - 1  #: the largest whole number


class Mishap(Exception):
    """A rule could not be worked out. The text names rules and fields, never a value."""

    def __init__(self, code: str, problem: str, *, key: str | None = None) -> None:
        super().__init__(problem)
        self.code = code
        self.problem = problem
        self.key = key  #: the code that a table lacks; shown only when the contract lists it


class Absent(StrictUndefined):
    """A path that leads nowhere: it may be tested or defaulted, anything else is a fault."""

    __slots__ = ()

    @property
    def segment(self) -> str:
        """The first name on the path that was not there."""
        return str(self._undefined_name or "")


class Omit:
    """The value of `omit`. Whatever is made with it is omitted too."""

    __slots__ = ()

    def _refuse(self, *_: object) -> NoReturn:
        raise Mishap("omit", "`omit` cannot be compared or tested; use it in `default(omit)` or in `… else omit`")

    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __len__ = __iter__ = _refuse
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return "omit"


OMIT: Final = Omit()


class Run:
    """What one run may still use, and (for a trace) what it did."""

    __slots__ = ("loops", "notes", "steps", "text", "work")

    def __init__(self, *, loops: tuple[Any, ...] = (), notes: list[Note] | None = None) -> None:
        self.text = MAX_TEXT
        self.work = MAX_WORK
        self.steps = MAX_STEPS
        self.loops = loops
        self.notes = notes

    def charge(self, characters: int) -> None:
        self.text -= characters
        if self.text < 0:
            raise Mishap("too_large", f"the record is larger than {MAX_TEXT // 1024} KB; shorten or leave out a text")

    def make(self, characters: int) -> None:
        """Count a text before it is made; what is joined and thrown away counts too."""
        self.work -= characters
        if self.work < 0 or characters > MAX_TEXT:
            raise Mishap("too_large", f"a text larger than {MAX_TEXT // 1024} KB was to be made; shorten its parts")

    def step(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise Mishap("too_large", f"the loops visit more than {MAX_STEPS} elements; a loop in a loop is too much")


Note = tuple[str, str, int | None]  #: what a traced filter did: ("table" | "default", name, row or None)


def text_of(value: object) -> str:
    """The value as it stands inside a text; true/false, lists and maps have no obvious one and are refused."""
    match value:
        case str():
            return value
        case bool():
            raise Mishap("type", "a true/false value inside a text; say how it reads with `| yes_no`")
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
        case Undefined():
            raise _absent(value)
        case list() | tuple():
            raise Mishap("type", "a list inside a text; join it with `| join_lines`")
        case _:
            raise Mishap("type", "a map, a table or an empty value inside a text; name one field of it")


def join_text(pieces: list[Any], run: Run) -> str | Omit:
    """Texts and values one after the other; one omitted piece omits the whole."""
    made: list[str] = []
    for piece in pieces:
        if piece is OMIT:
            return piece
        made.append(piece if piece.__class__ is str else text_of(piece))
    run.make(sum(map(len, made)))
    return "".join(made)


def leaf(value: Any, run: Run) -> Any:
    """A value on its way into the record: defined, plain, and counted."""
    kind = value.__class__
    # Charged here and not by a call: this runs once for every leaf of every delivery.
    run.text -= len(value) + 1 if kind is str else 8
    if run.text < 0:
        run.charge(0)
    if kind is str or kind is int or kind is bool or value is OMIT or value is None:
        return value
    return plain(value, run, 0)


def plain(value: Any, run: Run, depth: int) -> Any:
    """A copy made of nothing but plain data, without what was omitted."""
    if depth > MAX_DEPTH:
        raise Mishap("too_large", f"values are nested deeper than {MAX_DEPTH}")
    match value:
        case str():
            run.charge(len(value))
            return str(value)
        case None | bool() | int():
            return value
        case float():
            return number(value)
        case Undefined():
            raise _absent(value)
        case dict():
            run.charge(2 + sum(len(key) + 4 for key in value))
            return {str(k): plain(v, run, depth + 1) for k, v in value.items() if v is not OMIT}
        case list() | tuple():
            run.charge(2 + len(value))
            return [plain(each, run, depth + 1) for each in value if each is not OMIT]
        case Omit():
            return value
        case _:
            raise Mishap("type", "a table cannot be a value; look a code up in it with `| lookup(…)`")


def prune_map(made: dict[str, Any]) -> Any:
    """Drop what was omitted; a map of which everything was omitted is omitted itself."""
    kept = {key: value for key, value in made.items() if value is not OMIT}
    return kept if kept else OMIT


def prune_list(made: list[Any]) -> list[Any]:
    return [each for each in made if each is not OMIT]


def number(value: Any) -> Any:
    """A number that every back office can read: finite and of ordinary size."""
    if isinstance(value, float) and not math.isfinite(value):
        raise Mishap("arithmetic", "a sum without a finite result")
    if isinstance(value, int) and abs(value) > MAX_WHOLE:
        raise Mishap("arithmetic", "a number that is too large")
    return value


def _absent(value: Undefined) -> Mishap:
    name = value.segment if isinstance(value, Absent) else ""
    return Mishap("absent", f"`{name}` is not in this submission", key=name)


def operate(operator: str, left: Any, right: Any, run: Run) -> Any:
    """Arithmetic on numbers, and `+` on two texts; no repetition, no padding, no towers of powers."""
    if left is OMIT or right is OMIT:
        return OMIT
    for side in (left, right):
        if isinstance(side, Undefined):
            raise _absent(side)
    if operator == "+" and isinstance(left, str) and isinstance(right, str):
        run.make(len(left) + len(right))
        return left + right
    if isinstance(left, bool) or isinstance(right, bool) or not _numbers(left, right):
        raise Mishap("type", f"`{operator}` works on two numbers; join texts with `~`")
    if operator == "**" and (right < 0 or abs(left) > 1_000_000 or right > 9):
        raise Mishap("arithmetic", "a power that is too large")
    try:
        return number(ImmutableSandboxedEnvironment.default_binop_table[operator](left, right))
    except ZeroDivisionError:
        raise Mishap("arithmetic", "a division by zero") from None


def _numbers(left: object, right: object) -> bool:
    return isinstance(left, int | float) and isinstance(right, int | float)


class Sandbox(ImmutableSandboxedEnvironment):
    """Expressions over plain data: keys only, a closed set of filters and tests, no globals, no calls."""

    intercepted_binops = frozenset(["+", "-", "*", "/", "//", "**", "%"])
    intercepted_unops = frozenset(["+", "-"])

    def __init__(self, *, filters: Mapping[str, Any], tests: Mapping[str, Any]) -> None:
        super().__init__(undefined=Absent, autoescape=False, cache_size=0, auto_reload=False)
        self.filters = dict(filters)
        self.tests = dict(tests)
        self.globals = {}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The value under a key; never an attribute, so a field called `items` is that field."""
        try:
            if obj.__class__ is dict:
                return obj[attribute]
        except KeyError:
            return Absent(name=attribute)
        return self._elsewhere(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        try:
            if obj.__class__ is dict and argument.__class__ is str:
                return obj[argument]
            if obj.__class__ is list and argument.__class__ is int:
                return obj[argument]
        except LookupError:
            return Absent(name=str(argument))
        return self._elsewhere(obj, argument)

    def _elsewhere(self, obj: Any, key: Any) -> Any:
        if isinstance(obj, Undefined):
            return obj  # chainable: the first name that was not there stays the one to report
        row = getattr(obj, "row", None) if not isinstance(obj, str | int | float | list | dict) else None
        return row(str(key)) if row is not None else Absent(name=str(key))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        return operate(operator, left, right, context.parent["_run"])

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:
        if isinstance(arg, bool) or not isinstance(arg, int | float):
            raise Mishap("type", f"`{operator}` works on a number")
        return -arg if operator == "-" else arg

    def call(self, *_: Any, **__: Any) -> NoReturn:
        raise Mishap("not_allowed", "nothing can be called in an expression")

    def assemble(self, expression: nodes.Expr) -> Template:
        """Compile one expression tree; `evaluate` runs it."""
        body = nodes.Assign(nodes.Name("_result", "store"), expression, lineno=1)
        tree = nodes.Template([body], lineno=1)
        tree.set_environment(self)
        return self.from_string(tree)

    def evaluate(self, template: Template, names: dict[str, Any]) -> Any:
        """The value of a compiled expression where `names` are all that can be seen."""
        context = Context(self, names, None, {})
        for _ in template.root_render_func(context):
            pass
        return context.vars["_result"]
