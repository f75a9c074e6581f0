"""Claiming: capped over all workers, fenced, fair, and what a lost lease means."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from hub.errors import LeaseLost
from hub.model import Phase, ReplaySafety, StepState
from hub.store import attempts, claims, deliveries, destinations, leases, tables
from hub.store.attempts import Sending
from hub.store.ids import uuid7
from hub.store.store import Store
from tests.stores import WASTE, accept, add_destination, claim, conclude, terms

GONE = timedelta(seconds=-1)  # a lease that has run out when it is given


def state_of(store: Store, delivery: str) -> StepState:
    return store.read_now(lambda connection: deliveries.get(connection, delivery)).state


async def fill(store: Store, number: int) -> None:
    await asyncio.gather(*[store.write(accept()) for _ in range(number)])


async def recover(store: Store) -> leases.Recovered:
    return await store.transact(
        lambda connection: leases.recover(
            connection, mine=uuid7(), silence=timedelta(seconds=1), settle_of=lambda _: timedelta(0)
        )
    )


def sending(one: claims.Claimed) -> Sending:
    return Sending(attempt=one.attempt, step=one.step, token=one.token)


async def test_the_oldest_due_come_first(store: Store) -> None:
    taken = [await store.write(accept()) for _ in range(3)]
    assert [one.submission for one in await claim(store, limit=3)] == [one.id for one in taken]


async def test_a_cap_holds_over_all_workers(store: Store) -> None:
    await fill(store, 40)
    found = await asyncio.gather(*[claim(store) for _ in range(12)])
    assert sum(map(len, found)) <= 4
    assert len({one.step for some in found for one in some}) == sum(map(len, found))


async def test_what_is_concluded_frees_its_slot(store: Store) -> None:
    await fill(store, 8)
    first = await claim(store)
    await asyncio.gather(*[store.write(conclude(one)) for one in first])
    assert len(await claim(store)) == 4


async def test_a_paused_destination_is_not_asked(store: Store) -> None:
    await fill(store, 1)
    await store.transact(lambda c: destinations.pause(c, WASTE, by="someone", reason="works"))
    assert not await claim(store)
    assert await store.read(claims.due_destinations) == []


async def test_a_rate_lets_one_through_at_a_time(store: Store) -> None:
    add_destination(store, WASTE, cap=10, per_second=50)
    await fill(store, 10)
    started = datetime.now(UTC)
    found = 0
    while datetime.now(UTC) - started < timedelta(milliseconds=200):
        found += len(await claim(store))
        await asyncio.sleep(0.001)
    assert 1 <= found <= 11


async def test_the_destination_that_waited_longest_is_named_first(store: Store) -> None:
    other = "northborough/crm"
    specs = [
        destinations.DestinationSpec(id=f"northborough/{name}", council="northborough", name=name, connector="x",
                                     concurrency=4, per_second=None)
        for name in ("waste", "crm")
    ]  # fmt: skip
    await store.transact(lambda c: destinations.sync(c, specs))
    await asyncio.gather(*[store.write(accept(destination=name)) for name in (WASTE, WASTE, other)])
    await claim(store, limit=1)
    assert await store.read(claims.due_destinations) == [other, WASTE]


async def test_a_stale_token_changes_nothing(store: Store) -> None:
    await fill(store, 1)
    [one] = await claim(store, on=terms(lease=GONE))
    await recover(store)
    for late in (conclude(one), sending(one)):
        with pytest.raises(LeaseLost):
            await store.write(late)
    assert state_of(store, one.delivery) is StepState.QUEUED


async def test_a_write_that_was_not_taken_may_be_sent_again_under_the_same_lease(store: Store) -> None:
    await fill(store, 1)
    [one] = await claim(store, on=terms(safety=ReplaySafety.UNSAFE))
    await store.write(sending(one))
    await store.write(sending(one))
    await store.write(conclude(one))
    with pytest.raises(LeaseLost):
        await store.write(sending(one))


async def test_one_stale_token_in_a_batch_does_not_spoil_the_others(store: Store) -> None:
    await fill(store, 3)
    claimed = list(await claim(store))
    await store.write(conclude(claimed[0]))
    answers = await asyncio.gather(*[store.write(conclude(one)) for one in claimed], return_exceptions=True)
    assert [type(answer).__name__ for answer in answers] == ["LeaseLost", "NoneType", "NoneType"]


@pytest.mark.parametrize(
    ("safety", "sent", "after"),
    [
        (ReplaySafety.UNSAFE, False, StepState.QUEUED),
        (ReplaySafety.UNSAFE, True, StepState.UNCLEAR),
        (ReplaySafety.LOOKUP, True, StepState.UNCLEAR),
        (ReplaySafety.REJECTS_DUPLICATES, True, StepState.QUEUED),
        (ReplaySafety.IDEMPOTENT, True, StepState.QUEUED),
    ],
)
async def test_a_lost_lease_means_what_the_attempt_says(
    store: Store, safety: ReplaySafety, sent: bool, after: StepState
) -> None:
    await fill(store, 1)
    [one] = await claim(store, on=terms(safety=safety, lease=GONE))
    if sent and one.phase is Phase.PREPARED:
        await store.write(sending(one))
    await recover(store)
    assert state_of(store, one.delivery) is after


async def test_a_living_workers_lease_is_left_alone(store: Store) -> None:
    from hub.store import workers

    me = uuid7()
    await store.transact(lambda c: workers.start(c, me, role="worker", host="h", version="0"))
    await fill(store, 1)
    await claim(store, on=terms(worker=me, lease=GONE))
    assert (await recover(store)).queued == 0


async def test_a_late_receipt_settles_the_doubt_it_left(store: Store) -> None:
    await fill(store, 1)
    [one] = await claim(store, on=terms(lease=GONE))
    await store.write(sending(one))
    await recover(store)
    late = conclude(one)
    assert await store.transact(lambda c: attempts.late_result(c, late)) is StepState.DELIVERED
    assert store.read_now(lambda c: deliveries.get(c, one.delivery)).reference == "WS-1"


async def test_a_late_receipt_after_a_person_decided_changes_nothing(store: Store) -> None:
    await fill(store, 1)
    [one] = await claim(store, on=terms(lease=GONE))
    await store.write(sending(one))
    await recover(store)
    await store.transact(lambda c: deliveries.settle(c, one.step, state=StepState.DISCARDED, reason="by hand"))
    late = conclude(one)
    assert await store.transact(lambda c: attempts.late_result(c, late)) is StepState.DISCARDED


async def test_every_attempt_is_kept(store: Store) -> None:
    await fill(store, 1)
    [one] = await claim(store)
    await store.write(conclude(one, state=StepState.QUEUED, after=timedelta(0)))
    [two] = await claim(store)
    await store.write(conclude(two))
    kept = store.read_now(lambda c: deliveries.attempts(c, one.delivery))
    assert [attempt.outcome for attempt in kept] == ["refused", "delivered"]
    assert store.read_now(lambda c: c.execute(sa.select(tables.step.c.attempts_used)).scalar_one()) == 2
