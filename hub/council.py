"""A council as its files describe it: destinations, routes, and what it takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, get_args

from pydantic import BaseModel, SecretBytes, SecretStr

from hub.connector.door import Connector
from hub.core import routing, windows
from hub.core.findings import instead
from hub.core.mapping import CompiledMapping, Condition
from hub.core.profile import Profile
from hub.core.trace import Traced
from hub.core.tree import Path
from hub.core.windows import Window
from hub.errors import MappingFault, NotThere
from hub.model import Limits, ReplaySafety, Takes
from hub.standard import in_version

Secrets = Callable[[str], str]  #: gives the value of `env:NAME` or `file:/path`; raises when there is none

_SECRET_NAME: Final = re.compile(r"(^|_)(password|passwd|secret|token|key|pin)$", re.IGNORECASE)


def is_reference(value: object) -> bool:
    """Whether a setting names where its value is kept."""
    return isinstance(value, str) and value.startswith(("env:", "file:"))


def is_placeholder(value: object) -> bool:
    """Whether a setting only says where something goes that is known later: `{token}`."""
    return isinstance(value, str) and value.startswith("{") and value[1:-1].isidentifier() and value.endswith("}")


def secret_settings(
    value: Any, model: type[BaseModel] | None, path: Path = (), *, typed: bool = False
) -> Iterator[tuple[Path, Any]]:
    """Settings that must be references, with their values: typed as a secret, or named like one.

    `typed` says that whatever stands here is: in a list or a map of secrets.
    """
    if isinstance(value, Mapping):
        for key, each in value.items():
            annotation = _annotation(model, str(key))
            below = (*path, str(key))
            inner, of_secrets = _model(annotation), typed or _typed_secret(annotation)
            if isinstance(each, Mapping | list):
                yield from secret_settings(each, inner, below, typed=of_secrets and inner is None)
            elif _SECRET_NAME.search(str(key)) or of_secrets or (model is None and is_reference(each)):
                yield below, each  # a reference in a tree of a council's own making is there for a reason
    elif isinstance(value, list):
        for at, each in enumerate(value):
            if typed and not isinstance(each, Mapping | list):
                yield (*path, at), each
            yield from secret_settings(each, model, (*path, at), typed=typed)


def model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """The model of the settings that stand at this path; None where there is none of one's own."""
    found: type[BaseModel] | None = model
    for step in path:
        found = found if isinstance(step, int) else _model(_annotation(found, step))
    return found


def _annotation(model: type[BaseModel] | None, key: str) -> Any:
    if model is None:
        return None
    for name, info in model.model_fields.items():
        if key in (name, info.alias, info.validation_alias):
            return info.annotation
    return None


def _held(annotation: Any) -> Iterator[type]:
    """The classes that an annotation holds, as in `Kind | None` or `list[Kind]`."""
    if isinstance(annotation, type):
        yield annotation
    for part in get_args(annotation):
        yield from _held(part)


def _typed_secret(annotation: Any) -> bool:
    return any(issubclass(kind, SecretStr | SecretBytes) for kind in _held(annotation))


def _model(annotation: Any) -> type[BaseModel] | None:
    return next((kind for kind in _held(annotation) if issubclass(kind, BaseModel)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One council's configured system: connector, settings, limits. Holds references, never secrets."""

    council: str
    name: str
    connector: str
    connector_class: type[Connector]
    settings: Mapping[str, Any]
    limits: Limits = field(default_factory=Limits)
    windows: tuple[Window, ...] = ()
    replay: Mapping[str, ReplaySafety] = field(default_factory=dict)  #: by block or operation
    replay_notes: Mapping[str, str] = field(default_factory=dict)  #: why one was raised
    retry: tuple[timedelta, ...] | None = None  #: waits between tries; None for the usual ladder
    settle: timedelta | None = None  #: until then an unclear one may still turn up; None: as the connector says
    breaker: bool = True  #: whether it is left alone while it is not well
    takes: Takes = Takes.LIVE

    @property
    def id(self) -> str:
        return f"{self.council}/{self.name}"

    def replay_safety(self, block: str, operation: str) -> ReplaySafety:
        """What a repeat does here: as the council says, else as the connector declares.

        A look that the connector cannot make is no safety: such a one is unsafe.
        """
        operations = self.connector_class.operations
        # A mapping need not say how files are sent; an operation with the verb's own name is meant then.
        declared = operations.get(operation, operations.get(block))
        stated = ReplaySafety.UNSAFE if declared is None else declared.replay_safety
        for key in (block, operation):
            stated = self.replay.get(key, stated)
        return stated if can_look(self.connector_class, stated) else ReplaySafety.UNSAFE

    def settles_in(self, operation: str) -> timedelta:
        """How long after an attempt its case may still turn up: until then "not there" proves nothing."""
        declared = self.connector_class.operations.get(operation)
        return self.settle or getattr(declared, "settle", None) or self.limits.timeout

    def can(self, verb: str) -> bool:
        """Whether its product has an optional verb: `attach`, `update`, `find` …"""
        return callable(getattr(self.connector_class, verb, None))

    def closed_until(self, instant: datetime) -> datetime | None:
        """When it opens again; None when it is open."""
        return windows.closed_until(self.windows, instant)

    def resolve_settings(self, secrets: Secrets) -> BaseModel:
        """The connector's settings with every reference resolved. Raises what `secrets` raises."""
        return self.connector_class.Settings.model_validate(resolved(self.settings, secrets))

    def secret_values(self, secrets: Secrets) -> list[str]:
        """The values that must never stand in evidence or logs."""
        found = secret_settings(self.settings, self.connector_class.Settings)
        values = [secrets(value) for _, value in found if is_reference(value)]
        return [value for value in values if value]


#: What each safety needs of the connector, to look whether an unclear one is there.
LOOKS: Final[Mapping[ReplaySafety, str]] = {ReplaySafety.LOOKUP: "find", ReplaySafety.LISTING: "changes"}


def can_look(connector: type[Connector], safety: ReplaySafety) -> bool:
    """Whether the connector has the verb that this safety rests on."""
    return safety not in LOOKS or callable(getattr(connector, LOOKS[safety], None))


def resolved(value: Any, secrets: Secrets) -> Any:
    """The settings with every `env:` and `file:` replaced by what it names."""
    if is_reference(value):
        return secrets(value)
    match value:
        case Mapping():
            return {key: resolved(each, secrets) for key, each in value.items()}
        case list():
            return [resolved(each, secrets) for each in value]
        case _:
            return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """This council and service (and condition) → this destination, with this mapping."""

    name: str
    service: str
    destination: Destination
    mapping: CompiledMapping
    mapping_file: str
    tables: Mapping[str, Any] = field(default_factory=dict)  #: tables and values by name, as `with` fills them
    when: Condition | None = None
    file: str = ""
    line: int = 1

    @property
    def destination_id(self) -> str:
        return self.destination.id

    @property
    def takes(self) -> Takes:
        return self.destination.takes

    def admit(self, submission: Mapping[str, Any]) -> None:
        """Raises MappingFault where the destination does not take such a submission: a test, or one that is none."""
        test = routing.is_test(submission)
        if self.takes.fits(test=test):
            return
        kind, takes = ("a test", "live ones") if test else ("no test", "tests")
        problem = f"the submission is {kind}, and {self.destination_id} takes {takes} only; discard this"
        raise MappingFault(f"{problem}, or mend `takes` and replay", where=f"{self.file}:{self.line}", code="test")

    def safety(self, block: str = "create") -> ReplaySafety:
        """What repeating this route's operation does at its destination."""
        known = self.mapping.blocks.get(block)
        return self.destination.replay_safety(block, known.operation if known is not None else "")

    def call(self, block: str) -> str:
        """The connector's operation for a verb; the verb's own name where the mapping says nothing of it."""
        known = self.mapping.blocks.get(block)
        return known.operation if known is not None else block

    def context(self, submission: Mapping[str, Any], hub: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """What this route's mapping sees: the submission in the words of the contract's version that it is written
        for, `hub`, the tables; `more` is what a follow-up brings."""
        said = in_version(submission, self.mapping.version)
        return {**_without_files(said), **self.tables, **more, "hub": dict(hub)}

    def split(self, context: Mapping[str, Any]) -> list[Any]:
        """The elements that become deliveries of their own; [None] without a split. Raises MappingFault."""
        return self.mapping.split(context)

    def record(self, block: str, context: Mapping[str, Any], *, item_index: int | None = None) -> dict[str, Any]:
        """The record of one delivery. Raises MappingFault."""
        return self.mapping.run(block, context, item=self.item(context, item_index))

    def trace(self, block: str, context: Mapping[str, Any], *, item_index: int | None = None) -> Traced:
        """The record with the origin of each leaf. Raises MappingFault only where there is no such element."""
        return self.mapping.trace(block, context, item=self.item(context, item_index))

    def item(self, context: Mapping[str, Any], index: int | None) -> Any:
        """The element of the split that a delivery stands for. Raises MappingFault."""
        if index is None:
            return None
        elements = self.mapping.split(context)
        return self.mapping.missing_element(index) if index >= len(elements) else elements[index]


def _without_files(submission: Mapping[str, Any]) -> Mapping[str, Any]:
    """Attachments go to the destination as steps of their own: their bytes are no business of a mapping."""
    attachments = submission.get("attachments")
    if not attachments:
        return submission
    kept = [{key: value for key, value in each.items() if key != "content_base64"} for each in attachments]
    return {**submission, "attachments": kept}


@dataclass(frozen=True, slots=True, kw_only=True)
class Council:
    """Whose it is: names, destinations by name, routes in the order of the file."""

    slug: str
    name: str
    gss: str
    calendar: str
    destinations: Mapping[str, Destination]
    routes: tuple[Route, ...]
    forms: Mapping[tuple[str, str], Profile] = field(default_factory=dict)  #: by format and name

    @property
    def services(self) -> frozenset[str]:
        return frozenset(route.service for route in self.routes)

    def routes_for(self, service: str) -> tuple[Route, ...]:
        """The routes of a service, in the order of the file; none when the council does not take it."""
        return tuple(route for route in self.routes if route.service == service)

    def profiles(self, format: str) -> Mapping[str, Profile]:
        """The profiles of one format by name: the council's own, and shared ones of services that it takes."""
        return {name: profile for (known, name), profile in self.forms.items() if known == format}

    def profile(self, format: str, name: str) -> Profile:
        """Raises NotThere saying where one is to be written."""
        found = self.forms.get((format, name))
        if found is None:
            raise NotThere(f"{self.slug} has no profile of that name for {format}; write {self.slug}/intake/….yaml")
        return found

    def route(self, name: str) -> Route:
        """Raises NotThere naming the routes there are."""
        for route in self.routes:
            if route.name == name:
                return route
        known = [route.name for route in self.routes]
        raise NotThere(f"{self.slug} has no route `{name}`; {instead(name, known, what='there are')}")


class Councils:
    """Every council of one generation of the files. Built whole, never changed."""

    def __init__(self, councils: Mapping[str, Council], *, generation: int) -> None:
        self.generation = generation
        self._by_slug = dict(councils)
        self._by_gss = {council.gss: council for council in councils.values()}

    @property
    def slugs(self) -> tuple[str, ...]:
        return tuple(sorted(self._by_slug))

    def __iter__(self) -> Iterator[Council]:
        return iter(self._by_slug[slug] for slug in self.slugs)

    def __len__(self) -> int:
        return len(self._by_slug)

    def find(self, slug_or_gss: str) -> Council:
        """The council by slug or GSS code. Raises NotThere."""
        found = self._by_slug.get(slug_or_gss) or self._by_gss.get(slug_or_gss)
        if found is None:
            raise NotThere("there is no council under that name; `GET /v1/councils` lists them")
        return found

    def destination(self, destination_id: str) -> Destination:
        """The destination by "council/name". Raises NotThere."""
        slug, _, name = destination_id.partition("/")
        council = self._by_slug.get(slug)
        if council is None or name not in council.destinations:
            raise NotThere(f"there is no destination {destination_id}; `hub destinations list` shows them")
        return council.destinations[name]

    def destinations(self) -> Iterator[Destination]:
        """Every destination of every council."""
        for council in self:
            yield from council.destinations.values()
