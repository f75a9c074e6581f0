"""The verbs of staff: what each state allows, who may, and that it is written down who did."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from hub.errors import NotAllowed, NotThere, WrongState
from hub.model import ReplaySafety, Role, StepState, User
from hub.operations import Operations
from hub.store import audit, deliveries
from hub.store.store import Store
from tests.stores import accept, claim, conclude

ANN = User(id="a", name="ann", role=Role.OPERATOR)
BEN = User(id="b", name="ben", role=Role.APPROVER)
ELSEWHERE = User(id="e", name="eve", role=Role.ADMIN, councils=frozenset({"eastvale"}))


def verbs(store: Store, *, safety: ReplaySafety = ReplaySafety.UNSAFE) -> Operations:
    return Operations(store=store, ring=lambda _: None, safety_of=lambda *_: safety)


async def made(store: Store, state: StepState) -> str:
    """A delivery in that state."""
    await store.write(accept())
    if state is StepState.QUEUED:
        return (await store.read(lambda c: deliveries.page(c, deliveries.DeliveryFilter()))).items[0].id
    [one] = await claim(store)
    if state is StepState.DISCARDED:
        await store.write(conclude(one, state=StepState.DEAD))
        await verbs(store).discard(one.delivery, actor=ANN, reason="by phone")
    elif state is not StepState.SENDING:
        await store.write(conclude(one, state=state))
    return one.delivery


def state_of(store: Store, delivery: str) -> deliveries.DeliveryView:
    return store.read_now(lambda c: deliveries.get(c, delivery))


@pytest.mark.parametrize("state", [StepState.DEAD, StepState.QUEUED, StepState.DISCARDED])
async def test_a_replay_queues_it_again_with_all_its_tries(store: Store, state: StepState) -> None:
    delivery = await made(store, state)
    view = (await verbs(store).replay(delivery, actor=ANN, reason="mended")).delivery
    assert (view.state, view.attempts_used) == (StepState.QUEUED, 0)
    assert view.due_at is not None and view.due_at <= datetime.now(UTC)


@pytest.mark.parametrize("state", [StepState.UNCLEAR, StepState.SENDING, StepState.DELIVERED])
async def test_what_may_be_there_already_is_not_replayed(store: Store, state: StepState) -> None:
    delivery = await made(store, state)
    with pytest.raises(WrongState):
        await verbs(store).replay(delivery, actor=ANN, reason="again")
    assert state_of(store, delivery).state is state


async def test_what_was_discarded_comes_back_only_with_a_reason(store: Store) -> None:
    delivery = await made(store, StepState.DISCARDED)
    with pytest.raises(WrongState, match="reason"):
        await verbs(store).replay(delivery, actor=ANN)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [("delivered", StepState.DELIVERED), ("not_there", StepState.QUEUED), ("discard", StepState.DISCARDED)],
)
async def test_a_person_settles_a_doubt(store: Store, outcome: str, state: StepState) -> None:
    delivery = await made(store, StepState.UNCLEAR)
    done = await verbs(store).resolve(delivery, outcome=outcome, actor=ANN, reason="looked", reference="WS-9")  # type: ignore[arg-type]
    assert done.delivery.state is state
    assert (done.delivery.reference == "WS-9") is (outcome == "delivered")


async def test_a_second_case_where_a_repeat_is_unsafe_takes_two_people(store: Store) -> None:
    delivery, operations = await made(store, StepState.DELIVERED), verbs(store)
    for who in (ANN, ANN):
        with pytest.raises(WrongState, match="two people"):
            await operations.replay(delivery, actor=who, reason="lost at the depot", new_case=True)
    second = (await operations.replay(delivery, actor=BEN, reason="agreed", new_case=True)).delivery
    first = state_of(store, delivery)
    assert (first.state, second.state) == (StepState.DELIVERED, StepState.QUEUED)
    assert second.our_reference == f"{first.our_reference}-r2"


async def test_every_further_case_takes_two_people_again_and_has_a_number_of_its_own(store: Store) -> None:
    delivery, operations = await made(store, StepState.DELIVERED), verbs(store)
    numbers = []
    for _ in range(3):
        for who in (BEN, ANN):
            with pytest.raises(WrongState, match="two people"):
                await operations.replay(delivery, actor=who, reason="lost at the depot", new_case=True)
        again = (await operations.replay(delivery, actor=BEN, reason="agreed", new_case=True)).delivery
        numbers.append(again.our_reference.rpartition("-")[2])
    assert numbers == ["r2", "r3", "r4"]


async def test_two_who_ask_for_a_further_case_at_once_get_two(store: Store) -> None:
    delivery = await made(store, StepState.DELIVERED)
    operations = verbs(store, safety=ReplaySafety.IDEMPOTENT)
    wishes = (operations.replay(delivery, actor=who, reason="lost", new_case=True) for who in (ANN, BEN) * 3)
    done = await asyncio.gather(*wishes)
    assert sorted(each.delivery.our_reference[-2:] for each in done) == ["r2", "r3", "r4", "r5", "r6", "r7"]


async def test_one_approver_alone_is_not_two_people(store: Store) -> None:
    delivery, operations = await made(store, StepState.DELIVERED), verbs(store)
    for _ in range(2):
        with pytest.raises(WrongState, match="two people"):
            await operations.replay(delivery, actor=BEN, reason="lost", new_case=True)


async def test_a_second_case_where_a_repeat_is_harmless_takes_one(store: Store) -> None:
    delivery = await made(store, StepState.DELIVERED)
    operations = verbs(store, safety=ReplaySafety.IDEMPOTENT)
    assert (await operations.replay(delivery, actor=ANN, reason="lost", new_case=True)).delivery.id != delivery


async def test_who_may_only_look_may_not_act(store: Store) -> None:
    delivery = await made(store, StepState.DEAD)
    with pytest.raises(NotAllowed, match="operator"):
        await verbs(store).replay(delivery, actor=User(id="v", name="vic", role=Role.VIEWER))


async def test_another_councils_delivery_is_not_there(store: Store) -> None:
    delivery = await made(store, StepState.DEAD)
    with pytest.raises(NotThere):
        await verbs(store).discard(delivery, actor=ELSEWHERE, reason="tidy")


async def test_every_act_is_in_the_audit(store: Store) -> None:
    delivery = await made(store, StepState.DEAD)
    await verbs(store).discard(delivery, actor=ANN, reason="by phone")
    [act] = store.read_now(lambda c: audit.page(c, subject=delivery)).items
    assert (act.actor, act.verb, act.reason, act.council) == ("ann", "discard", "by phone", "northborough")
