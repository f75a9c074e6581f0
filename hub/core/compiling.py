"""A mapping file's tree, held to the language and the contract, and compiled."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jinja2.exceptions import TemplateError

from hub.core.findings import Finding, Place, instead
from hub.core.mapping import BLOCKS, Block, CompiledMapping, Condition, Need, compile_block
from hub.core.paths import ANYTHING, Schema, Shape
from hub.core.reading import Reader
from hub.core.scope import PARAMETER, Scope, constant_indexes
from hub.core.tree import Builder, Loop, Path, Places

KEYS: Final = ("service", "version", "connector", "help", "needs", "each", *BLOCKS, "status", "extends")
#: What a case can be with a council, as front ends are told (Open311's extended statuses, and `resolved`).
CASE_STATUSES: Final = (
    *("open", "in_progress", "investigating", "planned", "action_scheduled", "resolved", "fixed", "closed"),
    *("duplicate", "not_councils_responsibility", "no_further_action", "internal_referral", "cancelled"),
    *("reopen", "for_triage", "unchanged"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A mapping, and everything that is wrong with it; None only where it could not be read at all."""

    mapping: CompiledMapping | None
    findings: tuple[Finding, ...]


def compile_mapping(
    tree: Mapping[str, Any],
    *,
    file: str,
    places: Places,
    schemas: Collection[Schema] = (),
    names: Collection[str] = (),
) -> Compiled:
    """Compile a mapping file's plain tree.

    `places` says where each key and leaf stands (files differ where the tree
    extends another). `schemas` are the contract in the version that the
    mapping is written for; without any, paths are not checked. `names` are tables and values of the
    route's `with` that the mapping may use besides its own `needs`.
    """
    return _Compiler(tree=tree, file=file, places=places, schemas=tuple(schemas), names=frozenset(names)).compile()


def compile_condition(
    value: Any, place: Place, *, schemas: Collection[Schema] = (), names: Collection[str] = ()
) -> tuple[Condition | None, list[Finding]]:
    """Compile a route's `when`; `names` are the tables that it may look things up in."""
    builder = Builder(places=Places(values={(): place}), reader=Reader(), findings=[])
    rule = builder.condition(value, (), _scope(schemas, names))
    findings = [*builder.findings, *builder.reader.findings]
    if rule is None:
        return None, findings
    template = None if rule.literal else rule.compiled()
    return Condition(rule=rule, template=template, contracted=bool(schemas)), findings


def _scope(schemas: Collection[Schema], names: Collection[str], *, follow_up: bool = False) -> Scope:
    root = Shape.of_submission(*schemas, follow_up=follow_up) if schemas else ANYTHING
    return {**dict.fromkeys(names, PARAMETER), "": root}


class _Compiler:
    def __init__(
        self,
        *,
        tree: Mapping[str, Any],
        file: str,
        places: Places,
        schemas: tuple[Schema, ...],
        names: frozenset[str],
    ) -> None:
        self.tree = tree
        self.file = file
        self.places = places
        self.schemas = schemas
        self.names = names
        self.findings: list[Finding] = []
        self.reader = Reader()
        self.builder = Builder(places=places, reader=self.reader, findings=self.findings)

    def compile(self) -> Compiled:
        for key in self.tree:
            if key not in KEYS:
                self._find((key,), "unknown_key", f"a mapping has no `{key}`", instead(str(key), KEYS))
        needs = self._needs()
        names = self._free_names(self.names | needs.keys())
        each = self._each(_scope(self.schemas, names))
        blocks = {name: block for name in BLOCKS if (block := self._block(name, names, each)) is not None}
        if "create" not in self.tree:
            self._find((), "missing_key", "a mapping without `create`", "say what makes the case: `create:`")
        self.findings.extend(self.reader.findings)
        self.findings.extend(constant_indexes(self.reader.indexed))
        mapping = CompiledMapping(
            file=self.file,
            line=self.places.of(()).line,
            service=self._text("service"),
            version=self._version(),
            connector=self._text("connector"),
            blocks=blocks,
            loop=each,
            needs=needs,
            status=self._status(),
            used=frozenset(self.reader.used),
            optional=tuple(self.reader.optional),
            indexed=tuple(self.reader.indexed),
            looked_up=tuple(self.reader.looked_up),
            contracted=bool(self.schemas),
        )
        return Compiled(mapping=mapping, findings=tuple(dict.fromkeys(self.findings)))

    def _text(self, key: str) -> str:
        value = self.tree.get(key)
        if value is None:
            self._find((), "missing_key", f"a mapping without `{key}`", f"say which: `{key}: …`")
        elif not isinstance(value, str):
            self._find((key,), "wrong_type", f"`{key}` is a name", "write a text")
        return value if isinstance(value, str) else ""

    def _version(self) -> int:
        """Of the service's contract. What does not say it was written when there was one."""
        value = self.tree.get("version", 1)
        if type(value) is int and value > 0:
            return value
        self._find(
            ("version",), "wrong_type", "`version` is a whole number from 1", "say `version: 1`, or leave it out"
        )
        return 1

    def _needs(self) -> dict[str, Need]:
        stated = self._map("needs")
        return {str(name): self._need(str(name), value) for name, value in stated.items()}

    def _need(self, name: str, value: Any) -> Need:
        known = ("help", "keys", "default")
        if not isinstance(value, dict):
            message = f"`needs.{name}` says what it is for"
            self._find(("needs", name), "wrong_type", message, "write `{help: …, keys: …}`")
            value = {}
        for key in value:
            if key not in known:
                self._find(("needs", name, key), "unknown_key", f"a need has no `{key}`", instead(str(key), known))
        return Need(
            name=name,
            help=str(value.get("help", "")),
            place=self.builder.place(("needs", name)),
            keys=self._need_keys(name, value.get("keys")),
            default=value.get("default"),
            has_default="default" in value,
        )

    def _need_keys(self, name: str, keys: Any) -> tuple[str, ...]:
        """The codes that a table must know: listed, or those of an enum of the contract."""
        path: Path = ("needs", name, "keys")
        match keys:
            case None:
                return ()
            case list():
                return tuple(str(key) for key in keys)
            case str() if self.schemas:
                found = self._enum(keys)
                if not found:
                    message = f"the contract has no list of values `{keys}`"
                    self._find(path, "unknown_path", message, "name a field with a closed list of values")
                return found
            case str():
                return ()
            case _:
                self._find(path, "wrong_type", "`keys` names a field, or lists codes", "write `keys: waste_type`")
                return ()

    def _enum(self, field: str) -> tuple[str, ...]:
        root = Shape.of_submission(*self.schemas)
        parts = field.split(".")
        shapes = list(root.find_all(parts[-1])) if len(parts) == 1 else [_follow(root, parts)]
        for shape in shapes:
            for one in (shape, shape.element() if shape is not None and "array" in shape.types else None):
                if one is not None and one.enum:
                    return tuple(str(value) for value in one.enum)
        return ()

    def _free_names(self, names: Collection[str]) -> frozenset[str]:
        """Names of `with` that do not hide a field of the submission."""
        taken = Shape.of_submission(*self.schemas).names if self.schemas else frozenset(["hub"])
        for name in sorted(set(names) & taken):
            self._find(("needs", name), "name_taken", f"`{name}` is a field of the submission", "choose another name")
        return frozenset(names) - taken

    def _each(self, scope: Scope) -> Loop | None:
        if "each" not in self.tree:
            return None
        gone = self.builder.going_through(self.tree["each"], ("each",), scope)
        if gone is None:
            # A loop over anything keeps the rest of the file checkable.
            return None
        name, rule, inner = gone
        self._element = inner[name]
        return Loop(path=("each",), name=name, over=rule)

    def _block(self, name: str, names: Collection[str], each: Loop | None) -> Block | None:
        if name not in self.tree:
            return None
        value = self._map(name)
        known = ("operation", "record")
        for key in value:
            if key not in known:
                self._find((name, key), "unknown_key", f"`{name}` has no `{key}`", instead(str(key), known))
        for key in known:
            if key not in value:
                self._find((name,), "missing_key", f"`{name}` without `{key}`", f"add `{key}:`")
        record = value.get("record", {})
        if not isinstance(record, dict) or "for" in record:
            self._find((name, "record"), "wrong_type", "a record is a map of fields", "write one field to a line")
            return None
        scope = dict(_scope(self.schemas, names, follow_up=name != "create"))
        if each is not None:
            scope[each.name] = self._element
        elif isinstance(stated := self.tree.get("each"), str):
            scope[stated.split()[0] if stated.split() else ""] = ANYTHING
        self.builder.loops = []
        before = len(self.findings)
        tree = self.builder.node(record, (name, "record"), scope)
        if tree is None or len(self.findings) > before:
            return None
        return self._compiled(name, str(value.get("operation", "")), tree)

    def _compiled(self, name: str, operation: str, tree: Any) -> Block | None:
        place = self.builder.place((name, "operation"))
        try:
            return compile_block(name, operation, place, tree, self.builder.loops)
        except (SyntaxError, RecursionError, MemoryError, TemplateError):
            self._find((name, "record"), "syntax", "the record is nested too deeply", "make it simpler")
            return None

    def _status(self) -> dict[str, str]:
        made: dict[str, str] = {}
        for word, status in self._map("status").items():
            if status not in CASE_STATUSES:
                remedy = instead(str(status), CASE_STATUSES)
                self._find(("status", word), "wrong_enum", f"`{status}` is not a status of a case", remedy)
            made[str(word)] = str(status)
        return made

    def _map(self, key: str) -> dict[Any, Any]:
        value = self.tree.get(key, {})
        if not isinstance(value, dict):
            self._find((key,), "wrong_type", f"`{key}` is a map", "indent its keys below it")
            return {}
        return value

    def _find(self, path: Path, code: str, message: str, remedy: str) -> None:
        by_key = code in ("unknown_key", "missing_key", "name_taken")
        place = self.places.key(path) if by_key else self.places.of(path)
        self.findings.append(Finding.at(place, code, message, remedy))


def _follow(shape: Shape | None, parts: list[str]) -> Shape | None:
    for part in parts:
        if shape is None:
            return None
        if "array" in shape.types:
            shape = shape.element()
        shape = shape.key(part)
    return shape
