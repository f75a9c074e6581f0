"""The tree of a record: maps, lists, loops and leaves, read from a file and made into one expression."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from jinja2 import nodes

from hub.core.expressions import RESERVED, Rule, helper, is_rule, read_rule
from hub.core.findings import Finding, Place, instead
from hub.core.reading import Reader
from hub.core.scope import Scope, Seen

Path = tuple[str | int, ...]

_IN: Final = re.compile(r"\s*(?P<name>\w+)\s+in\s+(?P<over>.+?)\s*", re.DOTALL)
_LOOP_KEYS: Final = frozenset(["for", "when", "emit", "join"])
_RUN: Final = nodes.Name("_run", "load")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where every value of a file's tree stands, and the key that names it."""

    values: Mapping[Path, Place]
    keys: Mapping[Path, Place] = field(default_factory=dict)

    def of(self, path: Path) -> Place:
        """Where this stands, or the nearest thing around it that has a place."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path) or Place(file="")

    def key(self, path: Path) -> Place:
        """Where the key of this stands."""
        return self.keys.get(path) or self.of(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    path: Path
    rule: Rule
    seen: Seen  #: what it can be, for the check against the record

    @property
    def may_omit(self) -> bool:
        return self.rule.may_omit


@dataclass(frozen=True, slots=True, kw_only=True)
class MapNode:
    path: Path
    place: Place
    items: tuple[tuple[str, Node], ...]

    @property
    def prunes(self) -> bool:
        return any(node.may_omit for _, node in self.items)

    @property
    def may_omit(self) -> bool:
        """A map is omitted when everything in it was."""
        return bool(self.items) and all(node.may_omit for _, node in self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListNode:
    path: Path
    place: Place
    items: tuple[Node, ...]

    @property
    def prunes(self) -> bool:
        return any(node.may_omit for node in self.items)

    @property
    def may_omit(self) -> bool:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """`for: name in path`, with `emit` (and `when`): a list made from a list; with `join` a text instead."""

    path: Path
    name: str
    over: Rule
    number: int = 0
    when: Rule | None = None
    emit: Node | None = None  #: None for a mapping's `each`
    join: str | None = None  #: what stands between the texts that were emitted

    @property
    def may_omit(self) -> bool:
        return self.over.may_omit


Node = Leaf | MapNode | ListNode | Loop


@dataclass(slots=True, kw_only=True)
class Builder:
    """Reads trees of one mapping; keeps its loops and what it found."""

    places: Places
    reader: Reader
    findings: list[Finding]
    loops: list[Loop] = field(default_factory=list)

    def place(self, path: Path) -> Place:
        return self.places.of(path)

    def node(self, value: Any, path: Path, scope: Scope) -> Node | None:
        """The node for a value of the file; None when it is no rule (which has been noted)."""
        match value:
            case {"for": _}:
                return self._loop(value, path, scope)
            case dict():
                made = [(str(key), self.node(each, (*path, key), scope)) for key, each in value.items()]
                for key in value:
                    if is_rule(key):
                        message = "a field's name cannot be an expression"
                        self._find((*path, key), "wrong_type", message, "write the field's name")
                items = tuple((key, node) for key, node in made if node is not None)
                return MapNode(path=path, place=self.place(path), items=items)
            case list():
                nodes_ = [self.node(each, (*path, at), scope) for at, each in enumerate(value)]
                return ListNode(path=path, place=self.place(path), items=tuple(n for n in nodes_ if n is not None))
            case _:
                return self.leaf(value, path, scope)

    def leaf(self, value: Any, path: Path, scope: Scope) -> Leaf | None:
        rule = self.rule(value, path)
        return None if rule is None else Leaf(path=path, rule=rule, seen=self.reader.read(rule, scope))

    def rule(self, value: Any, path: Path, *, place: Place | None = None) -> Rule | None:
        """The rule that stands there; None when it is none (which has been noted)."""
        rule = read_rule(value, place or self.place(path))
        if isinstance(rule, Finding):
            self.findings.append(rule)
            return None
        return rule

    def condition(self, value: Any, path: Path, scope: Scope) -> Rule | None:
        """A `when`: true, false, or one expression."""
        if not isinstance(value, bool) and not is_rule(value):
            self._find(path, "wrong_type", "`when` is an expression", 'write it as `when: "{{ … }}"`')
            return None
        rule = self.rule(value, path)
        if rule is not None:
            self.reader.condition(rule, scope)
        return rule

    def going_through(self, value: Any, path: Path, scope: Scope) -> tuple[str, Rule, Scope] | None:
        """`name in path`: the name, the list, and the scope in which the name is one element."""
        found = _IN.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            self._find(path, "syntax", f"`{path[-1]}` reads `name in path`", "write, say, `item in details.containers`")
            return None
        name = found["name"]
        if name.startswith("_") or not name.isidentifier() or name in RESERVED or _taken(name, scope):
            self._find(path, "name_taken", f"`{name}` is already the name of something else", "choose another name")
            return None
        place = self.place(path)
        shifted = Place(file=place.file, line=place.line, column=place.column + found.start("over") - 3)
        rule = self.rule(f"{{{{ {found['over']} }}}}", path, place=shifted)
        if rule is None:
            return None
        return name, rule, {**scope, name: self.reader.list_of(rule, scope)}

    def _loop(self, value: dict[str, Any], path: Path, scope: Scope) -> Loop | None:
        for key in value.keys() - _LOOP_KEYS:
            place = self.places.key((*path, key))
            remedy = instead(str(key), _LOOP_KEYS)
            self.findings.append(Finding.at(place, "unknown_key", f"a loop has no `{key}`", remedy))
        if "emit" not in value:
            self._find((*path, "for"), "missing_key", "a loop without `emit`", "say what each element becomes: `emit:`")
            return None
        gone = self.going_through(value["for"], (*path, "for"), scope)
        if gone is None:
            return None
        name, over, inner = gone
        when = self.condition(value["when"], (*path, "when"), inner) if "when" in value else None
        emit = self.node(value["emit"], (*path, "emit"), inner)
        join = self._join(value.get("join"), emit, path)
        if emit is None:
            return None
        loop = Loop(path=path, name=name, over=over, number=len(self.loops), when=when, emit=emit, join=join)
        self.loops.append(loop)
        return loop

    def _join(self, join: Any, emit: Node | None, path: Path) -> str | None:
        if join is None:
            return None
        if not isinstance(join, str) or is_rule(join):
            self._find((*path, "join"), "wrong_type", "`join` is a text", "write, say, `join: ', '`")
            return None
        if isinstance(emit, MapNode | ListNode) or (isinstance(emit, Loop) and emit.join is None):
            self._find((*path, "emit"), "wrong_type", "only texts can be joined", "emit one text, or leave out `join:`")
        return join

    def _find(self, path: Path, code: str, message: str, remedy: str) -> None:
        self.findings.append(Finding.at(self.place(path), code, message, remedy))


def _taken(name: str, scope: Scope) -> bool:
    root = scope.get("")
    return name in scope or (root is not None and name in getattr(root, "names", ()))


def expression(node: Node, *, counted: bool = False) -> nodes.Expr:
    """The whole tree as one expression. In a loop every leaf is counted, literal ones too."""
    match node:
        case Leaf():
            return node.rule.bare() if node.rule.literal and not counted else node.rule.checked()
        case MapNode():
            pairs = [nodes.Pair(nodes.Const(key), expression(each, counted=counted)) for key, each in node.items]
            made: nodes.Expr = nodes.Dict(pairs)
            return helper("_map", made) if node.prunes else made
        case ListNode():
            made = nodes.List([expression(each, counted=counted) for each in node.items])
            return helper("_list", made) if node.prunes else made
        case Loop():
            made = helper("_each", node.over.bare(), nodes.Const(node.number), _RUN)
            if node.join is None:
                return made
            return helper("_leaf", helper("join_lines", made, _RUN, nodes.Const(node.join)), _RUN)


def element(loop: Loop) -> nodes.Expr:
    """A loop's sub-expression: what one element becomes, or nothing."""
    assert loop.emit is not None
    made = expression(loop.emit, counted=True)
    if loop.when is None:
        return made
    return nodes.CondExpr(helper("_hold", loop.when.bare()), made, nodes.Name("omit", "load"), lineno=1)


def leaves(node: Node) -> Iterator[Leaf]:
    """Every leaf, in the order of the file."""
    match node:
        case Leaf():
            yield node
        case MapNode():
            for _, each in node.items:
                yield from leaves(each)
        case ListNode():
            for each in node.items:
                yield from leaves(each)
        case Loop():
            if node.emit is not None:
                yield from leaves(node.emit)
