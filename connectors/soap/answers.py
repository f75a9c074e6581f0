"""What an answer says: values at paths, and what they mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from lxml import etree

_STEP: Final = re.compile(r"(?P<name>[^\W\d][\w.-]*)(\[(?P<child>[^\W\d][\w.-]*)=(?P<value>[^\[\]/]*)\])?")
_ATTRIBUTE: Final = re.compile(r"@[^\W\d][\w.-]*")
_HARMLESS: Final = re.compile(r"-?[A-Za-z0-9_.]{1,20}")
_NUMBER: Final = re.compile(r"-?\d{1,6}")


class Means(StrEnum):
    """What a value, or a fault, says of the call."""

    OK = "ok"
    REFUSED = "refused"
    BUSY = "busy"
    MISCONFIGURED = "misconfigured"
    DUPLICATE = "duplicate"
    EXPIRED = "expired"  #: the session; nothing was done
    NONE = "none"  #: a look that found nothing
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Step:
    """One name of a path; with `child` only where that child has this text."""

    name: str
    child: str | None = None
    value: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """`A/B/C`, `A/B[Kind=2]/C` or `A/B/@Id`: local names, from below the element that it is asked of."""

    steps: tuple[Step, ...]
    attribute: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(step.name for step in self.steps)

    def elements(self, below: etree._Element) -> Iterator[etree._Element]:
        """Every element that stands there, in the order of the document."""
        return _below([below], self.steps)

    def text(self, below: etree._Element | None) -> str | None:
        """The first text that stands there and is not empty; "" where all are; None where nothing stands."""
        found: str | None = None
        for element in self.elements(below) if below is not None else ():
            said = element.text if self.attribute is None else _attribute(element, self.attribute)
            if said is not None and said.strip():
                return said.strip()
            found = "" if said is not None or self.attribute is None else found
        return found


@lru_cache(maxsize=1024)
def place(text: str) -> Place:
    """Raises ValueError where this is no path."""
    *parts, last = text.split("/")
    attribute = last[1:] if _ATTRIBUTE.fullmatch(last) else None
    parts = parts if attribute is not None else [*parts, last]
    steps = []
    for part in parts:
        known = _STEP.fullmatch(part)
        if known is None:
            raise ValueError("write names without prefixes: `Result/Number`, `Rows/Row[Kind=2]/Number`, `Row/@Id`")
        steps.append(Step(known["name"], known["child"], known["value"] or ""))
    return Place(tuple(steps), attribute)


def _below(elements: Iterable[etree._Element], steps: tuple[Step, ...]) -> Iterator[etree._Element]:
    if not steps:
        yield from elements
        return
    step, *rest = steps
    for element in elements:
        found = (child for child in _called(element, step.name) if _fits(child, step))
        yield from _below(found, tuple(rest))


def _called(element: etree._Element, name: str) -> Iterator[etree._Element]:
    return (child for child in element.iterchildren(tag=etree.Element) if etree.QName(child).localname == name)


def _fits(element: etree._Element, step: Step) -> bool:
    if step.child is None:
        return True
    return any((child.text or "").strip() == step.value for child in _called(element, step.child))


def _attribute(element: etree._Element, name: str) -> str | None:
    for key, value in element.attrib.items():
        if etree.QName(key).localname == name:
            return str(value)
    return None


def code_of(value: str | None, *, listed: bool) -> str:
    """A code to group failures by. Values that nobody foresaw may hold anything, so only numbers are named."""
    if value is None:
        return "soap_absent"
    fits = _HARMLESS if listed else _NUMBER
    return f"soap_{value}" if fits.fullmatch(value) else "soap_listed" if listed else "soap_unlisted"
