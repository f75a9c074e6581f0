"""What does an Open311 client see of a service? The `open311:` block of a profile, read and checked."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol, TypeVar

from hub.core.findings import Finding, Place, Severity, instead
from hub.core.tree import Path, Places

_KEYS: Final = ("name", "description", "group", "groups", "keywords", "type", "attributes")
_ATTRIBUTE_KEYS: Final = (
    "code", "description", "datatype", "datatype_description", "required", "variable", "order", "automated", "values",
)  # fmt: skip
#: What a service code and an attribute's code may be made of: clients put both into addresses and field names.
CODE: Final = re.compile(r"[&,.\w\- @/()]{1,64}", re.ASCII)
_ATTRIBUTE_CODE: Final = re.compile(r"[\w.\-]{1,64}", re.ASCII)
MOST_ATTRIBUTES: Final = 100
MOST_VALUES: Final = 500


class Pace(StrEnum):
    """How a client may expect its answer."""

    REALTIME = "realtime"
    BATCH = "batch"


class Datatype(StrEnum):
    STRING = "string"
    NUMBER = "number"
    DATETIME = "datetime"
    TEXT = "text"
    SINGLE = "singlevaluelist"
    MULTI = "multivaluelist"


class Automated(StrEnum):
    """Who fills an attribute in, where the resident is not asked."""

    SERVER_SET = "server_set"  #: the client itself
    HIDDEN_FIELD = "hidden_field"  #: the client's page, as from a map


Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One further field of a service."""

    code: str
    description: str
    datatype: Datatype = Datatype.STRING
    datatype_description: str = ""
    required: bool = False
    variable: bool = True  #: False: a text that is only shown
    order: int = 1
    automated: Automated | None = None  #: None: the resident is asked
    values: tuple[tuple[str, str], ...] = ()  #: key and name


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A service as Open311 lists it."""

    name: str
    description: str = ""
    groups: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    pace: Pace = Pace.REALTIME
    attributes: tuple[Attribute, ...] = ()

    @property
    def private(self) -> bool:
        """Whether nobody without the key may be told of a request."""
        return "private" in self.keywords


class Profiled(Protocol):
    """A profile, as far as it matters here."""

    @property
    def file(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def shared(self) -> bool: ...
    @property
    def offer(self) -> Offer | None: ...


Shown = TypeVar("Shown", bound=Profiled)


def read_offer(block: Any, *, places: Places, at: Path = ("open311",)) -> tuple[Offer | None, list[Finding]]:
    """The block as an offer, None where it cannot be one; everything that is wrong with it at once."""
    reading = _Reading(places=places)
    offer = reading.offer(block, at)
    return (None if reading.findings else offer), reading.findings


def offered(profiles: Mapping[str, Shown]) -> dict[str, Shown]:
    """What a council's clients are shown of its profiles, by code.

    A pattern is not shown beside a profile of the council's own for the same
    service: clients would see that service twice, often under one name.
    """
    own = {profile.service for profile in profiles.values() if not profile.shared}
    return {
        code: profile for code, profile in sorted(profiles.items()) if not (profile.shared and profile.service in own)
    }


def told_apart(profiles: Mapping[str, Profiled]) -> Iterator[Finding]:
    """Codes that no client can use, and names that two services share: FixMyStreet takes neither of them in."""
    firsts: dict[str, str] = {}
    for code, profile in offered(profiles).items():
        place = Place(file=profile.file)
        if not CODE.fullmatch(code):
            message = f"`{code}` cannot be a service code: clients put it into addresses"
            remedy = "rename the file: letters, digits, blanks and `& , . - @ / ( ) _`"
            yield Finding.at(place, "bad_slug", message, remedy)
        name = profile.offer.name if profile.offer is not None else profile.service
        if name in firsts:
            message = f"Open311 clients see `{name}` twice, as `{firsts[name]}` and as `{code}`, and leave both out"
            remedy = "give one `open311: {name: …}`"
            yield Finding.at(place, "duplicate_name", message, remedy, severity=Severity.WARNING)
        firsts.setdefault(name, code)


@dataclass(slots=True, kw_only=True)
class _Reading:
    places: Places
    findings: list[Finding] = field(default_factory=list)

    def find(self, path: Path, code: str, message: str, remedy: str) -> None:
        place = self.places.key(path) if code in ("missing_key", "unknown_key") else self.places.of(path)
        self.findings.append(Finding.at(place, code, message, remedy))

    def offer(self, block: Any, at: Path) -> Offer | None:
        if not isinstance(block, dict):
            self.find(at, "wrong_type", "`open311` is a map", "begin with `name: …`")
            return None
        self._known(block, _KEYS, at)
        if "group" in block and "groups" in block:
            self.find((*at, "group"), "wrong_type", "`group` and `groups` are the same thing", "keep `groups`")
        return Offer(
            name=self.text(block, "name", at, needed=True).rstrip(),
            description=self.text(block, "description", at),
            groups=self.words(block, "groups" if "groups" in block else "group", at),
            keywords=self.words(block, "keywords", at),
            pace=self.word(block, "type", Pace, at) or Pace.REALTIME,
            attributes=self._attributes(block, at),
        )

    def _attributes(self, block: Mapping[str, Any], at: Path) -> tuple[Attribute, ...]:
        stated, path = block.get("attributes", []), (*at, "attributes")
        if not isinstance(stated, list):
            self.find(path, "wrong_type", "`attributes` is a list", "begin each with `- code: …`")
            return ()
        if len(stated) > MOST_ATTRIBUTES:
            self.find(path, "too_large", f"more than {MOST_ATTRIBUTES} attributes", "ask for fewer")
        made: dict[str, Attribute] = {}
        for number, each in enumerate(stated):
            attribute = self._attribute(each, (*path, number), number + 1)
            if attribute is None:
                continue
            if attribute.code in made:
                message = f"the attribute `{attribute.code}` stands twice"
                self.find((*path, number, "code"), "duplicate_key", message, "keep one of them")
            made[attribute.code] = attribute
        return tuple(made.values())

    def _attribute(self, block: Any, at: Path, position: int) -> Attribute | None:
        if not isinstance(block, dict):
            self.find(at, "wrong_type", "an attribute is a map", "begin with `code: …`")
            return None
        self._known(block, _ATTRIBUTE_KEYS, at)
        code = self.text(block, "code", at, needed=True)
        if code and not _ATTRIBUTE_CODE.fullmatch(code):
            message = f"`{code}` cannot name an attribute"
            self.find((*at, "code"), "bad_slug", message, "use letters, digits, `_`, `-` and `.`")
        values = self._values(block, at)
        datatype = self.word(block, "datatype", Datatype, at) or (Datatype.SINGLE if values else Datatype.STRING)
        listed = datatype in (Datatype.SINGLE, Datatype.MULTI)
        if listed and not values:
            self.find((*at, "datatype"), "missing_key", f"a {datatype} without `values`", "add `values: {key: Name}`")
        if values and not listed:
            remedy = "write `datatype: singlevaluelist` or `multivaluelist`"
            self.find((*at, "values"), "wrong_type", f"a {datatype} has no `values`", remedy)
        return Attribute(
            code=code,
            description=self.text(block, "description", at) or code,
            datatype=datatype,
            datatype_description=self.text(block, "datatype_description", at),
            required=self.truth(block, "required", at, otherwise=False),
            variable=self.truth(block, "variable", at, otherwise=True),
            order=self._order(block, at, position),
            automated=self.word(block, "automated", Automated, at),
            values=values,
        )

    def _values(self, block: Mapping[str, Any], at: Path) -> tuple[tuple[str, str], ...]:
        stated, path = block.get("values"), (*at, "values")
        if stated is None:
            return ()
        if isinstance(stated, list):
            # Where what is shown is also what is sent.
            stated = {str(each): each for each in stated if isinstance(each, str | int)}
        if not isinstance(stated, dict) or not stated or not all(_plain(each) for each in stated.values()):
            remedy = "write `values: {key: Name}`, or a list of words"
            self.find(path, "wrong_type", "`values` is a map of texts", remedy)
            return ()
        if len(stated) > MOST_VALUES:
            self.find(path, "too_large", f"more than {MOST_VALUES} values", "offer fewer")
        return tuple((str(key), str(name)) for key, name in stated.items())

    def _order(self, block: Mapping[str, Any], at: Path, position: int) -> int:
        order = block.get("order", position)
        if type(order) is not int:
            self.find((*at, "order"), "wrong_type", "`order` is a whole number", "leave it out for the order written")
            return position
        return order

    def _known(self, block: Mapping[str, Any], known: Collection[str], at: Path) -> None:
        for key in block:
            if key not in known:
                self.find((*at, key), "unknown_key", f"there is no `{key}` here", instead(str(key), known))

    def text(self, block: Mapping[str, Any], key: str, at: Path, *, needed: bool = False) -> str:
        value = block.get(key)
        if value is None or value == "":
            if needed:
                self.find(at, "missing_key", f"this needs `{key}`", f"add `{key}: …`")
            return ""
        if not _plain(value):
            self.find((*at, key), "wrong_type", f"`{key}` is a text", "write words")
            return ""
        return str(value)

    def words(self, block: Mapping[str, Any], key: str, at: Path) -> tuple[str, ...]:
        """A list of words, or one text with commas."""
        value = block.get(key)
        if value is None:
            return ()
        # A group's name may hold a comma; keywords are what commas are between.
        listed = value if isinstance(value, list) else str(value).split(",") if key == "keywords" else [value]
        if not all(_plain(each) for each in listed):
            self.find((*at, key), "wrong_type", f"`{key}` is a list of words", "write `[one, two]`")
            return ()
        return tuple(word for each in listed if (word := str(each).strip()))

    def word(self, block: Mapping[str, Any], key: str, known: type[Word], at: Path) -> Word | None:
        value = block.get(key)
        if value is None:
            return None
        words = {each.value: each for each in known}
        if value not in words:
            self.find((*at, key), "wrong_enum", f"`{key}` cannot be `{value}`", instead(str(value), words))
            return None
        return words[value]

    def truth(self, block: Mapping[str, Any], key: str, at: Path, *, otherwise: bool) -> bool:
        value = block.get(key, otherwise)
        if not isinstance(value, bool):
            self.find((*at, key), "wrong_type", f"`{key}` is true or false", "write `true` or `false`")
            return otherwise
        return value


def _plain(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
