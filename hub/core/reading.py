"""Does every path in an expression exist in the contract, and can its value be what is asked of it?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from jinja2 import nodes

from hub.core.expressions import Rule, path_of
from hub.core.filters import SIGNATURES
from hub.core.findings import Finding, Place, instead
from hub.core.kinds import BOOLEAN, NUMBERS, SCALARS, TEXT, UNKNOWN, alike, kind_of, words
from hub.core.paths import ANYTHING, Shape
from hub.core.scope import Chain, Indexed, Parameter, Scope, Seen, tested_paths, untested

_WANTS: Final[dict[str, frozenset[str]]] = {
    "lookup": SCALARS,
    "date": TEXT,
    "datetime": TEXT,
    "easting": frozenset(["object"]),
    "northing": frozenset(["object"]),
    "first_name": frozenset(["object", "string"]),
    "last_name": frozenset(["object", "string"]),
    "join_lines": frozenset(["array", "object"]),
    "shorten": frozenset(["string", "number", "integer"]),
    "phone": TEXT,
    "postcode": TEXT,
    "yes_no": BOOLEAN,
}


@dataclass(slots=True, kw_only=True)
class Reader:
    """Reads rules against a scope and keeps what it found. One for each mapping."""

    findings: list[Finding] = field(default_factory=list)
    optional: list[tuple[Place, Chain]] = field(default_factory=list)  #: optional paths used without a default
    indexed: list[Indexed] = field(default_factory=list)
    used: set[str] = field(default_factory=set)  #: parameters that something uses
    looked_up: list[tuple[Place, str, tuple[Any, ...]]] = field(default_factory=list)
    _rule: Rule | None = None
    _scope: Scope = field(default_factory=dict)
    _tested: frozenset[str] = frozenset()

    def read(self, rule: Rule, scope: Scope) -> Seen:
        """Check one leaf; what it can be, for the check against the record."""
        self._rule, self._scope = rule, scope
        self._tested = tested_paths(rule)
        if rule.literal:
            return Seen(types=frozenset([kind_of(rule.value)]))
        if len(rule.pieces) == 1 and isinstance(rule.pieces[0], nodes.Expr):
            seen = self._see(rule.pieces[0])
            self._use(seen)
            return seen
        for piece in rule.pieces:
            if isinstance(piece, nodes.Expr):
                self._into_text(self._see(piece))
        return Seen(types=TEXT | ({"omit"} if rule.may_omit else UNKNOWN))

    def list_of(self, rule: Rule, scope: Scope) -> Shape:
        """Check what a loop goes through; what one element is."""
        seen = self.read(rule, scope)
        if seen.types and "array" not in seen.types:
            message = f"`{seen.path or rule.text}` is not a list"
            self._find("wrong_type", message, "name a list of the contract", seen.path)
            return ANYTHING
        return seen.shape.element() if seen.shape is not None else ANYTHING

    def condition(self, rule: Rule, scope: Scope) -> None:
        """Check a `when`: it must be able to be true or false."""
        seen = self.read(rule, scope)
        if seen.types and "boolean" not in seen.types:
            remedy = "compare it, or test it with `is defined`"
            self._find("wrong_type", "a `when` must be true or false", remedy, seen.path)

    # -- one method for each kind of node

    def _see(self, node: nodes.Node) -> Seen:
        match node:
            case nodes.Name() | nodes.Getattr() | nodes.Getitem():
                return self._path(node)
            case nodes.Filter():
                return self._filter(node)
            case nodes.CondExpr() | nodes.And() | nodes.Or():
                return self._choice(node)
            case nodes.Test() | nodes.Compare() | nodes.Not():
                return self._question(node)
            case nodes.Const() | nodes.List() | nodes.Dict() | nodes.Concat():
                return self._made(node)
            case nodes.BinExpr() | nodes.UnaryExpr():
                return self._sum(node)
            case _:
                return Seen()

    def _made(self, node: nodes.Const | nodes.List | nodes.Dict | nodes.Concat) -> Seen:
        match node:
            case nodes.Const(value=value):
                return Seen(types=frozenset([kind_of(value)]), values=(value,))
            case nodes.Concat(nodes=pieces):
                for piece in pieces:
                    self._into_text(self._see(piece))
                return Seen(types=TEXT)
            case nodes.List(items=items):
                for item in items:
                    self._used(item)
                return Seen(types=frozenset(["array"]))
            case _:
                for pair in node.items:
                    self._used(pair.value)
                return Seen(types=frozenset(["object"]))

    def _question(self, node: nodes.Test | nodes.Compare | nodes.Not) -> Seen:
        match node:
            case nodes.Test():
                self._test(node)
            case nodes.Compare():
                self._compare(node)
            case _:
                self._used(node.node)
        return Seen(types=BOOLEAN)

    def _used(self, node: nodes.Node) -> Seen:
        seen = self._see(node)
        self._use(seen)
        return seen

    def _use(self, seen: Seen) -> None:
        """Nothing further along can default it: an absent path is a fault here."""
        for chain in seen.absent:
            if open_steps := untested(chain, self._tested):
                self.optional.append((self._place(open_steps[-1]), open_steps))

    def _into_text(self, seen: Seen) -> None:
        self._use(seen)
        if seen.types and not seen.types & {"string", "number", "integer", "omit"}:
            remedy = "say how it reads with `| yes_no`" if "boolean" in seen.types else "join it with `| join_lines`"
            self._find("wrong_type", f"a {words(seen.types)} inside a text", remedy, seen.path)

    def _path(self, node: nodes.Node) -> Seen:
        match node:
            case nodes.Name(name=name):
                return self._name(str(name))
            case nodes.Getattr(node=inner, attr=key):
                return self._key(self._see(inner), str(key))
            case nodes.Getitem(node=inner, arg=nodes.Const(value=key)):
                before = self._see(inner)
                return self._index(before, key) if isinstance(key, int) else self._key(before, str(key))
            case _:
                return Seen()

    def _name(self, name: str) -> Seen:
        if name == "omit":
            return Seen(types=frozenset(["omit"]))
        known = self._scope.get(name)
        root = self._scope.get("")
        if isinstance(known, Parameter):
            self.used.add(name)
            return Seen(parameter=True, path=name)
        if isinstance(known, Shape):
            return Seen(shape=known, types=known.types, path=name, values=known.enum)
        if isinstance(root, Shape):
            return self._key(Seen(shape=root, path=""), name)
        return Seen(shape=ANYTHING, path=name)

    def _key(self, before: Seen, key: str) -> Seen:
        path = f"{before.path}.{key}" if before.path else key
        shape = before.shape
        if shape is None:
            return Seen(path=path)
        below = shape.key(key)
        if below is None:
            self._misspelt(before, key, path)
            return Seen(shape=ANYTHING, path=path)
        optional = not shape.always(key) and shape is not ANYTHING
        absent = _further(before.absent, path) if optional else before.absent
        return Seen(shape=below, types=below.types, path=path, absent=absent, values=below.enum)

    def _misspelt(self, before: Seen, key: str, path: str) -> None:
        assert before.shape is not None
        if "array" in before.types:
            self._find("unknown_path", f"`{before.path}` is a list", "go through it with `for:` or `each:`", path)
            return
        names: set[str] = set(before.shape.names)
        if not before.path:
            names |= {name for name in self._scope if name}
        if not names:
            self._find("unknown_path", f"`{before.path}` is one value and has no `{key}`", f"use `{before.path}`", path)
            return
        remedy = instead(key, names)
        self._find("unknown_path", f"`{path}` is not in the contract", remedy, path)

    def _index(self, before: Seen, index: int) -> Seen:
        if before.shape is None or before.shape is ANYTHING:
            return Seen(path=f"{before.path}[{index}]")
        if before.types and "array" not in before.types:
            if before.types:
                self._find("unknown_path", f"`{before.path}` is not a list", f"use `{before.path}`", before.path)
            return Seen(path=f"{before.path}[{index}]")
        element = before.shape.element()
        path = f"{before.path}[{index}]"
        if "array" in before.types and before.path is not None:
            place = self._place(path)
            self.indexed.append(Indexed(path=before.path, index=index, most=before.shape.most, place=place))
        absent = _further(before.absent, path) if index else before.absent
        return Seen(shape=element, types=element.types, path=path, absent=absent, values=element.enum)

    def _filter(self, node: nodes.Filter) -> Seen:
        assert node.node is not None
        seen = self._see(node.node)
        arguments = [*node.args, *(word.value for word in node.kwargs)]
        if node.name == "default":
            other = self._see(arguments[0])
            return replace(_either(replace(seen, absent=()), other), path=seen.path)
        if node.name == "required":
            return replace(seen, absent=())
        if node.name == "lookup":
            return self._lookup(seen, arguments[0])
        for argument in arguments:
            self._used(argument)
        self._wants(node.name, seen)
        absent = seen.absent
        if node.name in ("easting", "northing", "last_name", "first_name") and seen.path is not None:
            absent = _further(absent, f"{seen.path} | {node.name}") if "object" in seen.types else absent
        made = SIGNATURES[node.name].makes or _types_of_all(self._see(argument) for argument in arguments)
        if node.name == "yes_no" and not arguments:
            made = TEXT
        return Seen(types=made | (seen.types & {"omit"}) if made else UNKNOWN, path=seen.path, absent=absent)

    def _wants(self, name: str, seen: Seen) -> None:
        wanted = _WANTS.get(name, UNKNOWN)
        if seen.types and wanted and not seen.types & (wanted | {"omit"}):
            remedy = f"`{name}` works on a {words(wanted)}"
            self._find("wrong_type", f"`{name}` cannot work on a {words(seen.types)}", remedy, seen.path)

    def _lookup(self, seen: Seen, argument: nodes.Node) -> Seen:
        self._wants("lookup", seen)
        name = path_of(argument)
        if not isinstance(argument, nodes.Name) or not isinstance(self._scope.get(str(name)), Parameter):
            tables = [known for known, what in self._scope.items() if isinstance(what, Parameter)]
            remedy = instead(name or "", tables) if tables else "declare it under `needs:`"
            self._find("unknown_table", f"`{name or '…'}` is not a table of this mapping", remedy, name)
            return Seen(absent=seen.absent)
        self.used.add(str(name))
        self.looked_up.append((self._place(str(name)), str(name), seen.values))
        return Seen(absent=seen.absent, table=str(name), path=seen.path)

    def _test(self, node: nodes.Test) -> None:
        seen = self._see(node.node)
        if node.name not in ("defined", "undefined"):
            self._use(seen)
        for argument in node.args or ():
            other = self._used(argument)
            if node.name == "in":
                self._among(seen, argument, other)

    def _choice(self, node: nodes.CondExpr | nodes.And | nodes.Or) -> Seen:
        if not isinstance(node, nodes.CondExpr):
            return _either(self._used(node.left), self._used(node.right))
        self._used(node.test)
        return _either(self._see(node.expr1), self._see(node.expr2) if node.expr2 is not None else Seen())

    def _compare(self, node: nodes.Compare) -> None:
        left = self._used(node.expr)
        for operand in node.ops:
            right = self._used(operand.expr)
            if operand.op in ("eq", "ne"):
                self._equal(left, right)
                self._equal(right, left)
            elif operand.op in ("in", "notin"):
                self._among(left, operand.expr, right)
            left = right

    def _equal(self, known: Seen, other: Seen) -> None:
        """A value of the contract against a constant that it can never be."""
        if known.path is None or other.path is not None or len(other.values) != 1:
            return
        value = other.values[0]
        if known.values and value not in known.values:
            remedy = instead(str(value), [str(each) for each in known.values])
            self._find("wrong_enum", f"`{known.path}` is never `{value}`", remedy, str(value))
        elif known.types and other.types and not alike(known.types, other.types):
            message = f"`{known.path}` is a {words(known.types)}, never a {words(other.types)}"
            self._find("wrong_type", message, "compare it with a value of its own type", known.path)

    def _among(self, known: Seen, node: nodes.Node, other: Seen) -> None:
        if isinstance(node, nodes.List):
            for item in node.items:
                if isinstance(item, nodes.Const):
                    self._equal(known, Seen(types=frozenset([kind_of(item.value)]), values=(item.value,)))
        elif other.shape is not None and "array" in other.types:
            element = other.shape.element()
            self._equal(Seen(path=other.path, types=element.types, values=element.enum), known)

    def _sum(self, node: nodes.BinExpr | nodes.UnaryExpr) -> Seen:
        sides = [node.left, node.right] if isinstance(node, nodes.BinExpr) else [node.node]
        seen = [self._used(side) for side in sides]
        if isinstance(node, nodes.Add) and not any(each.types and "string" not in each.types for each in seen):
            return Seen(types=TEXT if any(each.types for each in seen) else UNKNOWN)
        for each in seen:
            if each.types and not each.types & (NUMBERS | {"omit"}):
                self._find("wrong_type", f"a {words(each.types)} in a sum", "join texts with `~`", each.path)
        return Seen(types=NUMBERS)

    def _place(self, needle: str | None) -> Place:
        assert self._rule is not None
        if not needle:
            return self._rule.place
        found = re.search(rf"(?<![\w.]){re.escape(needle)}", self._rule.text)
        if found is None:
            return self._rule.at(needle.rpartition(".")[2])
        # The column is that of the last step of the path: the one that is wrong.
        return self._rule.place.within(self._rule.text, found.start() + needle.rfind(".") + 1)

    def _find(self, code: str, message: str, remedy: str, needle: str | None) -> None:
        self.findings.append(Finding.at(self._place(needle), code, message, remedy))


def _further(absent: tuple[Chain, ...], step: str) -> tuple[Chain, ...]:
    """The same path, one optional step longer."""
    return tuple((*chain, step) for chain in absent) or ((step,),)


def _either(one: Seen, other: Seen) -> Seen:
    known = one.types and other.types
    values = one.values + other.values if one.values and other.values else ()
    return Seen(
        types=one.types | other.types if known else UNKNOWN,
        absent=one.absent + other.absent,
        values=values,
        shape=one.shape if other.types == frozenset(["array"]) and "array" in one.types else None,
    )


def _types_of_all(all_seen: Iterable[Seen]) -> frozenset[str]:
    found: set[str] = set()
    for seen in all_seen:
        if not seen.types:
            return UNKNOWN
        found |= seen.types
    return frozenset(found)
