"""What an answer says: values at their places, and the tables by which it is judged."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from lxml import etree

from connectors.rest.settings import Format, Rule, Where
from connectors.rest.writing import text_of
from hub.connector import Answer, DeliveryFailure

LONGEST: Final = 120  #: characters of a reference: what the hub keeps


class Read:
    """One answer, parsed once and only when it is asked."""

    def __init__(self, answer: Answer, how: Format) -> None:
        self.answer = answer
        self._how = how
        self._parsed: Any = None

    def understood(self) -> None:
        """Raises what a body means that is not of its format; an empty one is not asked."""
        if self.answer.body.strip():
            self.body()

    def body(self) -> Any:
        """The parsed body. Raises Unclear or Unavailable where there is none."""
        if self._parsed is None:
            match self._how:
                case Format.JSON:
                    self._parsed = _Json(self.answer.json())
                case Format.XML:
                    self._parsed = _Xml(self.answer.xml())
                case Format.ANY:
                    self._parsed = _Json(None)
        return self._parsed

    def meets(self, rules: Iterable[Rule]) -> Rule | None:
        """The first rule that means this answer."""
        return next((rule for rule in rules if self._is(rule)), None)

    def reference(self, where: Where) -> str | None:
        """A case's number; None where there is none, or what stands there can be none."""
        return as_reference(self.text(where))

    def text(self, where: Where) -> str | None:
        """What stands there, as text; None where nothing does."""
        if where.header is not None:
            return _cut(self.answer.headers.get(where.header), where)
        if where.at is None:
            return _cut(self.answer.text(), where)
        return text_in(self.body().at(where.at), where)

    def code(self, kind: str, rule: Rule) -> str:
        """A stable code for what a rule means: with the value that council.yaml names, where it names one."""
        word = _scalar(self.body().at(rule.at)) if rule.at is not None and rule.values is not None else None
        return f"rest_{kind}_{word}" if word and re.fullmatch(r"[\w.-]{1,40}", word) else f"rest_{kind}"

    def items(self, path: str) -> list[Any] | None:
        """The list at this place, one object as a list of one; None where there is neither."""
        found: list[Any] | None = self.body().items(path)
        return found

    def _is(self, rule: Rule) -> bool:
        if rule.status and self.answer.status not in rule.status:
            return False
        if rule.at is None:
            return True
        try:
            found = self.body().at(rule.at)
        except DeliveryFailure:  # what cannot be read says nothing
            return False
        if rule.values is None:
            return found not in (None, "", False, [], {})
        return _scalar(found) in [text_of(value) for value in rule.values]


def as_reference(text: str | None) -> str | None:
    """A case's number, if this can be one. No product numbers a case 0 or -1: where one says so it has failed."""
    usable = text and len(text) <= LONGEST and text.isprintable() and not re.fullmatch(r"0+|-[0-9]+", text)
    return text if usable else None


def text_in(found: Any, where: Where) -> str | None:
    """A value as text, cut by the pattern; a number is one, true, a list or an object is none."""
    return _cut(None if isinstance(found, bool) else _scalar(found), where)


def inside(item: Any, where: Where) -> str | None:
    """What stands in one item of a list, from there down."""
    view = _Xml(item) if isinstance(item, etree._Element) else _Json(item)
    return text_in(view.at(where.at or ""), where)


def _scalar(found: Any) -> str | None:
    match found:
        case str() | bool() | int():
            return text_of(found).strip()
        case float() if not math.isfinite(found):
            return None
        case float() if found.is_integer():  # a number that passed through a system without whole ones
            return str(int(found))
        case float():
            return str(found)
        case _:
            return None


def _cut(text: str | None, where: Where) -> str | None:
    if text is None or where.pattern is None:
        return text.strip() if text is not None else None
    found = re.search(where.pattern, text)
    return (found[1] or "").strip() if found else None


class _Json:
    """A parsed JSON document."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def at(self, pointer: str) -> Any:
        """What RFC 6901 finds; None where there is nothing."""
        found = self._value
        for step in pointer.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            match found:
                case Mapping():
                    found = found.get(name)
                case list() if name.isdecimal() and int(name) < len(found):
                    found = found[int(name)]
                case _:
                    return None
        return found

    def items(self, pointer: str) -> list[Any] | None:
        found = self.at(pointer)
        if isinstance(found, Mapping):
            return [found]
        return found if isinstance(found, list) and all(isinstance(each, Mapping) for each in found) else None


class _Xml:
    """A parsed XML document. Names are compared without their namespaces; a path begins below the root."""

    def __init__(self, root: etree._Element) -> None:
        self._root = root

    def at(self, path: str) -> str | None:
        steps = [step for step in path.split("/") if step]
        attribute = steps.pop()[1:] if steps and steps[-1].startswith("@") else None
        found = self._find(steps)
        if not found:
            return None
        if attribute is None:
            return "".join(map(str, found[0].itertext()))
        return next((str(value) for name, value in found[0].attrib.items() if _local(name) == attribute), None)

    def items(self, path: str) -> list[Any] | None:
        """The elements at the path. That there are none is said only by the element around them."""
        steps = [step for step in path.split("/") if step]
        around = self._find(steps[:-1])
        return [each for one in around for each in _below(one, steps[-1])] if steps and around else None

    def _find(self, steps: list[str]) -> list[etree._Element]:
        found = [self._root]
        for step in steps:
            found = [each for one in found for each in _below(one, step)]
        return found


def _below(element: etree._Element, name: str) -> list[etree._Element]:
    return [each for each in element if _local(each.tag) == name]  # comments are dropped where it is parsed


def _local(name: str | bytes) -> str:
    return str(name).rpartition("}")[2]
