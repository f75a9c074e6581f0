"""A test never reaches a live destination, whatever the council files said when it was planned."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from connectors.rest import Rest
from connectors.rest.simulator import RestBackOffice
from hub.connector.testing import Mode, serving
from hub.model import StepState
from hub.registry import Registry
from tests.bodies import complaint
from tests.live import Live, kept, live, write
from tests.offices import misbehave

COUNCIL = """\
council: Northborough
slug: northborough
gss: E07000999
destinations:
  live:
    connector: rest
    settings: {{url: "{live}", create: {{path: /cases, reference: /id}}}}
    retry: [1s, 1s, 1s, 1s, 1s, 1s]
    breaker: off
  trial:
    connector: rest
    settings: {{url: "{trial}", create: {{path: /cases, reference: /id}}}}
    takes: test
routes:
"""
ROUTE = """\
  - service: complaint
    to: {to}
    mapping: {{create: {{operation: create, record: {{ref: "{{{{ hub.our_reference }}}}"}}}}}}
"""


@asynccontextmanager
async def both(folder: Path, *to: str) -> AsyncIterator[tuple[Live, RestBackOffice, RestBackOffice, str]]:
    """A hub with routes to these, its live and its trial system, and its council file."""
    real, trial = RestBackOffice(), RestBackOffice()
    async with serving(real) as real_at, serving(trial) as trial_at:
        told = kept(folder, live=real_at.url, trial=trial_at.url)
        council = COUNCIL.format(**told) + "".join(ROUTE.format(to=name) for name in to)
        write(folder / "mappings", "northborough", council)
        async with live(folder, registry=Registry({"rest": Rest})) as here:
            yield here, real, trial, council


async def test_each_kind_goes_where_it_is_taken(tmp_path: Path) -> None:
    async with both(tmp_path, "live", "trial") as (here, real, trial, _):
        true, test = await here.publish(complaint()), await here.publish(complaint() | {"test": True})
        assert [each.state for each in await here.settled(true.id)] == [StepState.DELIVERED]
        assert [each.state for each in await here.settled(test.id)] == [StepState.DELIVERED]
    assert [row["our_reference"] for row in real.ledger.items] == [true.reference]
    assert [row["our_reference"] for row in trial.ledger.items] == [test.reference]


async def test_a_test_that_nobody_takes_is_a_persons_and_reaches_nobody(tmp_path: Path) -> None:
    async with both(tmp_path, "live") as (here, real, _, _):
        test = await here.publish(complaint() | {"test": True})
        assert not test.planned and await here.deliveries(test.id) == []
    assert real.ledger.items == []


async def test_a_test_that_was_planned_is_refused_again_right_before_it_would_leave(tmp_path: Path) -> None:
    async with both(tmp_path, "live") as (here, real, _, council):
        here.write("northborough", council.replace("breaker: off", "breaker: off\n    takes: both"))
        misbehave(real, Mode.UNAVAILABLE)
        test = await here.publish(complaint() | {"test": True})
        async with asyncio.timeout(10):
            while (await here.deliveries(test.id))[0].attempts == 0:
                await asyncio.sleep(0.02)
        here.write("northborough", council)
        real.script.by_call = {}
        (delivery,) = await here.settled(test.id)
    assert (delivery.state, delivery.fault_code) == (StepState.DEAD, "test")
    assert real.ledger.items == []
