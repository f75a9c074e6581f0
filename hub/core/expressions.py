"""One leaf of a mapping: parsed, held to the language, and made ready to run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import TemplateSyntaxError, nodes
from jinja2.environment import Template
from jinja2.visitor import NodeTransformer

from hub.core import dates
from hub.core.filters import SANDBOX, SIGNATURES, TESTS, Signature
from hub.core.findings import Finding, Place, instead
from hub.core.sandbox import MAX_WHOLE

MAX_RULE: Final = 8_000  #: characters of one leaf
#: Jinja gives these names a meaning (and a Python object) of its own.
RESERVED: Final = frozenset(["self", "super", "loop", "caller", "varargs", "kwargs", "omit"])

_ALLOWED: Final = (
    *(nodes.Const, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.List, nodes.Dict, nodes.Pair),
    *(nodes.CondExpr, nodes.And, nodes.Or, nodes.Not, nodes.Compare, nodes.Operand, nodes.Concat),
    *(nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow, nodes.Neg, nodes.Pos),
    *(nodes.Filter, nodes.Test, nodes.Keyword),
)
_REFUSED: Final[dict[type[nodes.Node], tuple[str, str]]] = {
    nodes.Call: ("nothing can be called here, there are only filters", f"use a filter: {', '.join(SIGNATURES)}"),
    nodes.Slice: ("a list or text cannot be sliced", "cut a text with `| shorten(n)`, go through a list with `for:`"),
    nodes.Tuple: ("a comma between expressions", "write a list in square brackets"),
}

Piece = str | nodes.Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A leaf as it stands in the file, and what runs in its place."""

    text: str
    place: Place
    value: Any = None  #: a literal leaf's value
    pieces: tuple[Piece, ...] = ()  #: as parsed; empty for a literal
    ready: nodes.Expr | None = None  #: as it runs, before it is checked and counted; None for a literal
    paths: tuple[str, ...] = ()
    may_omit: bool = False

    @property
    def literal(self) -> bool:
        return not self.pieces

    def at(self, needle: str) -> Place:
        """Where a word stands in this leaf."""
        return self.place.within(self.text, self.text.find(needle)) if needle in self.text else self.place

    def checked(self) -> nodes.Expr:
        """The expression of a leaf: what comes out is defined, plain and counted."""
        return helper("_leaf", self.bare(), nodes.Name("_run", "load"))

    def bare(self) -> nodes.Expr:
        """The expression alone: what a loop goes through, what a condition asks."""
        return self.ready if self.ready is not None else nodes.Const(self.value)

    def compiled(self) -> Template:
        """The rule by itself, for traces and for naming what failed."""
        return SANDBOX.assemble(self.bare())


@dataclass(slots=True)
class _Refusal(Exception):
    code: str
    message: str
    remedy: str
    needle: str = ""


def is_rule(value: object) -> bool:
    """Whether a leaf holds an expression."""
    return isinstance(value, str) and ("{{" in value or "{%" in value or "{#" in value)


def read_rule(value: Any, place: Place) -> Rule | Finding:
    """The leaf as a rule, or why it is none."""
    if not is_rule(value):
        return _literal(value, place)
    rule = Rule(text=value, place=place)
    try:
        pieces = _parse(value)
        for piece in pieces:
            if isinstance(piece, nodes.Expr):
                _hold(piece)
        return _ready(value, place, pieces)
    except _Refusal as refusal:
        return Finding.at(rule.at(refusal.needle), refusal.code, refusal.message, refusal.remedy)


def _literal(value: Any, place: Place) -> Rule | Finding:
    if isinstance(value, float) and not math.isfinite(value):
        return Finding.at(place, "wrong_type", "not a finite number", "write an ordinary number, or quote the text")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MAX_WHOLE:
        return Finding.at(place, "wrong_type", "a number that is too large", "quote it if it is a code")
    return Rule(text=value if isinstance(value, str) else repr(value), place=place, value=value)


def _parse(text: str) -> list[Piece]:
    if len(text) > MAX_RULE:
        raise _Refusal("too_large", f"an expression of more than {MAX_RULE} characters", "split it into several leaves")
    if "{%" in text:
        raise _Refusal("syntax", "`{% … %}` is not part of the language", "use `{{ a if test else b }}`", "{%")
    try:
        body = SANDBOX.parse(text).body
    except TemplateSyntaxError as error:
        detail = (error.message or "it cannot be read").rstrip(".")
        raise _Refusal("syntax", f"the expression cannot be read: {detail}", "mend the expression", "{{") from None
    except (RecursionError, ValueError, MemoryError):
        raise _Refusal("syntax", "the expression is nested too deeply or a number is too long", "simplify it") from None
    pieces: list[Piece] = []
    for output in body:
        if not isinstance(output, nodes.Output):
            raise _Refusal("syntax", "only `{{ … }}` can be used here", "write an expression")
        pieces.extend(part.data if isinstance(part, nodes.TemplateData) else part for part in output.nodes)
    return _alone(pieces)


def _alone(pieces: list[Piece]) -> list[Piece]:
    """White space around a single expression (a block scalar's line end) does not make a text of it."""
    expressions = [piece for piece in pieces if not isinstance(piece, str)]
    blank = all(not piece.strip() for piece in pieces if isinstance(piece, str))
    return list(expressions) if len(expressions) == 1 and blank else pieces


def _hold(expression: nodes.Expr) -> None:
    """Refuse whatever the language does not have."""
    pending: list[tuple[nodes.Node, int]] = [(expression, 0)]
    while pending:
        node, depth = pending.pop()
        if depth > 60:
            raise _Refusal("syntax", "the expression is nested too deeply", "simplify it")
        _one(node)
        pending.extend((child, depth + 1) for child in node.iter_child_nodes())


def _one(node: nodes.Node) -> None:
    if type(node) in _REFUSED:
        raise _Refusal("not_allowed", *_REFUSED[type(node)])
    if not isinstance(node, _ALLOWED):
        raise _Refusal("not_allowed", "this is not part of the language", "use paths, filters, `if … else` and `~`")
    match node:
        case nodes.Name(name=name):
            _name(name)
        case nodes.Getattr(attr=name):
            _name(name, below=True)
        case nodes.Getitem():
            _subscript(node.arg)
        case nodes.Const(value=value):
            _constant(value)
        case nodes.CondExpr(expr2=None):
            raise _Refusal("syntax", "an `if` without an `else`", "say what holds otherwise: `else omit`", " if ")
        case nodes.Filter():
            _filter(node)
        case nodes.Test():
            _test(node)
        case _:
            pass


def _name(name: str, *, below: bool = False) -> None:
    if name.startswith("_"):
        message = f"`{name}` is not a field: no field starts with an underscore"
        raise _Refusal("not_allowed", message, "name a field", name)
    if not below and name in RESERVED - {"omit"}:
        raise _Refusal("not_allowed", f"`{name}` has no meaning here", "name a field of the submission", name)


def _subscript(key: nodes.Expr) -> None:
    match key:
        case nodes.Const(value=str() as name):
            _name(name, below=True)
        case nodes.Const(value=int() as index) if not isinstance(index, bool) and index >= 0:
            pass
        case nodes.Slice():
            raise _Refusal("not_allowed", *_REFUSED[nodes.Slice])
        case _:
            message = "only a name or a position may stand in [ ]"
            raise _Refusal("not_allowed", message, "look a code up in a table", "[")


def _constant(value: object) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise _Refusal("not_allowed", "a number that is too large", "write an ordinary number")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MAX_WHOLE:
        raise _Refusal("not_allowed", "a number that is too large", "write an ordinary number")


def _filter(node: nodes.Filter) -> None:
    signature = SIGNATURES.get(node.name)
    if signature is None:
        remedy = instead(node.name, SIGNATURES)
        raise _Refusal("unknown_filter", f"there is no filter `{node.name}`", remedy, node.name)
    if node.node is None or node.dyn_args is not None or node.dyn_kwargs is not None:
        raise _Refusal("not_allowed", "`*` arguments", "write the arguments out", node.name)
    given: dict[str, nodes.Expr] = dict(zip(signature.parameters, node.args, strict=False))
    extra = [word.key for word in node.kwargs if word.key not in signature.parameters or word.key in given]
    given.update({str(word.key): word.value for word in node.kwargs})
    if extra or len(node.args) > len(signature.parameters) or len(given) < signature.needs:
        shown = ", ".join(signature.parameters)
        raise _Refusal(
            "wrong_arguments",
            f"`{node.name}` is written `{node.name}({shown})`" if shown else f"`{node.name}` takes no arguments",
            "mend its arguments",
            node.name,
        )
    _argument_kinds(node, signature, given)


def _test(node: nodes.Test) -> None:
    if node.name not in TESTS:
        remedy = instead(node.name, TESTS)
        raise _Refusal("unknown_test", f"there is no test `{node.name}`", remedy, node.name)
    wanted = 1 if node.name == "in" else 0
    if len(node.args or ()) != wanted or node.kwargs or node.dyn_args or node.dyn_kwargs:
        message = f"`is {node.name}` takes {'one argument, a list' if wanted else 'no argument'}"
        raise _Refusal("wrong_arguments", message, "mend the test", node.name)


def _argument_kinds(node: nodes.Filter, signature: Signature, given: dict[str, nodes.Expr]) -> None:
    for name, kind in signature.kinds.items():
        argument = given.get(name)
        if argument is None:
            continue
        value: Any = argument.value if isinstance(argument, nodes.Const) else None
        if type(value) is not kind or (isinstance(value, int) and value < 1):
            word = "a number from 1" if kind is int else "a text in quotes"
            raise _Refusal("wrong_arguments", f"`{node.name}` needs {word} here", "mend its argument", node.name)
        if name == "pattern" and (wrong := dates.unknown_directive(str(value))) is not None:
            directives = " ".join(dates.DIRECTIVES)
            raise _Refusal("wrong_arguments", f"`{wrong}` is not a date directive", f"use {directives}", str(value))
        if name == "form" and value not in ("national", "e164"):
            raise _Refusal("wrong_arguments", "`phone` writes `national` or `e164`", "choose one", node.name)


class _Prepare(NodeTransformer):
    """Hand the run to what charges it or notes it; join texts with our own rule for omitted pieces."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:
        self.generic_visit(node)
        return helper("_text", nodes.List(node.nodes), nodes.Name("_run", "load"))

    def visit_Filter(self, node: nodes.Filter) -> nodes.Expr:
        self.generic_visit(node)
        if node.name in SIGNATURES:
            node.args = [nodes.Name("_run", "load"), *node.args]
        return node


def helper(name: str, value: nodes.Expr | None, *arguments: nodes.Expr) -> nodes.Filter:
    """A call of one of the sandbox's filters, its own ones (`_…`) included."""
    return nodes.Filter(value, name, list(arguments), [], None, None, lineno=1)


def _ready(text: str, place: Place, pieces: list[Piece]) -> Rule:
    may_omit = any(
        name.name == "omit"
        for piece in pieces
        if isinstance(piece, nodes.Expr)
        for name in ([piece] if isinstance(piece, nodes.Name) else piece.find_all(nodes.Name))
    )
    # A second parse: the prepared tree is changed in place, the one that is read against the contract is not.
    fresh = _parse(text)
    whole: nodes.Expr
    if len(fresh) == 1 and isinstance(fresh[0], nodes.Expr):
        whole = fresh[0]
    else:
        whole = nodes.Concat([nodes.Const(each) if isinstance(each, str) else each for each in fresh])
    prepared = _Prepare().visit(nodes.Output([whole])).nodes[0]
    return Rule(text=text, place=place, pieces=tuple(pieces), ready=prepared, may_omit=may_omit, paths=paths_of(pieces))


def paths_of(pieces: list[Piece]) -> tuple[str, ...]:
    """Every path as it was written, in order, each once."""
    found: list[str] = []
    for piece in pieces:
        if isinstance(piece, nodes.Expr):
            _collect(piece, found)
    return tuple(dict.fromkeys(found))


def _collect(node: nodes.Node, found: list[str]) -> None:
    path = path_of(node)
    if path is not None:
        if path != "omit":
            found.append(path)
        return
    for child in node.iter_child_nodes():
        _collect(child, found)


def path_of(node: nodes.Node) -> str | None:
    """The dotted path that a node is, if it is nothing else."""
    match node:
        case nodes.Name(name=name):
            return str(name)
        case nodes.Getattr(node=inner, attr=name):
            before = path_of(inner)
            return None if before is None else f"{before}.{name}"
        case nodes.Getitem(node=inner, arg=nodes.Const(value=key)):
            before = path_of(inner)
            if before is None:
                return None
            return f"{before}[{key}]" if isinstance(key, int) else f"{before}.{key}"
        case _:
            return None
