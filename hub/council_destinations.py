"""Destinations as council.yaml states them: connector, settings, secrets by reference, limits, windows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from hub.connector.door import Connector
from hub.core.findings import Finding, instead
from hub.core.tree import Path, Places
from hub.core.windows import BadWindow, Window, never_opens
from hub.council import (
    LOOKS,
    Destination,
    Secrets,
    can_look,
    is_placeholder,
    is_reference,
    model_at,
    resolved,
    secret_settings,
)
from hub.errors import HubError
from hub.model import Limits, ReplaySafety, Takes
from hub.registry import Registry

_KEYS: Final = ("connector", "settings", "limits", "windows", "replay", "retry", "settle", "breaker", "takes")
_LIMITS: Final = ("concurrency", "per_second", "timeout")
_DURATION: Final = re.compile(r"(?P<number>\d{1,6}(\.\d{1,3})?)\s*(?P<unit>ms|s|m|h)")
_UNITS: Final = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours"}
_SHORTEST: Final = timedelta(seconds=1)
_LONGEST: Final = timedelta(hours=1)
_SWITCH: Final = ("on", "off")
_BLOCKS: Final = ("create", "update", "cancel", "attach")


def duration(value: object) -> timedelta | None:
    """`60s`, `500ms`, `2m`, `1h`; None for anything else."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    return timedelta(**{_UNITS[found["unit"]]: float(found["number"])}) if found else None


def _references(value: Any, below: Path = ()) -> Iterator[Path]:
    """Where in the settings a reference stands."""
    match value:
        case Mapping():
            for key, each in value.items():
                yield from _references(each, (*below, str(key)))
        case list():
            for at, each in enumerate(value):
                yield from _references(each, (*below, at))
        case str() if is_reference(value):
            yield below


@dataclass(slots=True, kw_only=True)
class DestinationReader:
    """Reads the destinations of one council."""

    council: str
    places: Places
    registry: Registry
    secrets: Secrets | None
    findings: list[Finding] = field(default_factory=list)

    def read(self, name: str, value: Any) -> Destination | None:
        """The destination; None where it has no connector to speak with (which has been noted)."""
        path: Path = ("destinations", name)
        if not isinstance(value, dict):
            self.find(path, "wrong_type", f"`{name}` is a map", "write `connector:` and `settings:` below it")
            return None
        self._known(value, _KEYS, path, "a destination")
        connector = self._connector(value, path)
        if connector is None:
            return None
        settings = value.get("settings", {})
        if not isinstance(settings, dict):
            self.find((*path, "settings"), "wrong_type", "`settings` is a map", "write one setting to a line")
            settings = {}
        self._secrets(settings, connector.Settings, (*path, "settings"))
        sound = self._settings(settings, connector.Settings, (*path, "settings"))
        connector = self._configured(connector, settings, (*path, "settings"), sound=sound)
        safety, notes = self._replay(value.get("replay", {}), connector, (*path, "replay"))
        return Destination(
            council=self.council,
            name=name,
            connector=value["connector"],
            connector_class=connector,
            settings=settings,
            limits=self._limits(value.get("limits", {}), (*path, "limits")),
            windows=self._windows(value.get("windows", []), (*path, "windows")),
            replay=safety,
            replay_notes=notes,
            retry=self._retry(value.get("retry"), (*path, "retry")),
            settle=self._settle(value.get("settle"), (*path, "settle")),
            breaker=self._breaker(value.get("breaker", "on"), (*path, "breaker")),
            takes=self._takes(value.get("takes", Takes.LIVE), (*path, "takes")),
        )

    def _connector(self, value: Mapping[str, Any], path: Path) -> type[Connector] | None:
        name = value.get("connector")
        if not isinstance(name, str):
            self.find_key(path, "missing_key", "a destination without a connector", "add `connector:`")
            return None
        if name not in self.registry.names:
            remedy = instead(name, self.registry.names, what="installed are")
            self.find((*path, "connector"), "unknown_connector", f"there is no connector `{name}`", remedy)
            return None
        try:
            return self.registry.get(name)
        except HubError as error:
            self.find((*path, "connector"), "broken_connector", str(error), "mend or reinstall its package")
            return None

    def _secrets(self, settings: Mapping[str, Any], model: type[BaseModel], path: Path) -> None:
        for below, value in secret_settings(settings, model):
            if not is_reference(value) and not is_placeholder(value):
                message = f"`{below[-1]}` is a secret, written in plain"
                remedy = "keep it outside: `env:NAME` or `file:/path`, and change the secret, it has been seen"
                self.find((*path, *below), "plain_secret", message, remedy)

    def _settings(self, settings: Mapping[str, Any], model: type[BaseModel], path: Path) -> bool:
        """Whether the connector could use them, as far as can be said; what it could not is noted."""
        unresolved = self._unresolved(settings, path)
        ready = settings if self.secrets is None else resolved(settings, self._or_reference)
        try:
            model.model_validate(ready)
        except ValidationError as error:
            return not self._unfit(error, model, path, unresolved)
        return True

    def _configured(
        self, connector: type[Connector], settings: Mapping[str, Any], path: Path, *, sound: bool
    ) -> type[Connector]:
        """The class as these settings make it; the connector's own where they cannot (which has been noted)."""
        configured = getattr(connector, "configured", None)
        if configured is None:
            return connector
        try:
            made: type[Connector] = configured(self._told(settings, connector.Settings))
        except ValidationError as error:
            if sound:
                self._unfit(error, connector.Settings, path, list(_references(settings)))
        except Exception as error:  # an author's bug: it spoils this destination, not `hub check`
            at: Path = getattr(error, "at", ())
            said = str(error) if isinstance(error, ValueError) else f"no connector comes of it ({type(error).__name__})"
            if sound:
                name = ".".join(map(str, at)) or "settings"
                self.find((*path, *at), "bad_setting", f"`{name}`: {said}", "mend the setting")
        else:
            return made
        return connector

    def _told(self, settings: Mapping[str, Any], model: type[BaseModel]) -> Mapping[str, Any]:
        """What a class is made from: of the references, those to secrets stay, and the others are resolved."""
        if self.secrets is None:
            return settings
        secret = {value for _, value in secret_settings(settings, model)}
        return resolved(settings, lambda named: named if named in secret else self._or_reference(named))  # type: ignore[no-any-return]

    def _unfit(self, error: ValidationError, model: type[BaseModel], path: Path, unresolved: list[Path]) -> int:
        """Note what a model says of the settings; how many faults that were."""
        faults = 0
        for fault in error.errors(include_url=False, include_input=False, include_context=False):
            below: Path = tuple(fault["loc"])
            # What is still a reference has no value that could be judged.
            if below and any(below[: len(known)] == known for known in unresolved):
                continue
            self._bad_setting(fault["type"], fault["msg"], below, model, path)
            faults += 1
        return faults

    def _or_reference(self, reference: str) -> str:
        assert self.secrets is not None
        try:
            return self.secrets(reference)
        except Exception:  # noted by `_unresolved`; a settings reader may raise what it likes
            return reference

    def _unresolved(self, value: Any, path: Path, below: Path = ()) -> list[Path]:
        """References without a value, each noted (unless nobody is there to resolve them)."""
        match value:
            case Mapping():
                return [p for key, each in value.items() for p in self._unresolved(each, path, (*below, str(key)))]
            case list():
                return [p for at, each in enumerate(value) for p in self._unresolved(each, path, (*below, at))]
            case str() if is_reference(value):
                if self.secrets is None:
                    return [below]
                try:
                    self.secrets(value)
                except Exception as error:
                    message = f"`{value}` cannot be resolved ({type(error).__name__})"
                    kind, _, name = value.partition(":")
                    remedy = f"{'write the file' if kind == 'file' else 'set'} {name} where the hub runs"
                    self.find((*path, *below), "unresolvable_secret", message, remedy)
                    return [below]
        return []

    def _bad_setting(self, kind: str, said: str, below: Path, model: type[BaseModel], path: Path) -> None:
        name = ".".join(str(step) for step in below) or "settings"
        match kind:
            case "extra_forbidden":
                within = model_at(model, below[:-1])
                known = [info.alias or key for key, info in within.model_fields.items()] if within is not None else []
                remedy = instead(str(below[-1]), known)
                self.find_key((*path, *below), "unknown_key", f"the connector has no setting `{name}`", remedy)
            case "missing":
                message = f"the setting `{name}` is missing"
                self.find_key((*path, *below[:-1]), "missing_key", message, f"add `{below[-1]}:`")
            case _:
                said = said.removeprefix("Value error, ")
                self.find((*path, *below), "bad_setting", f"`{name}`: {said}", "mend the setting")

    def _limits(self, value: Any, path: Path) -> Limits:
        if not isinstance(value, dict):
            self.find(path, "bad_limits", "`limits` is a map", "write `{concurrency: 4, timeout: 60s}`")
            return Limits()
        self._known(value, _LIMITS, path, "`limits`")
        made: dict[str, Any] = {}
        at_once, rate, timeout = (value.get(key) for key in _LIMITS)
        if at_once is not None:
            made["concurrency"] = self._number(at_once, (*path, "concurrency"), whole=True, most=1000)
        if rate is not None:
            made["per_second"] = self._number(rate, (*path, "per_second"), whole=False, most=10_000)
        if timeout is not None:
            made["timeout"] = self._time(timeout, (*path, "timeout"), "bad_limits")
        return Limits(**{key: each for key, each in made.items() if each is not None})

    def _settle(self, value: Any, path: Path) -> timedelta | None:
        return None if value is None else self._time(value, path, "bad_settle")

    def _time(self, value: Any, path: Path, code: str) -> timedelta | None:
        time = duration(value)
        if time is not None and _SHORTEST <= time <= _LONGEST:
            return time
        self.find(path, code, f"`{path[-1]}` is a time from 1s to 1h", "write it as `60s` or `5m`")
        return None

    def _breaker(self, value: Any, path: Path) -> bool:
        if value not in _SWITCH or isinstance(value, bool):
            self.find(path, "wrong_enum", "`breaker` is `on` or `off`", "leave it out for `on`")
        return bool(value != "off")

    def _takes(self, value: Any, path: Path) -> Takes:
        if value in tuple(Takes):
            return Takes(value)
        message = f"a destination takes `live` submissions, `test` ones or `both`, not `{value}`"
        self.find(path, "wrong_enum", message, instead(str(value), tuple(Takes)))
        return Takes.LIVE

    def _number(self, value: Any, path: Path, *, whole: bool, most: int) -> Any:
        fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool) and 0 < value <= most
        if not fits:
            kind = "a whole number from 1" if whole else "a number above 0"
            self.find(path, "bad_limits", f"`{path[-1]}` is {kind}, at most {most}", "mend the number")
        return value if fits else None

    def _windows(self, value: Any, path: Path) -> tuple[Window, ...]:
        if not isinstance(value, list):
            self.find(path, "bad_window", "`windows` is a list", 'write `- {closed: "Sun 02:00-05:00", reason: …}`')
            return ()
        made = []
        for at, each in enumerate(value):
            below = (*path, at)
            stated = each if isinstance(each, dict) else {"closed": each}
            self._known(stated, ("closed", "reason"), below, "a window")
            try:
                made.append(Window.parse(str(stated.get("closed", "")), reason=str(stated.get("reason", ""))))
            except BadWindow as error:
                place = (*below, "closed") if "closed" in stated and isinstance(each, dict) else below
                self.find(place, "bad_window", str(error), 'write, say, `closed: "Sun 02:00-05:00"`')
        if never_opens(made):
            self.find(path, "bad_window", "the windows leave no moment open", "leave some time to deliver")
        return tuple(made)

    def _replay(
        self, value: Any, connector: type[Connector], path: Path
    ) -> tuple[dict[str, ReplaySafety], dict[str, str]]:
        """What the council says about repeats. It may promise less than the connector; more needs a note."""
        made: dict[str, ReplaySafety] = {}
        notes: dict[str, str] = {}
        if not isinstance(value, dict):
            self.find(path, "wrong_type", "`replay` is a map", "write `{create: unsafe}`")
            return made, notes
        known = (*_BLOCKS, *connector.operations)
        for key, stated in value.items():
            if key not in known:
                self.find_key((*path, key), "unknown_key", f"`{key}` is no verb or operation", instead(key, known))
                continue
            word, note = (stated.get("safety"), stated.get("note")) if isinstance(stated, dict) else (stated, None)
            if word not in tuple(ReplaySafety):
                remedy = instead(str(word), tuple(ReplaySafety))
                self.find((*path, key), "wrong_enum", f"`{word}` is no replay safety", remedy)
                continue
            made[key] = ReplaySafety(word)
            notes |= {key: str(note)} if note else {}
            self._raised(made[key], key, connector, path, noted=bool(note))
            if not can_look(connector, made[key]):
                message = f"`{made[key]}` needs a connector with `{LOOKS[made[key]]}`, and this one has none"
                self.find((*path, key), "no_such_look", message, "leave it out: an unclear one waits for a person")
        return made, notes

    def _raised(self, safety: ReplaySafety, key: str, connector: type[Connector], path: Path, *, noted: bool) -> None:
        ladder = list(ReplaySafety)
        operations = connector.operations
        declared = [operations[key]] if key in operations else list(operations.values())
        best = min((ladder.index(each.replay_safety) for each in declared), default=len(ladder))
        if ladder.index(safety) < best and not noted:
            message = f"`{safety}` promises more than the connector declares"
            remedy = f"say why: `{key}: {{safety: {safety}, note: …}}`"
            self.find((*path, key), "raised_safety", message, remedy)

    def _retry(self, value: Any, path: Path) -> tuple[timedelta, ...] | None:
        if value is None:
            return None
        waits = [duration(each) for each in value] if isinstance(value, list) else [None]
        if not waits or any(wait is None for wait in waits):
            self.find(path, "bad_retry", "`retry` is a list of waits", "write `[10s, 1m, 5m, 15m]`")
            return None
        return tuple(wait for wait in waits if wait is not None)

    def _known(self, value: Mapping[str, Any], known: tuple[str, ...], path: Path, what: str) -> None:
        for key in value:
            if key not in known:
                self.find_key((*path, key), "unknown_key", f"{what} has no `{key}`", instead(str(key), known))

    def find(self, path: Path, code: str, message: str, remedy: str) -> None:
        self.findings.append(Finding.at(self.places.of(path), code, message, remedy))

    def find_key(self, path: Path, code: str, message: str, remedy: str) -> None:
        self.findings.append(Finding.at(self.places.key(path), code, message, remedy))
