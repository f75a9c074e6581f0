"""What the types of a WSDL allow: names, arrays, places left open; and whether an answer can hold a path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from zeep.xsd.elements import Any as AnyElement
from zeep.xsd.elements import Element
from zeep.xsd.elements.indicators import Group, OrderIndicator
from zeep.xsd.types.builtins import BuiltinType
from zeep.xsd.types.complex import ComplexType
from zeep.xsd.types.simple import AnySimpleType

Particle = Any  #: an Element, an Any, or a group of them: zeep's classes share no useful base


def names(particle: Particle) -> frozenset[str]:
    """The names of all elements that may stand at one level."""
    return frozenset(str(each.name) for each in elements(particle))


def opens(particle: Particle) -> bool:
    """Whether elements of one's own may stand here."""
    match particle:
        case AnyElement():
            return True
        case Group():
            return opens(particle.child)
        case OrderIndicator():
            return any(opens(each) for each in particle)
        case _:
            return False


def may_be_empty(particle: Particle) -> bool:
    """Whether nothing at all satisfies it. zeep marks every element of a choice optional, so those tell nothing."""
    match particle:
        case Element():
            return False
        case Group():
            return particle.min_occurs == 0 or may_be_empty(particle.child)
        case OrderIndicator():
            return particle.min_occurs == 0 or all(
                each.min_occurs == 0 if isinstance(each, Element) else may_be_empty(each) for each in particle
            )
        case _:
            return bool(particle.min_occurs == 0)


def repeated(particle: Particle) -> Element | None:
    """The one repeated element that is all that this holds: an array in its wrapper."""
    if isinstance(particle, Group):
        return repeated(particle.child)
    if not isinstance(particle, OrderIndicator) or particle.accepts_multiple or len(particle) != 1:
        return None
    (only,) = particle
    if isinstance(only, OrderIndicator | Group):
        return repeated(only)
    return only if isinstance(only, Element) and only.accepts_multiple else None


def builtin(kind: Any) -> str:
    """The builtin type that a simple type is made of, by its local name."""
    for each in type(kind).__mro__:
        qname = vars(each).get("_default_qname")
        if qname is not None and each.__module__ == BuiltinType.__module__:
            return str(qname.localname)
    return "string"


def own_kind(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "int" if -(2**31) <= value < 2**31 else "long" if -(2**63) <= value < 2**63 else "integer"
        case float():
            return "decimal"
        case bytes():
            return "base64Binary"
        case _:
            return "string"


def reaches(element: Element | None, steps: Sequence[str]) -> bool:
    """Whether this path of local names may stand below an element; a place left open may hold any."""
    if not steps:
        return True
    kind = element.type if element is not None else None
    if not isinstance(kind, ComplexType):
        return element is None or not isinstance(kind, AnySimpleType)  # an anyType may hold anything
    particle = kind._element
    if isinstance(particle, Element):  # text with attributes
        return False
    found = [each for each in elements(particle) if each.name == steps[0]]
    return any(reaches(each, steps[1:]) for each in found) or (not found and opens(particle))


def elements(particle: Particle) -> Iterator[Element]:
    """All elements that may stand at one level."""
    match particle:
        case None | AnyElement():
            return
        case Element():
            yield particle
        case Group():
            yield from elements(particle.child)
        case _:
            for each in particle:
                yield from elements(each)
