"""The conformance kit: runs a connector against its own back office through every way one can fail."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hub.connector.door import Connector
from hub.connector.testing.checks import ALL, Failed
from hub.connector.testing.running import spawn
from hub.connector.testing.trial import KitFault, Say, Trial, example


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

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.ok)

    def as_dict(self) -> dict[str, Any]:
        checks = [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in self.checks]
        return {"connector": self.connector, "operation": self.operation, "ok": self.ok, "checks": checks}


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


async def conform(
    connector_class: type[Connector],
    *,
    operation: str | None = None,
    settings: Mapping[str, Any] | None = None,
    record: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    only: Collection[str] = (),
    deadline: timedelta = timedelta(seconds=0.6),
    say: Say = _print,
) -> Report:
    """Try one operation (the first that is declared) in some ten seconds, offline.

    Settings and record are the models' own first examples unless given; every
    http address in the settings is moved to the back office, which runs in a
    process of its own with these `options`. `only` names the checks to make
    (functions of `checks`), all of them if empty. `say` gets one line a check.
    Raises KitFault where the connector cannot be tried at all.
    """
    name = operation or next(iter(connector_class.operations))
    if name not in connector_class.operations:
        raise KitFault(f"there is no operation {name}; declared are {', '.join(connector_class.operations)}")
    strange = set(only) - {ask.__name__ for ask in ALL}
    if strange:
        raise KitFault(f"there is no check {', '.join(strange)}; there are {', '.join(a.__name__ for a in ALL)}")
    declared = connector_class.operations[name]
    trial_settings = settings or example(connector_class.Settings, what="settings that a council could have")
    trial_record = record or example(declared.record, what="a record that the product takes")
    running = await asyncio.to_thread(spawn, connector_class.simulator)
    async with running:
        if options:
            await asyncio.to_thread(lambda: running.options(**options))
        trial = Trial(
            connector_class=connector_class,
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
    return Report(connector=connector_class.name, operation=name, checks=tuple(checks))


async def _ask(ask: Callable[[Trial], Coroutine[Any, Any, None]], trial: Trial) -> Check:
    name = (ask.__doc__ or "").strip()
    try:
        await trial.behave("ok")
        await ask(trial)
    except Failed as failed:
        return Check(name=name, ok=False, detail=str(failed))
    except Exception as error:  # a connector's bug must not hide the checks after it
        return Check(name=name, ok=False, detail=f"{type(error).__name__} escaped: {error}")
    return Check(name=name, ok=True)
