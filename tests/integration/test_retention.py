"""What a resident wrote is forgotten on time, and never while somebody may still need it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from hub.core.retention import Keep
from hub.dispatch.retention import Retention
from hub.fuse import CrashPoint
from hub.model import StepState
from hub.store import jobs, retention, tables
from hub.store.accept import Accept, IdempotencyKey
from hub.store.ids import first_id, uuid7
from hub.store.retention import Forgotten
from hub.store.store import Store
from tests.stores import HASHER, SEALER, accept

DAY = timedelta(days=1)
KEEP = Keep(content=90 * DAY, evidence=30 * DAY)


def ago(days: float) -> datetime:
    return datetime.now(UTC) - days * DAY


def id_of(at: datetime) -> str:
    """An id as if made then."""
    return first_id(at)[:19] + uuid7()[19:]


def letter(at: datetime) -> Accept:
    """A submission as it was accepted then, with a search key."""
    made, named = accept(), id_of(at)
    return replace(
        made, id=named, accepted_at=at, attrs=(("uprn", HASHER.digest(named)),),
        body=SEALER.seal(b"{}", place=f"submission_content|{named}|1"),
    )  # fmt: skip


async def kept(store: Store, *, accepted: float, state: StepState, since: float) -> Accept:
    """One accepted so many days ago, whose step has been in this state for so many."""
    made = letter(ago(accepted))
    await store.write(made)
    await put(store, made, state, since=since)
    return made


async def put(store: Store, made: Accept, state: StepState, *, since: float) -> None:
    values = {"state": state.value, "updated_at": ago(since), "due_at": None}
    steps = tables.step.c.submission == made.id
    await store.transact(lambda c: c.execute(sa.update(tables.step).where(steps).values(**values)))


async def tried(store: Store, made: Accept, *, days: float) -> str:
    """An attempt of so many days ago, with evidence."""
    row: dict[str, Any] = {
        "id": id_of(ago(days)), "step": made.deliveries[0].step, "delivery": made.deliveries[0].id, "trigger": "auto",
        "lease_token": 1, "phase": "answered", "replay_safety": "unsafe", "mapping_generation": 1,
        "started_at": ago(days), "evidence": b"sealed", "evidence_expires_at": ago(days - 30),
    }  # fmt: skip
    await store.transact(lambda c: c.execute(sa.insert(tables.attempt).values(**row)))
    return str(row["id"])


async def body(store: Store, made: Accept) -> bytes | None:
    row = tables.submission_content.c
    return await store.read(lambda c: c.execute(sa.select(row.body).where(row.submission == made.id)).scalar_one())


async def attrs(store: Store, made: Accept) -> int:
    row = tables.submission_attr.c
    return len(await store.read(lambda c: c.execute(sa.select(row.name).where(row.submission == made.id)).all()))


async def evidence(store: Store, attempt: str) -> bytes | None:
    row = tables.attempt.c
    return await store.read(lambda c: c.execute(sa.select(row.evidence).where(row.id == attempt)).scalar_one())


@pytest.fixture
def forgetting(store: Store) -> Retention:
    store.transact_now(lambda c: jobs.ensure(c, {retention.NAME: timedelta(hours=1)}))
    return Retention(store=store, keep=KEEP)


@pytest.mark.parametrize("state", [StepState.DELIVERED, StepState.DISCARDED])
async def test_what_is_over_for_long_enough_is_forgotten_with_its_search_keys(
    store: Store, forgetting: Retention, state: StepState
) -> None:
    old = await kept(store, accepted=92, state=state, since=91)
    assert await forgetting.run() == Forgotten(contents=1)
    assert (await body(store, old), await attrs(store, old)) == (None, 0)
    assert await forgetting.run() == Forgotten()


@pytest.mark.parametrize("state", [StepState.QUEUED, StepState.SENDING, StepState.UNCLEAR, StepState.DEAD])
async def test_what_waits_or_is_a_persons_is_spared(store: Store, forgetting: Retention, state: StepState) -> None:
    old = await kept(store, accepted=400, state=state, since=399)
    assert await forgetting.run() == Forgotten()
    assert (await body(store, old) is not None, await attrs(store, old)) == (True, 1)


async def test_what_a_person_has_to_route_is_spared_though_all_else_of_it_is_delivered(
    store: Store, forgetting: Retention
) -> None:
    old = await kept(store, accepted=400, state=StepState.DELIVERED, since=399)
    mine = sa.update(tables.submission).where(tables.submission.c.id == old.id)
    await store.transact(lambda c: c.execute(mine.values(faults=["route other: it could not be evaluated"])))
    assert await forgetting.run() == Forgotten()
    await store.transact(lambda c: c.execute(mine.values(faults=sa.null())))
    await look_is_due(store)
    assert await forgetting.run() == Forgotten(contents=1)


async def test_one_that_ended_late_is_kept_from_then_on(store: Store, forgetting: Retention) -> None:
    late = await kept(store, accepted=92, state=StepState.DELIVERED, since=89)
    assert await forgetting.run() == Forgotten()
    assert await body(store, late) is not None


async def look_is_due(store: Store) -> None:
    """A day has gone by."""
    row = tables.submission_content
    later = sa.update(row).where(row.c.expires_at.is_not(None)).values(expires_at=ago(0.01))
    await store.transact(lambda c: c.execute(later))


async def test_what_was_spared_is_looked_at_again(store: Store, forgetting: Retention) -> None:
    dead = await kept(store, accepted=400, state=StepState.DEAD, since=399)
    await forgetting.run()
    await put(store, dead, StepState.DISCARDED, since=91)
    assert await forgetting.run() == Forgotten(), "not before a day has gone by"
    await look_is_due(store)
    assert await forgetting.run() == Forgotten(contents=1)


async def test_one_part_that_is_still_open_keeps_the_whole(store: Store, forgetting: Retention) -> None:
    made = letter(ago(92))
    (delivery,) = made.deliveries
    second = replace(delivery, id=uuid7(), step=uuid7(), item_index=1, our_reference=f"{delivery.our_reference}-2")
    await store.write(replace(made, deliveries=(delivery, second)))
    await put(store, made, StepState.DELIVERED, since=91)
    dead = sa.update(tables.step).where(tables.step.c.id == second.step).values(state="dead")
    await store.transact(lambda c: c.execute(dead))
    assert await forgetting.run() == Forgotten()


async def test_evidence_goes_when_it_is_old_and_its_step_is_over(store: Store, forgetting: Retention) -> None:
    done = await kept(store, accepted=40, state=StepState.DELIVERED, since=39)
    old, young = await tried(store, done, days=31), await tried(store, done, days=29)
    assert await forgetting.run() == Forgotten(evidence=1)
    assert (await evidence(store, old), await evidence(store, young)) == (None, b"sealed")


async def test_evidence_of_a_dead_letter_stays_until_it_is_mended(store: Store, forgetting: Retention) -> None:
    dead = await kept(store, accepted=40, state=StepState.DEAD, since=39)
    attempt = await tried(store, dead, days=39)
    assert await forgetting.run() == Forgotten()
    await put(store, dead, StepState.DELIVERED, since=0)
    await look_is_due(store)
    assert await forgetting.run() == Forgotten(evidence=1)
    assert (await evidence(store, attempt), await body(store, dead) is None) == (None, False)


async def test_idempotency_keys_go_when_they_expire(store: Store, forgetting: Retention) -> None:
    for days in (8, 6):
        key = IdempotencyKey(
            scope="v1", key_hash=HASHER.digest(str(days)), fingerprint=b"f" * 32, expires_at=ago(days - 7)
        )
        await store.write(replace(letter(ago(days)), idempotency=key))
    assert await forgetting.run() == Forgotten(keys=1)


async def test_a_dry_run_says_how_much_and_touches_nothing(store: Store, forgetting: Retention) -> None:
    old = await kept(store, accepted=92, state=StepState.DELIVERED, since=91)
    await tried(store, old, days=91)
    expected = Forgotten(contents=1, evidence=1)
    assert await forgetting.run(dry=True) == expected
    assert await body(store, old) is not None
    assert await forgetting.run() == expected


async def test_a_lot_is_forgotten_in_batches(store: Store, forgetting: Retention) -> None:
    for _ in range(retention.BATCH + 3):
        await kept(store, accepted=92, state=StepState.DELIVERED, since=91)
    assert await forgetting.run(dry=True) == Forgotten(contents=retention.BATCH + 3)
    assert await forgetting.run() == Forgotten(contents=retention.BATCH + 3)


async def test_a_shorter_time_reaches_back(store: Store, forgetting: Retention) -> None:
    await kept(store, accepted=40, state=StepState.DELIVERED, since=39)
    assert await forgetting.run() == Forgotten()
    assert await replace(forgetting, keep=Keep(content=DAY)).run() == Forgotten(contents=1)


class Died(Exception):
    """What a SIGKILL is to the transaction that was open."""


async def test_dying_in_the_middle_costs_nothing_but_time(store: Store, forgetting: Retention) -> None:
    old = await kept(store, accepted=92, state=StepState.DELIVERED, since=91)
    spared = await kept(store, accepted=92, state=StepState.DEAD, since=91)
    attempts = [await tried(store, made, days=91) for made in (old, spared)]
    deaths = [0]

    def die(point: CrashPoint) -> None:
        assert point is CrashPoint.MID_RETENTION
        deaths[0] += 1
        raise Died

    for _ in range(2):
        with pytest.raises(Died):
            await replace(forgetting, reach=die).run()
    assert (await body(store, old) is not None, await attrs(store, old), deaths) == (True, 1, [2])
    assert await forgetting.run() == Forgotten(contents=1, evidence=1)
    assert [await evidence(store, attempt) for attempt in attempts] == [None, b"sealed"]
    assert (await body(store, spared) is not None, await attrs(store, spared)) == (True, 1)
