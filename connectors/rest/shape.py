"""What a connector is with one council's settings: its operations, its verbs, and what no settings may say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from connectors.rest.record import OURS, Note, Record, needing
from connectors.rest.settings import Body, Call, Format, RestSettings, Rule, Where, Writing
from connectors.rest.templates import names
from hub.connector import BadSetting, Operation, ReplaySafety

Path = tuple[str | int, ...]

#: Stands for what `env:NAME` or `file:/path` will be: an address passes for any text.
_UNKNOWN: Final = "https://known.later.example/"
_KEY_HEADER: Final = re.compile(r"authorization|cookie|password|secret|token|(^|[-_])key$|apikey", re.IGNORECASE)


def read(settings: Mapping[str, Any]) -> RestSettings:
    """The settings as they are written, references not resolved. Raises ValidationError or BadSetting."""
    made = RestSettings.model_validate(_stood_in(settings))
    _judge(made)
    return made


def operations(settings: RestSettings) -> dict[str, Operation]:
    """What can be asked of the product, and what a repeat of it does, as far as it was declared."""
    made = {"create": Operation(_record(Record, settings.create), replay_safety=_safety(settings))}
    keyed = settings.idempotency_header is not None
    later = ReplaySafety.IDEMPOTENT if keyed else ReplaySafety.UNSAFE
    for verb in ("update", "cancel"):
        call: Writing | None = getattr(settings, verb)
        if call is not None:
            made[verb] = Operation(_record(Note, call), replay_safety=later)
    if settings.attach is not None:
        made["attach"] = Operation(Note, replay_safety=later)
    return made


def without(settings: RestSettings) -> list[str]:
    """The verbs that these settings do not allow."""
    checks = settings.check or settings.lookup or settings.auth.oauth2
    allowed = {verb: getattr(settings, verb) for verb in ("update", "cancel", "attach")}
    return [verb for verb, given in {**allowed, "find": settings.lookup, "check": checks}.items() if given is None]


def _safety(settings: RestSettings) -> ReplaySafety:
    if settings.idempotency_header is not None:
        return ReplaySafety.IDEMPOTENT
    if settings.create.duplicate:
        return ReplaySafety.REJECTS_DUPLICATES
    return ReplaySafety.LOOKUP if settings.lookup is not None else ReplaySafety.UNSAFE


def _record(record: type[Record], call: Writing) -> type[Record]:
    return needing(record, [name for name in names(call.path) if name not in OURS])


def _stood_in(value: Any) -> Any:
    match value:
        case Mapping():
            return {key: _stood_in(each) for key, each in value.items()}
        case list():
            return [_stood_in(each) for each in value]
        case str() if value.startswith(("env:", "file:")):
            return _UNKNOWN
        case _:
            return value


def _judge(settings: RestSettings) -> None:
    """Raise BadSetting for what each part allows and the whole does not."""
    for name in settings.headers:
        if _KEY_HEADER.search(name):
            raise BadSetting("a key stands in `auth`, by reference: `{header: {name, value}}`", at=("headers", name))
    for verb in ("create", "update", "cancel"):
        call: Writing | None = getattr(settings, verb)
        if call is not None and call.body is Body.XML and call.xml is None:
            raise BadSetting("`body: xml` needs `xml: {root: …}`", at=(verb, "body"))
    _judge_addresses(settings)
    _judge_files(settings)
    for at, twin in enumerate(settings.create.duplicate):
        if twin.reference is None and settings.lookup is None:
            text = "say where the case that is there has its `reference`, or add `lookup:`"
            raise BadSetting(text, at=("create", "duplicate", at))
    for path, place, how in _places(settings):
        _judge_place(path, place, how)


def _judge_addresses(settings: RestSettings) -> None:
    known: dict[str, tuple[str, set[str] | None]] = {
        "create": (settings.create.path, None),
        "attach": (settings.attach.path if settings.attach is not None else "", set(OURS)),
        "lookup": (settings.lookup.path if settings.lookup is not None else "", {"our_reference"}),
        "check": (settings.check.path if settings.check is not None else "", set()),
    }
    for part, (template, allowed) in known.items():
        for name in names(template):
            if (allowed is not None and name not in allowed) or (part == "create" and name == "reference"):
                there = ", ".join(f"`{{{each}}}`" for each in sorted(allowed or {"our_reference"})) or "nothing"
                raise BadSetting(f"there is no `{{{name}}}` here; there is {there}", at=(part, "path"))


def _judge_files(settings: RestSettings) -> None:
    attach, lookup = settings.attach, settings.lookup
    if attach is not None and (attach.body == "json") != (attach.record is not None):
        raise BadSetting("`body: json` and `json: {…}` go together", at=("attach", "body"))
    if lookup is not None and lookup.query is not None and lookup.method == "GET":
        raise BadSetting("only a POST carries `json`", at=("lookup", "json"))


def _places(settings: RestSettings) -> Iterator[tuple[Path, str, Format]]:
    """Every place in an answer's body, where it is stated, and how that answer is read."""
    for verb in ("create", "update", "cancel", "attach"):
        call: Call | None = getattr(settings, verb)
        if call is None:
            continue
        how = call.answers or settings.answers
        for table in ("ok", "refused", "busy", "misconfigured", "duplicate"):
            for at, rule in enumerate(getattr(call, table, ())):
                yield from _of_rule((verb, table, at), rule, how)
    create = settings.create
    yield from _of(("create", "reference"), create.reference, create.answers or settings.answers)
    if (look := settings.lookup) is not None:
        how = look.answers or settings.answers
        yield ("lookup", "list"), look.items, how
        yield from _of(("lookup", "reference"), look.reference, how)
        yield from _of(("lookup", "our_reference"), look.our_reference, how)
        for at, rule in enumerate(look.none):
            yield from _of_rule(("lookup", "none", at), rule, how)


def _of_rule(path: Path, rule: Rule, how: Format) -> Iterator[tuple[Path, str, Format]]:
    if rule.at is not None:
        yield (*path, "at"), rule.at, how
    for name in ("reference", "our_reference"):
        yield from _of((*path, name), getattr(rule, name, None), how)


def _of(path: Path, where: Where | None, how: Format) -> Iterator[tuple[Path, str, Format]]:
    if where is not None and where.at is not None and not where.ours:
        yield path, where.at, how


def _judge_place(path: Path, place: str, how: Format) -> None:
    if how is Format.ANY:
        raise BadSetting("with `answers: any` nothing is read; use a header or a pattern, or say json or xml", at=path)
    if how is Format.JSON and place and not place.startswith("/"):
        raise BadSetting(f"a place in JSON begins with `/`: write `/{place}`", at=path)
