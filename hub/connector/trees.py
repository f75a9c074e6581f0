"""Plain trees (maps, lists, values) written as the types of a WSDL have them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final, cast

from lxml import etree
from zeep.exceptions import Error as ZeepError
from zeep.xsd.elements import Any as AnyElement
from zeep.xsd.elements import AnyAttribute, Element
from zeep.xsd.elements.indicators import Choice, Group, OrderIndicator
from zeep.xsd.schema import Schema
from zeep.xsd.types.any import AnyType
from zeep.xsd.types.collection import ListType, UnionType
from zeep.xsd.types.complex import ComplexType
from zeep.xsd.types.simple import AnySimpleType

from hub.connector.particles import Particle, builtin, may_be_empty, names, opens, own_kind, repeated
from hub.connector.scalars import Later, Unfit, lexical

_XSD: Final = "http://www.w3.org/2001/XMLSchema"
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_NIL: Final = f"{{{_XSI}}}nil"
_TYPE: Final = f"{{{_XSI}}}type"
TEXT: Final = "#text"  #: the key of an element's own text, where it has attributes too
TYPE: Final = "@xsi:type"  #: the key of a derived type's name
_NAME: Final = re.compile(r"[^\W\d][\w.-]*")

Path = tuple[str, ...]


@dataclass(slots=True)
class _Bag:
    """What was given for one element's children, and what of it is still to be written."""

    left: dict[str, Any]
    declared: frozenset[str]
    namespaces: Mapping[str, str]

    def key_of(self, element: Element) -> str | None:
        """The key under which this element was given: its name, or `prefix:name` of its own namespace."""
        if element.name in self.left:
            return str(element.name)
        for key in self.left:
            prefix, colon, name = key.partition(":")
            if colon and name == element.name and self.namespaces.get(prefix) == element.qname.namespace:
                return key
        return None

    def given(self, particle: Particle) -> list[str]:
        """The keys that are left and that these elements could take, in the order of the tree."""
        known = names(particle)
        return [key for key in self.left if key in known or (":" in key and key.partition(":")[2] in known)]

    def loose(self) -> list[str]:
        """The keys that are left and that no element of the type has."""
        return [key for key in self.left if key not in self.declared and key[:1] not in ("@", "#")]

    def with_only(self, left: dict[str, Any]) -> _Bag:
        return _Bag(left, self.declared, self.namespaces)


@dataclass(frozen=True, slots=True)
class TreeWriter:
    """Writes trees by one schema. `namespaces` are the prefixes that keys of a tree may have.

    A map is an element with children, by their names without a prefix; the
    order of a sequence is the schema's. A list is an element that stands more
    than once; for one that stands once and holds nothing but a repeated
    element, it is those. `@name` is an attribute (so is `name`, where no
    element is called so), `#text` the text beside attributes, `@xsi:type` a
    derived type. None is `xsi:nil` where that may be, and nothing where the
    element may be left out. What the schema leaves open (xs:any, anyType) is
    written as it is given; there `prefix:name` says the namespace.

    Raises Unfit, which names the element by its path.
    """

    schema: Schema
    namespaces: Mapping[str, str] = field(default_factory=dict)

    def body(self, parent: etree._Element, element: Element | None, tree: Mapping[str, Any]) -> None:
        """Write the element of a message below `parent`."""
        if element is not None:
            self._one(parent, element, tree, ())
        elif tree:
            raise Unfit(f"`{next(iter(tree))}` is unknown to the WSDL: the operation takes nothing")

    def free(self, parent: etree._Element, tree: Mapping[str, Any]) -> None:
        """Write elements that may be of no schema: those of a SOAP header, say."""
        for key, value in tree.items():
            self._free(parent, key, value, (key,))

    # One element and its content

    def _one(self, parent: etree._Element, element: Element, value: Any, path: Path) -> None:
        node = etree.SubElement(parent, element.qname.text)
        if value is None:
            node.set(_NIL, "true")
        elif value is not Later:
            self._content(node, element.type, value, path)

    def _content(self, node: etree._Element, kind: Any, value: Any, path: Path) -> None:
        if isinstance(value, Mapping) and TYPE in value:
            kind = self._derived(str(value[TYPE]), path)
            _typed(node, kind.qname.namespace, kind.qname.localname)
            value = {key: below for key, below in value.items() if key != TYPE}
        match kind:
            case ComplexType():
                self._complex(node, kind, value, path)
            case AnySimpleType():
                self._text(node, kind, value, path)
            case _:
                self._anything(node, value, path)

    def _complex(self, node: etree._Element, kind: ComplexType, value: Any, path: Path) -> None:
        simple = kind._element if isinstance(kind._element, Element) else None  # text with attributes
        particle = None if simple is not None else kind._element
        if isinstance(value, list) and (item := repeated(particle)) is not None:
            value = {str(item.name): value}
        if not isinstance(value, Mapping):
            if simple is None and value != "":
                raise Unfit(f"{_named(path)} must be a map of {_listed(names(particle)) or 'nothing'}")
            value = {TEXT: value} if simple is not None else {}
        bag = _Bag({str(key): each for key, each in value.items()}, names(particle), self.namespaces)
        self._attributes(node, kind, bag, path)
        if not opens(particle):  # said before anything is missing: a misspelt name is both
            for key in bag.loose():
                if key.rpartition(":")[2] not in bag.declared:
                    raise _unknown(key, bag.declared, path)
        if simple is not None:
            self._text(node, simple.type, bag.left.pop(TEXT, ""), path)
        elif particle is not None:
            self._particle(node, particle, bag, path)
        if bag.left:
            raise _unknown(next(iter(bag.left)), bag.declared, path)

    def _attributes(self, node: etree._Element, kind: ComplexType, bag: _Bag, path: Path) -> None:
        loose = False
        for attribute in kind._attributes_unwrapped:
            if isinstance(attribute, AnyAttribute):
                loose = True
                continue
            key = f"@{attribute.name}"
            below = (*path, key)
            if key not in bag.left and attribute.name not in bag.declared:
                key = attribute.name
            value = bag.left.pop(key, None)
            if value is not None:
                _set(node, attribute.qname.text, self._scalar(attribute.type, value, below), below)
            elif attribute.required:
                raise Unfit(f"{_named(below)} is missing")
        for key in [each for each in bag.left if each.startswith("@") and loose]:
            below = (*path, key)
            name = self._qname(key[1:], below, attribute=True)
            _set(node, name, self._scalar(None, bag.left.pop(key), below), below)

    # The children that a type allows, in its order

    def _particle(self, node: etree._Element, particle: Particle, bag: _Bag, path: Path) -> None:
        match particle:
            case Element():
                self._element(node, particle, bag, path)
            case AnyElement():
                self._any(node, particle, bag, path)
            case Choice() if particle.accepts_multiple:
                self._choices(node, particle, bag, path)
            case Choice():
                self._choice(node, particle, bag, path)
            case _:
                self._group(node, particle, bag, path)

    def _element(self, node: etree._Element, element: Element, bag: _Bag, path: Path) -> None:
        below = (*path, str(element.name))
        key = bag.key_of(element)
        if key is None:
            self._absent(node, element, below)
            return
        values = self._occurrences(element, bag.left.pop(key), below)
        for value in values:
            if value is None and not element.nillable:
                self._absent(node, element, below)
            else:
                self._one(node, element, value, below)

    def _absent(self, node: etree._Element, element: Element, path: Path) -> None:
        """One that was not given: left out, or what the schema has for it."""
        if element.min_occurs == 0:
            return
        if element.default is not None:
            etree.SubElement(node, element.qname.text).text = element.default
        elif element.nillable:
            self._one(node, element, None, path)
        else:
            raise Unfit(f"{_named(path)} is missing")

    def _occurrences(self, element: Element, value: Any, path: Path) -> list[Any]:
        if not isinstance(value, list):
            return [value]
        if not element.accepts_multiple:
            kind = element.type
            if isinstance(kind, ListType) or (isinstance(kind, ComplexType) and repeated(kind._element) is not None):
                return [value]
            raise Unfit(f"{_named(path)} stands once, so it is no list")
        if isinstance(element.max_occurs, int) and len(value) > element.max_occurs:
            raise Unfit(f"{_named(path)} stands at most {element.max_occurs} times")
        if len(value) < element.min_occurs:
            raise Unfit(f"{_named(path)} is missing, or stands fewer than {element.min_occurs} times")
        return value

    def _any(self, node: etree._Element, particle: AnyElement, bag: _Bag, path: Path) -> None:
        """Whatever was given and is declared nowhere in this type."""
        written = 0
        for key in bag.loose():
            value = bag.left.pop(key)
            self._free(node, key, value, (*path, key))
            written += len(value) if isinstance(value, list) else 1
        if written == 0 and particle.min_occurs:
            raise Unfit(f"{_named(path)} must hold an element of your own")
        if isinstance(particle.max_occurs, int) and written > particle.max_occurs:
            raise Unfit(f"{_named(path)} holds at most {particle.max_occurs} elements of your own")

    def _choice(self, node: etree._Element, choice: Choice, bag: _Bag, path: Path) -> None:
        given = bag.given(choice)
        solid = {key for key in given if bag.left[key] is not None} or set(given)  # null may stand for the others
        before = len(node)
        if solid:
            taker = next((each for each in choice if solid <= set(bag.given(each))), None)
            if taker is None:
                raise Unfit(f"{_named(path)} takes only one of {_listed(solid)}")
            self._particle(node, taker, bag, path)
            for key in set(given) - solid:
                bag.left.pop(key, None)
        elif bag.loose():
            for taker in [each for each in choice if opens(each)][:1]:
                self._particle(node, taker, bag, path)
        if len(node) == before and choice.min_occurs and not any(may_be_empty(each) for each in choice):
            raise Unfit(f"{_named(path)} needs one of {_listed(names(choice))}")

    def _choices(self, node: etree._Element, choice: Choice, bag: _Bag, path: Path) -> None:
        """A choice that may be made again and again: in the order of the tree."""
        made = 0
        while given := bag.given(choice):
            taker = next(each for each in choice if given[0] in bag.given(each))
            if isinstance(taker, Element):
                once = bag
                for each in _as_list(bag.left.pop(given[0])):
                    once = bag.with_only({given[0]: each})
                    self._element(node, taker, once, path)
                    made += 1
            else:
                once = bag
                self._particle(node, taker, bag, path)
                made += 1
            if given[0] in once.left:  # its prefix is of another namespace
                raise _unknown(given[0], bag.declared, path)
        if made < choice.min_occurs and not any(may_be_empty(each) for each in choice):
            raise Unfit(f"{_named(path)} needs one of {_listed(names(choice))}")
        if isinstance(choice.max_occurs, int) and made > choice.max_occurs:
            raise Unfit(f"{_named(path)} takes at most {choice.max_occurs} of {_listed(names(choice))}")

    def _group(self, node: etree._Element, group: OrderIndicator | Group, bag: _Bag, path: Path) -> None:
        given = bag.given(group)
        if not given and group.min_occurs == 0 and not (opens(group) and bag.loose()):
            return
        members = [group.child] if isinstance(group, Group) else list(group)
        if not group.accepts_multiple:
            for each in members:
                self._particle(node, each, bag, path)
            return
        # A sequence that stands several times: the first of every list, then the second …
        lists = {key: _as_list(bag.left.pop(key)) for key in given}
        for turn in range(max(map(len, lists.values()), default=0)):
            once = bag.with_only({key: values[turn] for key, values in lists.items() if turn < len(values)})
            for each in members:
                self._particle(node, each, once, path)

    # Text, and what no schema describes

    def _text(self, node: etree._Element, kind: Any, value: Any, path: Path) -> None:
        if isinstance(value, Mapping) and set(value) <= {TEXT}:
            value = value.get(TEXT, "")
        _put(node, self._scalar(kind, value, path), path)

    def _scalar(self, kind: Any, value: Any, path: Path) -> str:
        if value is Later:
            return ""
        if isinstance(kind, ListType):
            items = value if isinstance(value, list) else str(value).split()
            return " ".join(self._scalar(kind.item_type, each, path) for each in items)
        if value is None or isinstance(value, Mapping | list):
            raise Unfit(f"{_named(path)} must be a plain value")
        fault = ""
        for each in kind.item_types if isinstance(kind, UnionType) else [kind]:
            try:
                return lexical(builtin(each), value)
            except Unfit as unfit:
                fault = str(unfit)
        raise Unfit(f"{_named(path)} {fault}")

    def _anything(self, node: etree._Element, value: Any, path: Path) -> None:
        """The content of an anyType: a plain value says its own type, since whoever reads it has nothing else."""
        match value:
            case Mapping():
                self._loose(node, value, path)
            case list():
                raise Unfit(f"{_named(path)} stands once, so it is no list")
            case _:
                _typed(node, _XSD, own_kind(value))
                _put(node, self._scalar(None, value, path), path)

    def _loose(self, node: etree._Element, tree: Mapping[str, Any], path: Path) -> None:
        for key, value in ((str(key), value) for key, value in tree.items()):
            below = (*path, key)
            if key == TEXT:
                _put(node, self._scalar(None, value, path), path)
            elif key.startswith("@"):
                _set(node, self._qname(key[1:], below, attribute=True), self._scalar(None, value, below), below)
            else:
                self._free(node, key, value, below)

    def _free(self, parent: etree._Element, key: str, value: Any, path: Path) -> None:
        qname = self._qname(key, path)
        known = self._global(qname)
        for each in _as_list(value):
            if known is not None:
                self._one(parent, known, each, path)
                continue
            node = etree.SubElement(parent, qname)
            if isinstance(each, Mapping):
                self._content(node, AnyType(), each, path)
            elif each is not None:
                _put(node, self._scalar(None, each, path), path)

    def _global(self, qname: str) -> Element | None:
        try:
            found: Element | None = self.schema.get_element(qname)
        except (ZeepError, OSError):
            return None
        return found

    def _derived(self, name: str, path: Path) -> Any:
        prefix, colon, local = name.rpartition(":")
        namespace = self.namespaces.get(prefix) or (_XSD if prefix in ("xs", "xsd") else None)
        for kind in self.schema.types:
            qname = kind.qname
            if qname is not None and qname.localname == local and (not colon or qname.namespace == namespace):
                return kind.resolve()
        raise Unfit(f"{_named((*path, TYPE))}: the WSDL has no such type")

    def _qname(self, key: str, path: Path, *, attribute: bool = False) -> str:
        prefix, colon, local = key.rpartition(":")
        namespace = self.namespaces.get(prefix) if colon or not attribute else None
        if colon and namespace is None:
            raise Unfit(f"{_named(path)}: declare the prefix `{prefix}` in `namespaces`")
        if not _NAME.fullmatch(local):
            raise Unfit(f"{_named(path)} cannot be a name in XML")
        return f"{{{namespace}}}{local}" if namespace else local


def _as_list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _put(node: etree._Element, text: str, path: Path) -> None:
    try:
        node.text = text
    except ValueError:
        raise Unfit(f"{_named(path)} holds a character that XML cannot carry") from None


def _set(node: etree._Element, name: str, text: str, path: Path) -> None:
    try:
        node.set(name, text)
    except ValueError:
        raise Unfit(f"{_named(path)} holds a character that XML cannot carry") from None


def _typed(node: etree._Element, namespace: str, name: str) -> None:
    node.set(_TYPE, cast("str", etree.QName(namespace, name)))  # lxml finds, or makes, the prefix


def _unknown(key: str, declared: Iterable[str], path: Path) -> Unfit:
    near = get_close_matches(key, sorted(declared), n=1)
    hint = f"; do you mean `{near[0]}`?" if near else f"; it knows {_listed(declared)}" if declared else ""
    return Unfit(f"{_named((*path, key))} is unknown to the WSDL{hint}")


def _listed(known: Iterable[str]) -> str:
    ordered = sorted(set(known))
    return ", ".join(ordered[:12]) + (" …" if len(ordered) > 12 else "")


def _named(path: Path) -> str:
    return f"`{'/'.join(path)}`" if path else "the record"
