"""How two records of the same submission differ: which leaves, and never what stands in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.core.tree import ListNode, Loop, MapNode, Node

Names = tuple[str, ...]

_EACH: Final = "[*]"
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Paths of leaves as mapping files write them; list positions are left out, since they say nothing of the rule."""

    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.removed)


def difference(old: Mapping[str, Any], new: Mapping[str, Any], *, trees: Iterable[Node]) -> Difference:
    """What changed from the old record to the new one.

    `trees` are the trees that made them. Only names that stand in them are
    told: a rule may put a whole map of a resident's own words into one leaf.
    """
    walk = _Walk(names=_names(trees))
    walk.compare(old, new, ())
    return Difference(changed=walk.told("changed"), added=walk.told("added"), removed=walk.told("removed"))


def _names(trees: Iterable[Node]) -> dict[Names, set[str]]:
    """By path, the names that mapping files give to what is below it."""
    found: dict[Names, set[str]] = {}
    pending: list[tuple[Names, Node]] = [((), tree) for tree in trees]
    while pending:
        path, node = pending.pop()
        match node:
            case MapNode():
                below = [(key, each) for key, each in node.items]
            case ListNode():
                below = [(_EACH, each) for each in node.items]
            case Loop():
                below = [] if node.emit is None else [(_EACH, node.emit)]
            case _:
                continue
        found.setdefault(path, set()).update(name for name, _ in below)
        pending += [((*path, name), each) for name, each in below]
    return found


@dataclass(slots=True, kw_only=True)
class _Walk:
    names: Mapping[Names, set[str]]
    found: dict[str, set[str]] = field(default_factory=dict)

    def told(self, how: str) -> tuple[str, ...]:
        return tuple(sorted(self.found.get(how, ())))

    def compare(self, old: Any, new: Any, path: Names) -> None:
        if old is _ABSENT or new is _ABSENT:
            self._tell("added" if old is _ABSENT else "removed", path)
        elif isinstance(old, dict) and isinstance(new, dict) and self.names.get(path):
            self._maps(old, new, path)
        elif isinstance(old, list) and isinstance(new, list) and self.names.get(path) == {_EACH}:
            self._lists(old, new, path)
        elif old != new or type(old) is not type(new):
            self._tell("changed", path)

    def _maps(self, old: Mapping[str, Any], new: Mapping[str, Any], path: Names) -> None:
        known = self.names[path]
        for name in sorted((old.keys() | new.keys()) & known):
            self.compare(old.get(name, _ABSENT), new.get(name, _ABSENT), (*path, name))
        others = (old.keys() | new.keys()) - known
        if any(old.get(name, _ABSENT) != new.get(name, _ABSENT) for name in others):
            self._tell("changed", path)

    def _lists(self, old: list[Any], new: list[Any], path: Names) -> None:
        for one, other in zip(old, new, strict=False):
            self.compare(one, other, (*path, _EACH))
        if len(old) != len(new):
            self._tell("added" if len(new) > len(old) else "removed", (*path, _EACH))

    def _tell(self, how: str, path: Names) -> None:
        self.found.setdefault(how, set()).add(".".join(path).replace(f".{_EACH}", _EACH) or "the whole record")
