"""What does a destination's record look like? Compile, run, trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from jinja2.environment import Template

from hub.core.expressions import Rule
from hub.core.filters import SANDBOX, check_list, hold
from hub.core.findings import Place
from hub.core.sandbox import OMIT, Mishap, Run
from hub.core.scope import Chain, Indexed
from hub.core.trace import Traced, Walk
from hub.core.tree import Loop, Node, element, expression
from hub.errors import MappingFault

BLOCKS: Final = ("create", "update", "cancel", "attach")
MAX_INPUT: Final = 256 * 1024  #: characters of a submission that a mapping reads
MAX_SPLIT: Final = 200  #: deliveries that one route may make of one submission


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a pattern asks of a council: a table or a value, filled by a route's `with`."""

    name: str
    help: str
    place: Place
    keys: tuple[str, ...] = ()  #: the codes that its table must know
    default: Any = None
    has_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One verb of a mapping: the operation it asks for, and the tree of its record."""

    name: str
    operation: str
    place: Place
    tree: Node
    template: Template
    loops: tuple[tuple[str, Template], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A route's `when`."""

    rule: Rule
    template: Template | None = None
    contracted: bool = False

    def holds(self, context: Mapping[str, Any]) -> bool:
        """Whether the route takes this submission. Raises MappingFault where that cannot be said."""
        if self.rule.literal:
            return bool(self.rule.value)
        names = _names(context, Run())
        try:
            return hold(SANDBOX.evaluate(self.template or self.rule.compiled(), names))
        except Exception as error:
            walk = Walk(names=names, run=Run(), templates={}, contracted=self.contracted)
            raise walk.fault(error, self.rule, "when") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledMapping:
    """A mapping file (with what it extends), ready to run. Holds no table: those come with the context."""

    file: str
    service: str
    connector: str
    blocks: Mapping[str, Block]
    version: int = 1  #: of the service's contract, whose words it is written in
    loop: Loop | None = None  #: `each`
    needs: Mapping[str, Need] = field(default_factory=dict)
    status: Mapping[str, str] = field(default_factory=dict)
    line: int = 1  #: where it begins: a mapping may stand inside council.yaml
    used: frozenset[str] = frozenset()  #: names of `with` that something uses
    optional: tuple[tuple[Place, Chain], ...] = ()  #: optional paths that nothing defaults
    indexed: tuple[Indexed, ...] = ()
    looked_up: tuple[tuple[Place, str, tuple[Any, ...]], ...] = ()
    contracted: bool = False  #: whether every path was held against a contract
    _templates: dict[int, Template] = field(default_factory=dict, repr=False, compare=False)

    @property
    def where(self) -> str:
        """Where the mapping begins, for faults that are of no leaf."""
        return f"{self.file}:{self.line}"

    @property
    def has_each(self) -> bool:
        return self.loop is not None

    def operation(self, block: str) -> str:
        """The connector's operation for a verb. Raises MappingFault when the mapping has no such block."""
        return self._block(block).operation

    def split(self, context: Mapping[str, Any]) -> list[Any]:
        """The elements of `each`, one delivery for each; [None] without `each`. Raises MappingFault."""
        if self.loop is None:
            return [None]
        walk = self._walk(context)
        rule = self.loop.over
        elements = walk.value(rule, "each")
        try:
            check_list(elements)
            if len(elements) > MAX_SPLIT:
                raise Mishap("too_large", f"a split into more than {MAX_SPLIT} deliveries")
        except Mishap as error:
            raise walk.fault(error, rule, "each") from None
        return list(elements)

    def run(self, block: str, context: Mapping[str, Any], *, item: Any = None) -> dict[str, Any]:
        """The record. Raises MappingFault naming file, line, leaf and field, and no value."""
        chosen = self._block(block)
        run = Run(loops=chosen.loops)
        names = _names(context, run)
        if self.loop is not None:
            names[self.loop.name] = item
        self._weigh(context, chosen)
        try:
            record = SANDBOX.evaluate(chosen.template, names)
        except Exception:  # the whole cannot say which leaf failed: find it
            record = self._walk(context, item=item, loops=chosen.loops).make(chosen.tree)
        return {} if record is OMIT else record

    def trace(self, block: str, context: Mapping[str, Any], *, item: Any = None) -> Traced:
        """The record with the origin of each leaf; a fault stands in the result instead of being raised."""
        chosen = self._block(block)
        walk = self._walk(context, item=item, loops=chosen.loops, notes=[])
        try:
            self._weigh(context, chosen)
            record = walk.make(chosen.tree)
        except MappingFault as fault:
            return Traced(record=None, lines=tuple(walk.lines), fault=fault)
        return Traced(record={} if record is OMIT else record, lines=tuple(walk.lines))

    def missing_element(self, index: int) -> NoReturn:
        """Say that a delivery's element is no longer among those that `each` finds."""
        problem = f"`each` finds no element {index + 1}; the mapping was changed since, discard it or replay the whole"
        line = self.loop.over.place.line if self.loop is not None else self.line
        raise MappingFault(problem, where=f"{self.file}:{line} each", code="no_element")

    def _block(self, name: str) -> Block:
        try:
            return self.blocks[name]
        except KeyError:
            problem = f"the mapping has no `{name}` block; add one, or send this by hand"
            raise MappingFault(problem, where=f"{self.where} {name}", code="no_block") from None

    def _walk(
        self,
        context: Mapping[str, Any],
        *,
        item: Any = None,
        loops: tuple[tuple[str, Template], ...] = (),
        notes: list[Any] | None = None,
    ) -> Walk:
        run = Run(loops=loops, notes=notes)
        names = _names(context, run)
        walk = Walk(names=names, run=run, templates=self._templates, contracted=self.contracted)
        if self.loop is not None and item is not None:
            walk.names[self.loop.name] = item
            walk.aliases[self.loop.name] = self._alias(context, item)
        return walk

    def _alias(self, context: Mapping[str, Any], item: Any) -> str:
        """The path of this element of `each`, for traces."""
        assert self.loop is not None
        source = self.loop.over.paths[0] if self.loop.over.paths else self.loop.name
        try:
            elements = self.split(context)
        except MappingFault:
            return f"{source}[*]"
        return next((f"{source}[{at}]" for at, each in enumerate(elements) if each is item), f"{source}[*]")

    def _weigh(self, context: Mapping[str, Any], block: Block) -> None:
        if weight(context) > MAX_INPUT:
            problem = f"the submission holds more than {MAX_INPUT // 1024} KB of text; send attachments as attachments"
            raise MappingFault(problem, where=f"{self.file}:{block.place.line} {block.name}", code="too_large")


def compile_block(name: str, operation: str, place: Place, tree: Node, loops: list[Loop]) -> Block:
    """Make one expression of a tree, and one of each loop in it."""
    made = tuple((loop.name, SANDBOX.assemble(element(loop))) for loop in loops)
    template = SANDBOX.assemble(expression(tree))
    return Block(name=name, operation=operation, place=place, tree=tree, template=template, loops=made)


def weight(value: Any) -> int:
    """Roughly how many characters of JSON a context is; tables do not count."""
    total = 0
    pending = [value]
    take, add = pending.pop, pending.extend
    while pending:
        each = take()
        kind = each.__class__
        if kind is str:
            total += len(each)
        elif kind is dict:
            total += 8 * len(each)
            add(each.values())
        elif kind is list:
            total += len(each)
            add(each)
    return total


def _names(context: Mapping[str, Any], run: Run) -> dict[str, Any]:
    return {**context, "omit": OMIT, "_run": run}
