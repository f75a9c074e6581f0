"""A bulk replay in a whole hub: listed, released, sent, and accounted for by the loops that always run."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

from hub.core.bulk import OperationKind
from hub.errors import Refused
from hub.model import Role, StepState, Trigger, User
from hub.store import deliveries
from hub.store.bulk import Wish
from hub.store.deliveries import DeliveryFilter
from tests.integration.test_dispatch import Bench, Script, bench, delivered, product, raising

ANN = User(id="a", name="ann", role=Role.OPERATOR)


async def started(here: Bench, **wish: Any) -> str:
    values = {"kind": OperationKind.REPLAY, "wanted": DeliveryFilter(state=(StepState.DEAD,)), "reason": "mended"}
    made = await here.hub.bulk.draft(Wish(**values, **wish), actor=ANN)
    await here.hub.bulk.start(made.id, actor=ANN)
    return str(made.id)


async def ended(here: Bench, operation: str) -> Any:
    """The operation once it runs no more."""
    async with asyncio.timeout(30):
        while (row := await here.hub.bulk.show(operation, actor=ANN)).state == "running":
            await asyncio.sleep(0.05)
    return row


async def refused(here: Bench, number: int) -> list[str]:
    return [(await here.until(await here.publish(), StepState.DEAD)).id for _ in range(number)]


async def test_many_are_replayed_each_once_and_every_attempt_names_the_operation(tmp_path: Path) -> None:
    script = Script([raising(Refused())])
    async with bench(tmp_path, product(script)) as here:
        made = await refused(here, 8)
        script.answers, first = [delivered], Counter(script.calls)
        operation = await started(here, rate=40.0, canary=2)
        row = await ended(here, operation)
        views = [await here.store.read(lambda c, id=id: deliveries.get(c, id)) for id in made]
        [_, last] = await here.store.read(lambda c: deliveries.attempts(c, made[0]))
    assert (row.state, {view.state for view in views}) == ("done", {StepState.DELIVERED})
    assert Counter(script.calls) - first == first, "each once more, under the same reference"
    assert (last.trigger, row.counts) == (Trigger.REPLAY.value, {"northborough/crm": {"delivered": 8}})


async def test_what_is_refused_again_stops_it_with_the_first(tmp_path: Path) -> None:
    script = Script([raising(Refused(code="crm_7"))])
    async with bench(tmp_path, product(script)) as here:
        await refused(here, 5)
        row = await ended(here, await started(here, rate=40.0, canary=1))
    assert row.state == "paused" and "crm_7" in row.why
    assert row.counts == {"northborough/crm": {"failed": 1, "pending": 4}} and len(script.calls) == 6


async def test_a_replay_may_use_the_mapping_of_an_older_generation(tmp_path: Path) -> None:
    script = Script([raising(Refused())])
    async with bench(tmp_path, product(script)) as here:
        [delivery] = await refused(here, 1)
        mapping = tmp_path / "mappings" / "northborough" / "complaint.yaml"
        mapping.write_text(mapping.read_text().replace("{{ details.service_area }}", "another"))
        here.hub.core.councils.adopt(tmp_path / "mappings", by="tests")
        script.answers = [delivered]
        await ended(here, await started(here, generation=1))
        [first, last] = await here.store.read(lambda c: deliveries.attempts(c, delivery))
    assert (first.mapping_generation, last.mapping_generation) == (1, 1)
    assert script.records[0] == script.records[1] != {"area": "another"}
