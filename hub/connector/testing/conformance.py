"""The conformance kit: runs a connector against its own back office through every way one can fail."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hub.connector.door import Connector, Operation
from hub.connector.testing.checks import ALL
from hub.connector.testing.expectations import Failed
from hub.connector.testing.hosting import load
from hub.connector.testing.running import spawn
from hub.connector.testing.trial import KitFault, NotShown, Say, Trial, configured, creates, examples


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question and its answer; `detail` says what the connector did instead."""

    name: str
    ok: bool
    detail: str = ""

    def __str__(self) -> str:
        return f"{'ok  ' if self.ok else 'FAIL'} {self.name}{f': {self.detail}' if self.detail else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the kit found out about one operation of one connector."""

    connector: str
    operation: str
    checks: tuple[Check, ...]
    example: int = 1  #: which of the examples of its settings it was tried with

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.ok)

    def as_dict(self) -> dict[str, Any]:
        checks = [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in self.checks]
        return {
            "connector": self.connector,
            "operation": self.operation,
            "example": self.example,
            "ok": self.ok,
            "checks": checks,
        }


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def trials(connector_class: type[Connector]) -> list[tuple[int, str]]:
    """What there is to try: every example of the settings, with every operation that makes a case there.

    Raises KitFault where there is no example. Only a connector with
    `configured` is another one with each of them.
    """
    known = _settings_of(connector_class)
    if not hasattr(connector_class, "configured"):
        return [(1, operation) for operation in creates(connector_class)]
    return [(at, name) for at, one in enumerate(known, 1) for name in creates(configured(connector_class, one))]


def _settings_of(connector_class: type[Connector]) -> list[Mapping[str, Any]]:
    return examples(connector_class.Settings, what="settings that a council could have")


async def conform(
    connector_class: type[Connector],
    *,
    operation: str | None = None,
    example: int = 1,
    settings: Mapping[str, Any] | None = None,
    record: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    only: Collection[str] = (),
    deadline: timedelta = timedelta(seconds=0.6),
    say: Say = _print,
) -> Report:
    """Try one operation (the first that is declared) in some ten seconds, offline.

    Settings and record are the models' own examples of this number unless
    given (a record's last one, where it has fewer), and the class is the one
    that they configure. Every http address in the settings is moved to the back office, which runs in a
    process of its own with these `options`. `only` names the checks to make
    (functions of `checks`), all of them if empty. `say` gets one line a check.
    Raises KitFault where the connector cannot be tried at all.
    """
    trial_settings = settings or _settings_of(connector_class)[example - 1]
    spoken = configured(connector_class, trial_settings)
    name = operation or next(iter(creates(spoken)), "")
    if name not in creates(spoken):
        raise KitFault(f"{name} makes no case here; {', '.join(creates(spoken)) or 'none'} could be tried")
    strange = set(only) - {ask.__name__ for ask in ALL}
    if strange:
        raise KitFault(f"there is no check {', '.join(strange)}; there are {', '.join(a.__name__ for a in ALL)}")
    trial_record = record or _record_for(spoken.operations[name], example)
    running = await asyncio.to_thread(spawn, spoken.simulator)
    async with running:
        if options:
            await asyncio.to_thread(lambda: running.options(**options))
        trial = Trial(
            connector_class=spoken,
            office=load(spoken.simulator),
            running=running,
            settings=trial_settings,
            record=trial_record,
            operation=name,
            deadline=deadline,
        )
        checks = []
        for ask in (ask for ask in ALL if not only or ask.__name__ in only):
            checks.append(await _ask(ask, trial))
            say(str(checks[-1]))
    return Report(connector=connector_class.name, operation=name, checks=tuple(checks), example=example)


def _record_for(operation: Operation, example: int) -> Mapping[str, Any]:
    known = examples(operation.record, what="a record that the product takes")
    return known[min(example, len(known)) - 1]


async def _ask(ask: Callable[[Trial], Coroutine[Any, Any, None]], trial: Trial) -> Check:
    name = (ask.__doc__ or "").strip()
    try:
        await trial.behave("ok")
        await ask(trial)
    except NotShown as reason:
        return Check(name=name, ok=True, detail=f"not asked, {reason}")
    except Failed as failed:
        return Check(name=name, ok=False, detail=str(failed))
    except Exception as error:  # a connector's bug must not hide the checks after it
        return Check(name=name, ok=False, detail=f"{type(error).__name__} escaped: {error}")
    return Check(name=name, ok=True)
