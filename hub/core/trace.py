"""Leaf by leaf: which rule made this value, from which path, by which row of which table. No values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2.environment import Template
from jinja2.exceptions import UndefinedError

from hub.core.expressions import Rule
from hub.core.filters import SANDBOX, check_list, hold, join_lines
from hub.core.findings import nearest
from hub.core.sandbox import OMIT, Mishap, Run, leaf, prune_list, prune_map
from hub.core.tree import Leaf, ListNode, Loop, MapNode, Node
from hub.errors import MappingFault


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceLine:
    """One leaf of a record: where its rule stands and what it drew on. Holds no value of the submission."""

    leaf: str
    file: str
    line: int
    rule: str
    sources: tuple[str, ...] = ()
    table: str | None = None
    row: int | None = None  #: line of the table's row; None when the table's default was used
    default_used: bool = False
    omitted: bool = False

    def as_dict(self) -> dict[str, Any]:
        return {
            "leaf": self.leaf,
            "file": self.file,
            "line": self.line,
            "rule": self.rule,
            "sources": list(self.sources),
            "table": self.table,
            "row": self.row,
            "default_used": self.default_used,
            "omitted": self.omitted,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """A record with the origin of each of its leaves; where one failed, the fault and the leaves before it."""

    record: dict[str, Any] | None
    lines: tuple[TraceLine, ...]
    fault: MappingFault | None = None


@dataclass(slots=True, kw_only=True)
class Walk:
    """Works a record out leaf by leaf: the same result as the compiled whole, ten times slower, and it can explain."""

    names: dict[str, Any]
    run: Run
    templates: dict[int, Template]  #: compiled leaves, kept by the mapping
    lines: list[TraceLine] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)  #: loop names → the element they stand for
    contracted: bool = False  #: paths were held against a contract, so a missing one is optional and not misspelt

    def make(self, node: Node, path: str = "") -> Any:
        match node:
            case Leaf():
                return self._leaf(node, path)
            case MapNode():
                made = {key: self.make(each, f"{path}.{key}" if path else key) for key, each in node.items}
                return prune_map(made) if node.prunes else made
            case ListNode():
                items = [self.make(each, f"{path}[{at}]") for at, each in enumerate(node.items)]
                return prune_list(items) if node.prunes else items
            case Loop():
                return self._loop(node, path)

    def value(self, rule: Rule, path: str) -> Any:
        """What a rule comes to, before it is checked; a failure becomes the fault that names it."""
        if rule.literal:
            return rule.value
        template = self.templates.get(id(rule))
        try:
            if template is None:
                template = self.templates[id(rule)] = rule.compiled()
            return SANDBOX.evaluate(template, self.names)
        except Exception as error:
            raise self.fault(error, rule, path) from None

    def fault(self, error: Exception, rule: Rule, path: str) -> MappingFault:
        where = f"{rule.place.file}:{rule.place.line} {path or 'record'}"
        code, problem = self._problem(error, rule)
        return MappingFault(problem, where=where, code=code)

    def _leaf(self, node: Leaf, path: str) -> Any:
        before = len(self.run.notes or ())
        value = self.value(node.rule, path)
        try:
            made = leaf(value, self.run)
        except Exception as error:
            raise self.fault(error, node.rule, path) from None
        self._note(node.rule, path, before, omitted=made is OMIT)
        return made

    def _note(self, rule: Rule, path: str, before: int, *, omitted: bool) -> None:
        if self.run.notes is None:
            return
        notes = self.run.notes[before:]
        table = next((note for note in notes if note[0] == "table"), None)
        self.lines.append(
            TraceLine(
                leaf=path,
                file=rule.place.file,
                line=rule.place.line,
                rule=rule.text.strip(),
                sources=tuple(self._source(each) for each in rule.paths if table is None or each != table[1]),
                table=table[1] if table else None,
                row=table[2] if table else None,
                default_used=any(kind == "default" or (kind == "table" and row is None) for kind, _, row in notes),
                omitted=omitted,
            )
        )

    def _source(self, path: str) -> str:
        first, rest = _first_step(path)
        return f"{self.aliases[first]}{rest}" if first in self.aliases else path

    def _loop(self, node: Loop, path: str) -> Any:
        assert node.emit is not None
        elements = self.value(node.over, path)
        if elements is OMIT:
            return OMIT
        try:
            check_list(elements)
        except Mishap as error:
            raise self.fault(error, node.over, path) from None
        outer, aliases = self.names, self.aliases
        source = self._source(node.over.paths[0]) if node.over.paths else node.name
        made: list[Any] = []
        for at, each in enumerate(elements):
            self.names = {**outer, node.name: each}
            self.aliases = {**aliases, node.name: f"{source}[{at}]"}
            made.append(self._element(node, f"{path}[{len(made)}]"))
            if made[-1] is OMIT:
                made.pop()
        self.names, self.aliases = outer, aliases
        return made if node.join is None else self._joined(made, node.join, node, path)

    def _joined(self, texts: list[Any], between: str, node: Loop, path: str) -> Any:
        try:
            return leaf(join_lines(texts, self.run, between), self.run)
        except Mishap as error:
            raise self.fault(error, node.over, path) from None

    def _element(self, node: Loop, path: str) -> Any:
        assert node.emit is not None
        try:
            self.run.step()
            if node.when is not None and not hold(self.value(node.when, f"{path}.when")):
                return OMIT
        except Mishap as error:
            raise self.fault(error, node.when or node.over, path) from None
        return self.make(node.emit, path)

    def _problem(self, error: Exception, rule: Rule) -> tuple[str, str]:
        """What went wrong, in words that hold no value: other exceptions' texts may quote one."""
        match error:
            case Mishap(code="absent" | "required" as code):
                return code, self._absence(error, rule)
            case Mishap(code="no_entry"):
                return "no_entry", error.problem
            case Mishap():
                return error.code, error.problem
            case UndefinedError():
                return "absent", self._absence(Mishap("absent", "an absent field was used"), rule)
            case RecursionError() | MemoryError():
                return "too_large", "the expression is nested too deeply; simplify it"
            case TypeError():
                return "type", "values of different kinds were compared or combined; check each one's type"
            case _:
                return "mapping", f"it could not be worked out ({type(error).__name__}); check the expression"

    def _absence(self, mishap: Mishap, rule: Rule) -> str:
        path, there = self._missing(rule, mishap.key)
        if path is None:
            return f"{mishap.problem}; say what holds then, as `| default(omit)`"
        open_ended = not self.contracted or path.split(".")[0] == "extra"
        near = nearest(_last_step(path), there) if open_ended else None
        before = path[: len(path) - len(_last_step(path))]
        hint = f"; the nearest field that is there is `{before}{near}`" if near else ""
        if mishap.code == "required":
            return f"{mishap.problem}{hint}"
        which = "" if open_ended else ", which may leave it out"
        return f"`{path}` is not in this submission{which}{hint}; say what holds then, as `| default(omit)`"

    def _missing(self, rule: Rule, segment: str | None) -> tuple[str | None, list[str]]:
        """The path that leads nowhere, up to its first missing step, and what stands there instead."""
        for path in rule.paths:
            broken = _break(path, self.names)
            if broken is not None and (segment is None or _last_step(broken[0]) in (segment, f"[{segment}]")):
                # The keys below `extra` are a front end's own words; every other key is the contract's.
                return broken[0], [] if path.split(".")[0] == "extra" else broken[1]
        return None, []


def _first_step(path: str) -> tuple[str, str]:
    for at, character in enumerate(path):
        if character in ".[":
            return path[:at], path[at:]
    return path, ""


def _steps(path: str) -> list[str]:
    return path.replace("[", ".[").split(".")


def _last_step(path: str) -> str:
    return _steps(path)[-1]


def _break(path: str, names: Mapping[str, Any]) -> tuple[str, list[str]] | None:
    value: Any = names
    walked = ""
    for step in _steps(path):
        walked = walked + step if step.startswith("[") or not walked else f"{walked}.{step}"
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and step[1:-1].isdigit() and int(step[1:-1]) < len(value):
            value = value[int(step[1:-1])]
        else:
            there = [key for key in value if not key.startswith("_")] if isinstance(value, Mapping) else []
            return walked, there
    return None
