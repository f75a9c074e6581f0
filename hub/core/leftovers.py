"""Answers that no leaf of a profile reads: kept in `extra`, so that nothing a resident wrote is lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from jinja2 import nodes

from hub.core.expressions import Rule
from hub.core.sandbox import text_of

MOST_KEYS: Final = 100
MOST_ITEMS: Final = 100
LONGEST_KEY: Final = 200
LONGEST_TEXT: Final = 2000

Steps = tuple[str, ...]


def steps_read(rules: Iterable[Rule], root: str) -> frozenset[Steps]:
    """Every path below `root` that some rule reads, step by step; an empty one reads all of it."""
    found = (
        steps[1:]
        for rule in rules
        for piece in rule.pieces
        if isinstance(piece, nodes.Expr)
        for steps in _paths(piece)
        if steps[0] == root
    )
    return frozenset(found)


def _paths(node: nodes.Node) -> Iterator[Steps]:
    steps = _steps(node)
    if steps is not None:
        yield steps
        return
    for child in node.iter_child_nodes():
        yield from _paths(child)


def _steps(node: nodes.Node) -> Steps | None:
    """The steps of a path, up to a position in a list: whoever reads one element has seen the list."""
    match node:
        case nodes.Name(name=name):
            return (str(name),)
        case nodes.Getattr(node=inner, attr=key):
            before = _steps(inner)
            return None if before is None else (*before, str(key))
        case nodes.Getitem(node=inner, arg=nodes.Const(value=key)):
            before = _steps(inner)
            return None if before is None else (*before, key) if isinstance(key, str) else before
        case _:
            return None


def unread(answers: Mapping[str, Any], read: frozenset[Steps]) -> dict[str, Any]:
    """What is left, by its key; below a map of which something was read, by `map.key`."""
    made: dict[str, Any] = {}
    for steps, value in _parts(answers, (), read):
        made[".".join(steps)] = value
    return made


def _parts(value: Mapping[str, Any], path: Steps, read: frozenset[Steps]) -> Iterator[tuple[Steps, Any]]:
    for key, below in value.items():
        here = (*path, key)
        if any(here[: len(each)] == each for each in read):
            continue
        if isinstance(below, Mapping):
            yield from _parts(below, here, read)
        elif not any(each[: len(here)] == here for each in read):
            yield here, below


def keep(left: Mapping[str, Any], extra: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """`extra` with what is left, within the contract's caps, and warnings of what did not go in."""
    kept = dict(extra)
    cut = lost = 0
    for key, value in left.items():
        if len(kept) >= MOST_KEYS:
            lost += 1
            continue
        name = _free_name(key[:LONGEST_KEY], kept)
        kept[name], shortened = answer(value)
        cut += shortened
    return kept, list(_warnings(cut=cut, lost=lost))


def _free_name(key: str, taken: Mapping[str, Any]) -> str:
    number, name = 1, key
    while name in taken:
        number += 1
        name = f"{key[: LONGEST_KEY - 8]} ({number})"
    return name


def answer(value: Any) -> tuple[str | list[str], bool]:
    """An answer as a text or a list of texts; whether something had to be cut."""
    if isinstance(value, list):
        texts = [_text(each) for each in value]
        long = len(texts) > MOST_ITEMS or any(len(text) > LONGEST_TEXT for text in texts)
        return [text[:LONGEST_TEXT] for text in texts[:MOST_ITEMS]], long
    text = _text(value)
    return text[:LONGEST_TEXT], len(text) > LONGEST_TEXT


def _text(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return ""
        case dict() | list():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return text_of(value)


def _warnings(*, cut: int, lost: int) -> Iterator[dict[str, str]]:
    if cut:
        which = "1 answer is" if cut == 1 else f"{cut} answers are"
        yield {"pointer": "#/extra", "message": f"{which} too long for `extra` and cut; the whole is in what was sent."}
    if lost:
        which = "1 answer more" if lost == 1 else f"{lost} answers more"
        message = f"{which} than `extra` takes ({MOST_KEYS}) came; they are only in what was sent."
        yield {"pointer": "#/extra", "message": message}
