"""Replay and discard of many: a list that does not change, an account that adds up, whatever dies meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from hub.core.bulk import OperationKind
from hub.errors import Invalid, NotAllowed, NotThere, WrongState
from hub.fuse import CrashPoint
from hub.model import ReplaySafety, Role, StepState, User
from hub.store import audit, bulk, deliveries, destinations, tables
from hub.store.deliveries import DeliveryFilter
from hub.store.ids import uuid7
from hub.store.store import Store
from tests.bulks import ALL_DEAD, ANN, BEN, Killed, Many
from tests.stores import WASTE, claim, conclude

EVE = User(id="e", name="eve", role=Role.ADMIN, councils=frozenset({"eastvale"}))


@pytest.fixture
def many(store: Store) -> Many:
    return Many(store)


def killed_at(times: int) -> Callable[[CrashPoint], None]:
    """A fuse that kills when it is reached for the nth time."""
    left = iter(range(times, 0, -1))

    def reach(point: CrashPoint) -> None:
        if next(left, 0) == 1:
            raise Killed

    return reach


async def test_a_short_list_is_whole_at_once_and_nothing_is_done_yet(many: Many) -> None:
    made = await many.dead(3)
    drafted = await many.draft()
    assert (drafted.state, many.listed(drafted.id), many.counted(drafted.id)) == ("ready", made, {"pending": 3})
    await many.turn()
    assert not many.ledger


async def test_what_fits_later_is_not_in_the_list(many: Many) -> None:
    first = await many.dead(2)
    drafted = await many.draft()
    later = await many.dead(2)
    await many.verbs.start(drafted.id, actor=ANN)
    await many.run(drafted.id)
    assert set(many.ledger) == set(first) and not set(many.ledger) & set(later)


async def test_a_long_list_is_made_in_stages_and_cannot_run_before_it_is_whole(many: Many) -> None:
    made = await many.dead(bulk.BATCH + 5)
    drafted = await many.draft()
    assert (drafted.state, many.counted(drafted.id)) == ("marking", {"pending": bulk.BATCH})
    with pytest.raises(WrongState, match="still being made"):
        await many.verbs.start(drafted.id, actor=ANN)
    await many.job.turn()
    assert (await many.show(drafted.id)).state == "ready" and many.listed(drafted.id) == made


async def test_a_list_goes_on_where_it_was_when_its_maker_died(many: Many) -> None:
    made = await many.dead(25)
    drafted = await many.draft(wanted=DeliveryFilter(service="missed-bin"), ids=())
    redo = await many.store.transact(lambda c: bulk.draft(c, _wish(), by="ann"))
    for stage in range(1, 9):
        whole = await many.store.transact(lambda c: bulk.mark(c, redo, batch=4, scan=7))
        assert many.listed(redo) == made[: len(many.listed(redo))], stage
        if whole:
            break
    assert many.listed(redo) == made == many.listed(drafted.id)
    assert await many.store.transact(lambda c: bulk.mark(c, redo))


def _wish() -> bulk.Wish:
    wanted = DeliveryFilter(service="missed-bin")
    return bulk.Wish(kind=OperationKind.REPLAY, wanted=wanted, reason="again", rate=5.0)


async def test_every_item_is_accounted_for_and_every_one_went_once(many: Many) -> None:
    made = await many.dead(30)
    many.put(made[3:5], StepState.DELIVERED)
    operation = await many.started(wanted=DeliveryFilter(service="missed-bin"))
    many.put(made[7:9], StepState.UNCLEAR)
    row = await many.run(operation)
    assert row.state == "done" and row.ended_at is not None
    assert many.counted(operation) == {"delivered": 26, "skipped": 4}
    assert many.ledger == Counter(set(made) - {*made[3:5], *made[7:9]})
    skipped = await many.verbs.items(operation, actor=ANN, state=bulk.ItemState.SKIPPED)
    assert [one.result for one in skipped.items] == ["delivered", "delivered", "unclear", "unclear"]


@pytest.mark.timeout(120)
async def test_two_thousand_with_three_kills_are_neither_repeated_nor_forgotten(many: Many) -> None:
    made = await many.dead(2000)
    drafted = await many.draft()
    many.fuse = killed_at(1)
    with pytest.raises(Killed):
        await many.job.turn()
    many.fuse = lambda point: None
    await many.job.turn()
    await many.verbs.start(drafted.id, actor=ANN)
    for fuse in (3, 7, 11):
        many.fuse = killed_at(fuse)
        with pytest.raises(Killed):
            await many.run(drafted.id)
        many.answer(StepState.DELIVERED)
        assert sum(many.counted(drafted.id).values()) == 2000
    many.fuse = lambda point: None
    assert (await many.run(drafted.id)).state == "done"
    assert many.counted(drafted.id) == {"delivered": 2000} and many.ledger == Counter(made)


async def test_two_jobs_at_once_do_no_harm(many: Many) -> None:
    made = await many.dead(40)
    operation = await many.started()
    one, other = many.job, many.job
    while (await many.show(operation)).state == "running":
        many.pass_time()
        await asyncio.gather(one.turn(), other.turn())
        many.answer(StepState.DELIVERED)
    assert many.ledger == Counter(made) and many.counted(operation) == {"delivered": 40}


async def test_the_first_failure_of_a_canary_stops_it_all(many: Many) -> None:
    await many.dead(20)
    operation = await many.started(canary=3)
    row = await many.run(operation, answer=StepState.DEAD)
    assert (row.state, row.ended_at) == ("paused", None) and "canary" in row.why and WASTE in row.why
    assert many.counted(operation) == {"failed": 3, "pending": 17}


async def test_after_a_canary_that_went_well_the_rest_follows(many: Many) -> None:
    await many.dead(20)
    operation = await many.started(canary=3)
    await many.turn()
    assert len(many.ledger) == 3
    assert (await many.run(operation)).state == "done" and many.counted(operation) == {"delivered": 20}


async def test_a_resume_after_a_canary_sends_another_canary_first(many: Many) -> None:
    await many.dead(20)
    operation = await many.started(canary=2)
    await many.run(operation, answer=StepState.DEAD)
    await many.verbs.resume(operation, actor=ANN)
    await many.turn()
    await many.turn()
    assert many.counted(operation)["delivered"] == 2
    assert (await many.run(operation)).state == "done" and many.counted(operation) == {"delivered": 18, "failed": 2}


async def test_no_more_is_released_than_the_rate_allows(many: Many) -> None:
    await many.dead(30)
    operation = await many.started(rate=8.0)
    for _ in range(3):
        await many.job.turn()
    assert len(many.listed(operation)) - many.counted(operation)["pending"] <= 3
    many.pass_time()
    await many.job.turn()
    assert many.counted(operation)["queued"] <= 3 + 4, "a long stop is not caught up on"


async def test_what_is_away_bounds_what_is_released(many: Many) -> None:
    await many.dead(40)
    operation = await many.started(rate=4.0)
    for _ in range(30):
        many.pass_time()
        await many.job.turn()
    assert many.counted(operation) == {"queued": 10, "pending": 30}


async def test_a_pause_holds_what_is_not_released_and_what_is_goes_on(many: Many) -> None:
    await many.dead(40)
    operation = await many.started(rate=4.0)
    many.pass_time()
    await many.job.turn()
    released = many.counted(operation)["queued"]
    row = await many.verbs.pause(operation, actor=BEN, reason="slow today")
    assert (row.state, row.why) == ("paused", "Paused by ben: slow today")
    for _ in range(3):
        await many.turn()
    assert many.counted(operation) == {"delivered": released, "pending": 40 - released}
    await many.verbs.resume(operation, actor=ANN)
    assert (await many.run(operation)).state == "done"


async def test_a_cancel_takes_nothing_back_and_says_so(many: Many) -> None:
    await many.dead(bulk.BATCH + 50)
    operation = await many.started(rate=8.0)
    many.pass_time()
    await many.job.turn()
    released = many.counted(operation)["queued"]
    row = await many.verbs.cancel(operation, actor=ANN)
    assert row.state == "cancelled" and f"{released} had been released" in row.why and row.ended_at is None
    await many.turn()
    await many.turn()
    assert many.counted(operation) == {"delivered": released, "cancelled": bulk.BATCH + 50 - released}
    assert (await many.show(operation)).ended_at is not None


@pytest.mark.parametrize("verb", ["start", "pause", "resume", "cancel"])
async def test_a_verb_that_does_not_fit_is_refused(many: Many, verb: str) -> None:
    operation = await many.started()
    assert (await many.run(operation)).state == "done"
    with pytest.raises(WrongState):
        await getattr(many.verbs, verb)(operation, actor=BEN)


async def test_a_destination_that_is_not_asked_does_not_hold_the_others(many: Many) -> None:
    made = await many.dead(30)
    operation = await many.started()
    await many.store.transact(lambda c: destinations.pause(c, WASTE, by="ann", reason="their upgrade"))
    for _ in range(3):
        await many.turn()
    assert not many.ledger and (await many.show(operation)).state == "running"
    await many.store.transact(lambda c: destinations.resume(c, WASTE))
    await many.run(operation)
    assert many.ledger == Counter(made)


async def test_an_item_that_is_looked_for_is_not_at_its_end(many: Many) -> None:
    [delivery] = await many.dead(1)
    operation = await many.started()
    await many.job.turn()
    [one] = await claim(many.store)
    await many.store.write(conclude(one, state=StepState.UNCLEAR, after=timedelta(minutes=1), their_reference=None))
    await many.job.turn()
    assert many.counted(operation) == {"queued": 1}
    await many.store.transact(lambda c: deliveries.settle(c, one.step, state=StepState.DELIVERED, reason="found"))
    await many.job.turn()
    assert many.counted(operation) == {"delivered": 1} and one.operation == operation and one.delivery == delivery


async def test_what_failed_again_says_with_what(many: Many) -> None:
    await many.dead(1)
    operation = await many.started()
    await many.job.turn()
    [one] = await claim(many.store)
    await many.store.write(conclude(one, state=StepState.DEAD, fault_code="http_400", their_reference=None))
    await many.job.turn()
    [item] = (await many.verbs.items(operation, actor=ANN)).items
    assert (item.state, item.result, item.attempt) == ("failed", "http_400", one.attempt)


async def tried(many: Many, outcome: str, state: StepState) -> str:
    """A delivery whose one attempt ended so."""
    [delivery] = await many.dead(1, state=StepState.QUEUED)
    [one] = await claim(many.store)
    await many.store.write(conclude(one, state=StepState.UNCLEAR, outcome=outcome, their_reference=None))
    many.put([delivery], state)
    return delivery


@pytest.mark.parametrize("state", [StepState.DEAD, StepState.DISCARDED])
async def test_what_may_be_there_is_set_apart_where_a_repeat_makes_it_twice(many: Many, state: StepState) -> None:
    many.safety = ReplaySafety.UNSAFE
    doubtful = await tried(many, "unclear", state)
    certain = await tried(many, "refused", state)
    operation = await many.started(wanted=DeliveryFilter(state=(state,)))
    await many.run(operation)
    assert set(many.ledger) == {certain} and many.counted(operation) == {"delivered": 1, "skipped": 1}
    [item] = (await many.verbs.items(operation, actor=ANN, state=bulk.ItemState.SKIPPED)).items
    assert (item.delivery, item.result) == (doubtful, "apart")


async def test_the_unsafe_go_only_when_a_second_person_starts_it(many: Many) -> None:
    many.safety = ReplaySafety.UNSAFE
    doubtful = await tried(many, "unclear", StepState.DEAD)
    drafted = await many.draft(include_unsafe=True, by=BEN)
    local = User(id="local", name="local:root", role=Role.ADMIN)
    for who in (BEN, ANN, local):
        with pytest.raises(NotAllowed, match="two people"):
            await many.verbs.start(drafted.id, actor=who)
    row = await many.verbs.start(drafted.id, actor=User(id="c", name="cyd", role=Role.APPROVER))
    assert (row.created_by, row.approved_by) == ("ben", "cyd")
    await many.run(drafted.id)
    assert many.ledger == Counter([doubtful])


async def test_many_are_discarded_with_their_reason(many: Many) -> None:
    made = await many.dead(150)
    operation = await many.started(kind=OperationKind.DISCARD, rate=None, reason="collected by hand")
    row = await many.run(operation)
    assert row.state == "done" and many.counted(operation) == {"discarded": 150}
    view = await many.store.read(lambda c: deliveries.get(c, made[0]))
    assert (view.state, view.reason) == (StepState.DISCARDED, "collected by hand")


async def test_a_replay_acts_on_the_later_steps_of_what_is_delivered(many: Many) -> None:
    [delivery] = await many.dead(1, state=StepState.DELIVERED)
    later = await add_later_step(many, delivery)
    operation = await many.started(wanted=DeliveryFilter(), ids=(delivery,))
    await many.turn()
    await many.turn()
    assert many.counted(operation) == {"delivered": 1}
    [item] = (await many.verbs.items(operation, actor=ANN)).items
    assert item.step == later


async def add_later_step(many: Many, delivery: str) -> str:
    made = uuid7()

    def work(connection: sa.Connection) -> None:
        row = connection.execute(sa.select(tables.step).where(tables.step.c.delivery == delivery)).one()
        values = {**row._asdict(), "id": made, "position": 1, "kind": "attach", "state": "dead"}
        connection.execute(sa.insert(tables.step).values(**values))

    many.store.transact_now(work)
    return made


async def test_every_verb_is_in_the_audit_and_every_item_names_its_operation(many: Many) -> None:
    [delivery] = await many.dead(1)
    operation = await many.started()
    await many.verbs.pause(operation, actor=ANN)
    await many.verbs.resume(operation, actor=BEN)
    await many.run(operation)
    acts = many.store.read_now(lambda c: audit.page(c, subject=operation)).items
    assert [(act.verb, act.actor) for act in reversed(acts)] == [
        ("operation_drafted", "ann"), ("operation_started", "ben"), ("operation_paused", "ann"),
        ("operation_resumed", "ben"),
    ]  # fmt: skip
    [act] = many.store.read_now(lambda c: audit.page(c, subject=delivery)).items
    assert (act.verb, act.actor, act.detail) == ("replay", "ben", {"operation": operation})


async def test_an_operation_reaches_no_other_council(many: Many) -> None:
    await many.dead(3)
    drafted = await many.draft(wanted=DeliveryFilter(councils=("eastvale",)), by=EVE)
    assert (drafted.state, many.listed(drafted.id)) == ("ready", [])
    ours = await many.draft()
    with pytest.raises(NotThere):
        await many.verbs.show(ours.id, actor=EVE)
    with pytest.raises(NotThere):
        await many.verbs.start(ours.id, actor=EVE)
    page = await many.store.read(lambda c: bulk.page(c, councils=["eastvale"]))
    assert [row.id for row in page.items] == [drafted.id]


async def test_ids_that_are_not_there_are_named(many: Many) -> None:
    [delivery] = await many.dead(1)
    with pytest.raises(Invalid) as refused:
        await many.draft(wanted=DeliveryFilter(), ids=(delivery, "01936d2a-7b5c-7def-8abc-0123456789ab"))
    assert [pointer for pointer, _ in refused.value.faults] == ["#/filter/ids/1"]


async def test_who_may_only_look_drafts_nothing(many: Many) -> None:
    with pytest.raises(NotAllowed, match="operator"):
        await many.draft(by=User(id="v", name="vic", role=Role.VIEWER))


async def test_the_job_has_nothing_to_do_when_all_is_done(many: Many) -> None:
    await many.dead(1)
    assert not await many.job.wanted()
    operation = await many.started(wanted=ALL_DEAD)
    assert await many.job.wanted()
    await many.run(operation)
    assert not await many.job.wanted() and not await many.job.turn()


async def test_the_job_is_kept_until_there_is_nothing_left(many: Many) -> None:
    await many.dead(5)
    operation = await many.started()

    async def office() -> None:
        while (await many.show(operation)).state == "running":
            many.answer(StepState.DELIVERED)
            await asyncio.sleep(0.05)

    await asyncio.gather(office(), many.job.run())
    assert many.counted(operation) == {"delivered": 5}
