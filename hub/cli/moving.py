"""One verb said of many deliveries, one after the other, with an account of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hub.cli import say
from hub.cli.desk import Desk, DeskRefused, part

_SECOND_PERSON = "Noted: its system would make the case twice, so another person, an approver, must ask for it too."


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One delivery and what came of the verb. `done` is None where nothing was asked for."""

    delivery: Any  #: as it is now
    done: bool | None
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        shown = ("id", "our_reference", "destination", "service", "state", "fault_code")
        return {**{name: self.delivery[name] for name in shown}, "done": self.done, "error": self.error}


async def each(
    desk: Desk, deliveries: Iterable[Any], *, verb: str, body: dict[str, Any], rate: float | None = None
) -> list[Moved]:
    """Say the verb of each in turn; one that is refused does not keep the rest from it."""
    found = list(deliveries)
    moved = []
    with say.progress() as bar:
        task = bar.add_task(verb, total=len(found))
        for one in found:
            began = time.monotonic()
            moved.append(await _say(desk, one, verb, body))
            bar.advance(task)
            if rate and one is not found[-1]:
                await asyncio.sleep(max(0.0, began + 1 / rate - time.monotonic()))
    return moved


async def _say(desk: Desk, delivery: Any, verb: str, body: dict[str, Any]) -> Moved:
    try:
        now = await desk.ask("POST", f"/v1/deliveries/{part(delivery['id'])}/{verb}", body=body)
    except DeskRefused as refused:
        return Moved(delivery=delivery, done=False, error=str(refused))
    if verb == "replay" and now["state"] == "delivered":
        return Moved(delivery=now, done=False, error=_SECOND_PERSON)
    return Moved(delivery=now, done=True)


def told(moved: Sequence[Moved], *, did: str, json_out: bool) -> int:
    """Print the account; 1 when any was refused."""
    if json_out:
        say.items([one.as_dict() for one in moved])
    else:
        columns = {
            "id": "id",
            "our reference": "our_reference",
            "destination": "destination",
            "state": "state",
            "fault": "fault_code",
            "refused": "error",
        }
        say.table([one.as_dict() for one in moved], columns, empty="No delivery fits.")
    refused = sum(one.done is False for one in moved)
    if any(one.done is None for one in moved):
        say.note(f"{len(moved)} would be {did}; without --dry-run they are.")
    elif moved:
        say.note(f"{len(moved) - refused} {did}" + (f", {refused} refused." if refused else "."))
    return 1 if refused else 0
