"""A profile's file, held to the language and to the contract that it fills, and compiled."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from jinja2.exceptions import TemplateError

from hub.core.expressions import Rule
from hub.core.findings import Finding, Place, Severity, instead
from hub.core.fitting import fit, may_fit
from hub.core.kinds import kind_of, words
from hub.core.leftovers import steps_read
from hub.core.mapping import CompiledMapping, compile_block
from hub.core.offer import Offer, read_offer
from hub.core.paths import Schema, Shape
from hub.core.profile import BLOCK, FILLED_IN, Profile
from hub.core.reading import Reader
from hub.core.scope import PARAMETER, Scope
from hub.core.tables import Table
from hub.core.tree import Builder, Leaf, ListNode, Loop, MapNode, Node, Path, Places

KEYS: Final = ("format", "service", "version", "help", "with", "extends", BLOCK, "open311")

#: Names that an expression of a profile sees. What a form asks cannot be known, so any path below may stand.
_CONTEXT: Final[Schema] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["answers", "form"],
    "properties": {
        "answers": {"type": "object", "additionalProperties": {}},
        "form": {
            "type": "object",
            "additionalProperties": {},
            "properties": {
                "name": {"type": "string"},
                "language": {"type": "string"},
                "reference": {"type": "string"},
                "submitted_at": {"type": "string", "format": "date-time"},
            },
        },
    },
}


@dataclass(slots=True, kw_only=True)
class Profiling:
    """Compiles one profile. What is wrong with it is in `findings` afterwards."""

    tree: Mapping[str, Any]
    file: str
    name: str
    places: Places
    schemas: Mapping[int, Schema]  #: of the service that it names, by version; none for one that there is not
    tables: Mapping[str, Any]
    findings: list[Finding] = field(default_factory=list)

    def compile(self) -> Profile | None:
        """The profile; None where it cannot be run."""
        for key in self.tree:
            if key not in KEYS:
                self._find((key,), "unknown_key", f"a profile has no `{key}`", instead(str(key), KEYS))
        version = self._version()
        offer = self._offer()
        reader = Reader()
        builder = Builder(places=self.places, reader=reader, findings=self.findings)
        before = len(self.findings)
        tree = self._tree(builder)
        self.findings.extend(reader.findings)
        if tree is None or version is None or len(self.findings) > before:
            return None
        shape = Shape.of(self.schemas[version])
        self.findings.extend(_Held(places=self.places, tables=self.tables).node(tree, shape))
        mapping = self._mapping(tree, builder.loops, reader)
        if mapping is None:
            return None
        rules = list(_rules(tree))
        return Profile(
            format=str(self.tree.get("format", "")),
            name=self.name,
            service=str(self.tree["service"]),
            version=version,
            mapping=mapping,
            shape=shape,
            read=steps_read(rules, "answers"),
            form_read=steps_read(rules, "form"),
            tables=dict(self.tables),
            offer=offer,
        )

    def _version(self) -> int | None:
        """The version of the contract that it fills: the first, unless it says which, for ever."""
        if not self.schemas:
            return None
        version = self.tree.get("version", 1)
        if type(version) is int and version in self.schemas:
            return version
        known = ", ".join(str(each) for each in sorted(self.schemas))
        message = f"`{self.tree['service']}` has no version `{version}`"
        self._find(("version",), "unknown_version", message, f"there are {known}")
        return None

    def _offer(self) -> Offer | None:
        if "open311" not in self.tree:
            return None
        offer, findings = read_offer(self.tree["open311"], places=self.places)
        self.findings.extend(findings)
        return offer

    def _tree(self, builder: Builder) -> MapNode | None:
        value = self.tree.get(BLOCK)
        if value is None:
            self._find((), "missing_key", f"a profile without `{BLOCK}`", f"say what its answers become: `{BLOCK}:`")
            return None
        if not isinstance(value, dict) or "for" in value:
            self._find((BLOCK,), "wrong_type", f"`{BLOCK}` is a map of fields", "write one field to a line")
            return None
        for name in FILLED_IN:
            if name in value:
                self._find((BLOCK, name), "unknown_field", f"`{name}` is filled in by the hub", "leave it out")
        scope: Scope = {**dict.fromkeys(self._names(), PARAMETER), "": Shape.of(_CONTEXT)}
        rest = {key: each for key, each in value.items() if key not in FILLED_IN}
        node = builder.node(rest, (BLOCK,), scope)
        return node if isinstance(node, MapNode) else None

    def _names(self) -> list[str]:
        """Names of `with` that do not hide what a profile sees."""
        for name in sorted(self.tables.keys() & {"answers", "form"}):
            self._find(("with", name), "name_taken", f"`{name}` is what the front end sent", "choose another name")
        return [name for name in self.tables if name not in ("answers", "form")]

    def _mapping(self, tree: MapNode, loops: list[Loop], reader: Reader) -> CompiledMapping | None:
        try:
            block = compile_block(BLOCK, "", self.places.of((BLOCK,)), tree, loops)
        except (SyntaxError, RecursionError, MemoryError, TemplateError):
            self._find((BLOCK,), "syntax", "the submission is nested too deeply", "make it simpler")
            return None
        return CompiledMapping(
            file=self.file,
            service=str(self.tree["service"]),
            connector="",
            blocks={BLOCK: block},
            used=frozenset(reader.used),
            # A fault names the answer that is missing and no other: a form's keys are not for everybody's eyes.
            contracted=True,
        )

    def _find(self, path: Path, code: str, message: str, remedy: str) -> None:
        by_key = code in ("unknown_key", "missing_key", "name_taken", "unknown_field")
        place = self.places.key(path) if by_key else self.places.of(path)
        self.findings.append(Finding.at(place, code, message, remedy))


def unused_tables(profile: Profile, given: Collection[str], places: Places) -> Iterator[Finding]:
    """Names of the profile's own `with` that nothing uses."""
    for name in given:
        if name not in profile.mapping.used:
            message = f"nothing in {profile.file} uses `{name}`"
            yield Finding.at(places.key(("with", name)), "unknown_need", message, "leave it out, or mend its name")


def _rules(node: Node) -> Iterator[Rule]:
    """Every rule of a tree, those of loops and conditions as well."""
    match node:
        case Leaf():
            yield node.rule
        case MapNode():
            for _, each in node.items:
                yield from _rules(each)
        case ListNode():
            for each in node.items:
                yield from _rules(each)
        case Loop():
            yield node.over
            if node.when is not None:
                yield node.when
            if node.emit is not None:
                yield from _rules(node.emit)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A tree held against the contract: no such field, wrong type, a required one missing."""

    places: Places
    tables: Mapping[str, Any]

    def node(self, node: Node, shape: Shape) -> Iterator[Finding]:
        match node:
            case Leaf():
                yield from self._leaf(node, shape)
            case MapNode():
                yield from self._map(node, shape)
            case ListNode():
                if self._takes(shape, "array"):
                    for each in node.items:
                        yield from self.node(each, shape.element())
                else:
                    yield self._wrong(node.place, node.path, "a list")
            case Loop() if node.join is not None:
                if not self._takes(shape, "string"):
                    yield self._wrong(node.over.place, node.path, "a text")
            case Loop():
                if not self._takes(shape, "array"):
                    yield self._wrong(node.over.place, node.path, "a list")
                elif node.emit is not None:
                    yield from self.node(node.emit, shape.element())

    def _map(self, node: MapNode, shape: Shape) -> Iterator[Finding]:
        if not self._takes(shape, "object"):
            yield self._wrong(node.place, node.path, "a map")
            return
        given = dict(node.items)
        for key, below in node.items:
            inner = shape.key(key)
            if inner is not None and any(facet.schema.get("readOnly") for facet in inner.facets):
                message = f"`{_dotted((*node.path, key))}` is filled in by the hub"
                yield Finding.at(self.places.key((*node.path, key)), "unknown_field", message, "leave it out")
            elif inner is None:
                message = f"`{_dotted((*node.path, key))}` is not in the contract"
                remedy = instead(key, shape.names - set(FILLED_IN))
                yield Finding.at(self.places.key((*node.path, key)), "unknown_field", message, remedy)
            else:
                yield from self.node(below, inner)
        for key in sorted(_required(shape)):
            if key in FILLED_IN and len(node.path) == 1:
                continue
            if key not in given:
                message = f"the contract needs `{_dotted((*node.path, key))}`"
                yield Finding.at(self.places.key(node.path), "missing_field", message, f"add `{key}:`")
            elif isinstance(given[key], Leaf) and given[key].may_omit and not node.may_omit:
                yield self._may_be_missing(given[key], (*node.path, key))

    def _leaf(self, leaf: Leaf, shape: Shape) -> Iterator[Finding]:
        if leaf.rule.literal:
            yield from self._literal(leaf.rule.value, leaf.rule.place, leaf.path, shape)
            return
        types = leaf.seen.types - {"omit"}
        if types and not may_fit(types, shape.types):
            yield self._wrong(leaf.rule.place, leaf.path, f"a {words(types)}")
        table = self.tables.get(leaf.seen.table or "")
        if isinstance(table, Table):
            entries = [*table.rows.items(), *([("default", table.default)] if table.default is not None else [])]
            for key, value in entries:
                place = Place(file=table.file or leaf.rule.place.file, line=table.lines.get(key, leaf.rule.place.line))
                if not isinstance(value, dict):
                    yield from self._literal(value, place, leaf.path, shape)

    def _literal(self, value: Any, place: Place, path: Path, shape: Shape) -> Iterator[Finding]:
        kind = kind_of(fit(value, shape))
        if value is None or not self._takes(shape, kind):
            yield self._wrong(place, path, "nothing" if value is None else f"a {words(frozenset([kind]))}")
        elif shape.enum and value not in shape.enum:
            remedy = instead(str(value), [str(each) for each in shape.enum])
            yield Finding.at(place, "wrong_enum", f"`{_dotted(path)}` is never `{value}`", remedy)

    def _takes(self, shape: Shape, kind: str) -> bool:
        types = shape.types
        return not types or kind in types or (kind == "integer" and "number" in types)

    def _wrong(self, place: Place, path: Path, what: str) -> Finding:
        return Finding.at(place, "wrong_type", f"`{_dotted(path)}` cannot be {what}", "give it what the contract says")

    def _may_be_missing(self, node: Node, path: Path) -> Finding:
        message = f"`{_dotted(path)}` may be omitted, but the contract needs it"
        remedy = "give it a default, or say `| required`; until then such a form waits for a person"
        return Finding.at(self.places.of(path), "may_be_missing", message, remedy, severity=Severity.WARNING)


def _required(shape: Shape) -> frozenset[str]:
    """What every document must have here."""
    return frozenset(
        name for facet in shape.facets if facet.certain for name in facet.schema.get("required", ()) if name
    )


def _dotted(path: Path) -> str:
    """The field's name in the contract; positions and a loop's own words are none of it."""
    return ".".join(str(step) for step in path[1:] if step not in ("emit",) and not isinstance(step, int)) or BLOCK
