"""A worker that is told to stop while a claim is under way: what it took is sent to its end."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hub.connector import Delivery, Receipt
from hub.model import StepState
from hub.store import destinations
from tests.integration.test_dispatch import Script, bench, product, written
from tests.integration.test_store_writer import held

CRM = "northborough/crm"


async def slowly(delivery: Delivery) -> Receipt:
    await written(delivery)
    await asyncio.sleep(0.4)
    return Receipt(reference="C-1")


async def test_a_stop_in_the_middle_of_a_claim_leaves_nothing_between_two_states(tmp_path: Path) -> None:
    async with bench(tmp_path, product(Script([slowly]))) as here:
        worker, store = here.hub.worker, here.store
        assert worker is not None
        await store.transact(lambda connection: destinations.pause(connection, CRM, by="tests", reason="a test"))
        submissions = [await here.publish() for _ in range(4)]
        async with held(store) as gate:
            resuming = asyncio.ensure_future(store.transact(lambda connection: destinations.resume(connection, CRM)))
            await asyncio.sleep(0.01)
            worker.ring(CRM)
            await asyncio.sleep(0.01)  # the claim waits for the writer's thread, behind the resume
            resting = asyncio.ensure_future(here.hub.rest())
            await asyncio.sleep(0.01)
            gate.opened.set()
            await asyncio.gather(resuming, resting)
        states = {(await here.delivery(one)).state for one in submissions}
    assert states <= {StepState.DELIVERED, StepState.QUEUED}
