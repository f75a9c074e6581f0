"""What can be asked for: a code, its contract by version, its examples."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from hub.errors import NotThere
from hub.standard.envelope import Envelope
from hub.standard.schema import PersonalPath, personal_paths, schema_of
from hub.standard.versions import Change, Data

_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})((?:T[0-9:.]+(?:Z|[+-][0-9:]+))?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A submission that shows something, true on the day `today`."""

    why: str  #: one line: what it shows
    today: date
    body: Mapping[str, Any]
    pointers: tuple[str, ...] = ()  #: of a bad one its faults, of a good one its warnings
    version: int = 1

    def shifted(self, *, today: date) -> Example:
        """The same example as if written today: every date in it moves with `today`."""
        return replace(self, today=today, body=_shift(self.body, today - self.today))

    def as_dict(self) -> dict[str, Any]:
        return {
            "why": self.why,
            "today": self.today.isoformat(),
            "pointers": list(self.pointers),
            "body": copy.deepcopy(dict(self.body)),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service that residents ask for, and the contract that front ends keep."""

    code: str
    title: str
    title_cy: str
    description: str
    versions: Mapping[int, type[Envelope]]
    lgsl: tuple[int, ...]  #: every id of the Local Government Service List that may apply, the usual one first
    lgsl_of: Callable[[Mapping[str, Any]], tuple[int, ...]]  #: those that apply to one submission's data
    good: tuple[Example, ...]
    bad: tuple[Example, ...]
    changes: Mapping[int, Change] = field(default_factory=dict)  #: what made each version of the one before

    def model(self, version: int) -> type[Envelope]:
        """Raises `NotThere` naming the versions there are."""
        if version not in self.versions:
            raise NotThere(f"`{self.code}` has no version {version}; there is {self.known_versions()}.")
        return self.versions[version]

    def known_versions(self) -> str:
        return ", ".join(str(version) for version in sorted(self.versions))

    def in_version(self, data: Data, version: int) -> Data:
        """A submission's data in the words of another version; what stands beside its fields (`hub`) stays.

        Raises `NotThere` for a version that there is not.
        """
        self.model(version)
        now: int = data["version"]
        for newer in range(now + 1, version + 1):
            data = self.changes[newer].up(data)
        for newer in range(now, version, -1):
            data = self.changes[newer].down(data)
        return {**data, "version": version}

    def schema(self, version: int) -> dict[str, Any]:
        """The contract as JSON Schema 2020-12; fields that the hub adds to the data are there as `readOnly`."""
        made = schema_of(self.model(version))
        head = {
            "$schema": made.pop("$schema"),
            "$id": f"urn:council-hub:{self.code}:{version}",
            "title": self.title,
            "description": self.description,
            "x-label": {"en": self.title, "cy": self.title_cy},
            "x-lgsl": list(self.lgsl),
        }
        return head | {key: value for key, value in made.items() if key not in head}

    def personal(self, version: int) -> tuple[PersonalPath, ...]:
        """The paths of the data that say something about a person."""
        return personal_paths(self.model(version))

    def examples(self, version: int, *, today: date) -> tuple[list[Example], list[Example]]:
        """Good ones and bad ones, as if written today."""
        self.model(version)
        good, bad = (
            [example.shifted(today=today) for example in examples if example.version == version]
            for examples in (self.good, self.bad)
        )
        return good, bad


def _shift(value: Any, by: timedelta) -> Any:
    match value:
        case str():
            return _shift_text(value, by)
        case Mapping():
            return {key: _shift(inner, by) for key, inner in value.items()}
        case list():
            return [_shift(inner, by) for inner in value]
        case _:
            return value


def _shift_text(text: str, by: timedelta) -> str:
    found = _DATE.fullmatch(text)
    if not found:
        return text
    try:
        return (date.fromisoformat(found[1]) + by).isoformat() + found[2]
    except ValueError:  # 30 February stays the fault that it shows
        return text
