"""The store is away just when a write is about to leave: not a byte has left, so nobody is in doubt."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hub.connector import Delivery, Receipt
from hub.model import StepState
from tests.integration.test_dispatch import Script, bench, product, written
from tests.integration.test_store_writer import held


async def test_a_deadline_that_strikes_while_sending_is_written_down_leaves_no_doubt(tmp_path: Path) -> None:
    begun, may_send = asyncio.Event(), asyncio.Event()
    sent: list[str] = []

    async def answer(delivery: Delivery) -> Receipt:
        begun.set()
        await may_send.wait()
        await written(delivery)
        sent.append(delivery.our_reference)
        return Receipt(reference="C-1")

    async with bench(tmp_path, product(Script([answer]))) as here:
        submission = await here.publish()
        await begun.wait()
        async with held(here.store):
            may_send.set()
            await asyncio.sleep(2)  # the destination's whole time is over, and half a second more
        view = await here.until(submission, StepState.DELIVERED, StepState.UNCLEAR, StepState.DEAD)
    assert (view.state, len(sent)) == (StepState.DELIVERED, 1)
