"""What is said of a case afterwards goes after the create, and in order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
import sqlalchemy as sa

from hub.core.lifecycle import waiting
from hub.errors import WrongState
from hub.model import DeliveryKind, Role, StepKind, StepState, User
from hub.operations import Operations
from hub.store import follow_ups, leases, submissions, tables
from hub.store.accept import Accepted
from hub.store.attempts import Sending, Took
from hub.store.follow_ups import FollowUp
from hub.store.ids import uuid7
from hub.store.store import Store
from hub.store.submissions import DeliveryView
from tests.stores import FRONT_END, SEALER, accept, claim, conclude, terms

STAFF = User(id="u", name="tester", role=Role.ADMIN)


async def say(store: Store, about: Accepted) -> Sequence[str]:
    new = uuid7()
    follow_up = FollowUp(
        id=new, submission=about.id, front_end=FRONT_END, kind=StepKind.UPDATE,
        body=SEALER.seal(b'{"text": "still there"}', place=follow_ups.place(new)),
    )  # fmt: skip
    return (await store.transact(lambda connection: follow_ups.add(connection, follow_up))).deliveries


async def views(store: Store, about: Accepted) -> list[DeliveryView]:
    return list((await store.read(lambda connection: submissions.status(connection, about.id))).deliveries)


async def test_a_follow_up_waits_for_its_case_and_those_before_it(store: Store) -> None:
    taken = await store.write(accept())
    first, second = (await say(store, taken))[0], (await say(store, taken))[0]
    order = []
    while claimed := await claim(store):
        assert len(claimed) == 1
        order.append(claimed[0].delivery)
        await store.write(conclude(claimed[0], create=claimed[0].kind is StepKind.CREATE))
    assert order[1:] == [first, second] and len(order) == 3


async def test_one_that_comes_after_the_case_is_delivered_goes_at_once(store: Store) -> None:
    taken = await store.write(accept())
    await store.write(conclude((await claim(store))[0]))
    made = await say(store, taken)
    assert [one.delivery for one in await claim(store)] == made


async def test_a_head_that_needs_a_person_holds_its_followers_and_is_named(store: Store) -> None:
    taken = await store.write(accept())
    await say(store, taken)
    await store.write(conclude((await claim(store))[0], state=StepState.DEAD, fault_code="x"))
    follower = next(one for one in await views(store, taken) if one.kind == DeliveryKind.FOLLOW_UP.value)
    why = waiting(
        state=follower.state, due_at=follower.due_at, hold_reason=None, hold_until=None, destination=follower.health,
        now=follower.created_at, ahead=follower.ahead,
    )  # fmt: skip
    assert not await claim(store)
    assert why is not None and why.text == f"Behind {taken.reference}, which needs a person."


async def test_discarding_the_head_discards_its_followers_with_that_reason(store: Store) -> None:
    taken = await store.write(accept())
    await say(store, taken)
    await say(store, taken)
    operations = Operations(store=store, ring=lambda _: None, safety_of=lambda *_: None)  # type: ignore[arg-type, return-value]
    head = next(one for one in await views(store, taken) if one.kind == DeliveryKind.CASE.value)
    await operations.discard(head.id, actor=STAFF, reason="by telephone")
    found = await views(store, taken)
    assert {one.state for one in found} == {StepState.DISCARDED}
    assert all("by telephone" in (one.reason or "") for one in found)


async def test_discarding_a_follow_up_lets_go_on_what_waits_behind_it(store: Store) -> None:
    taken = await store.write(accept())
    first, second = (await say(store, taken))[0], (await say(store, taken))[0]
    await store.write(conclude((await claim(store))[0]))
    await store.write(conclude((await claim(store))[0], state=StepState.DEAD, fault_code="no_block", create=False))
    operations = Operations(store=store, ring=lambda _: None, safety_of=lambda *_: None)  # type: ignore[arg-type, return-value]
    await operations.discard(first, actor=STAFF, reason="told them by telephone")
    assert [one.delivery for one in await claim(store)] == [second]
    told = (await store.read(lambda connection: submissions.status(connection, taken.id))).updates
    assert [one["status"] for one in told] == ["accepted", "delivered"]


async def test_one_that_is_discarded_while_it_waits_leaves_the_others_behind_what_it_waited_for(store: Store) -> None:
    taken = await store.write(accept())
    first, second, third = [(await say(store, taken))[0] for _ in range(3)]
    operations = Operations(store=store, ring=lambda _: None, safety_of=lambda *_: None)  # type: ignore[arg-type, return-value]
    for gone in (first, second):
        await operations.discard(gone, actor=STAFF, reason="told them by telephone")
    assert [one.kind for one in await claim(store)] == [StepKind.CREATE]
    left = next(one for one in await views(store, taken) if one.id == third)
    assert left.ahead is not None and left.ahead.our_reference == taken.reference


async def test_a_follow_up_has_no_second_case(store: Store) -> None:
    taken = await store.write(accept())
    made = (await say(store, taken))[0]
    for _ in range(2):
        await store.write(conclude((await claim(store))[0]))
    operations = Operations(store=store, ring=lambda _: None, safety_of=lambda *_: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(WrongState, match="further update"):
        await operations.replay(made, actor=STAFF, reason="again", new_case=True)


async def test_each_part_of_a_split_is_a_case_of_its_own(store: Store) -> None:
    taken = await store.write(accept(parts=2))
    await say(store, taken)
    first = (await claim(store))[0]
    await store.write(conclude(first))
    kinds = sorted(one.kind for one in await claim(store))
    assert kinds == [StepKind.UPDATE]  # of the part that is there; the other part is still away


async def test_a_follow_up_never_changes_the_status_of_its_submission(store: Store) -> None:
    taken = await store.write(accept())
    await store.write(conclude((await claim(store))[0]))
    await say(store, taken)
    view = await store.read(lambda connection: submissions.status(connection, taken.id))
    assert (view.status, view.final) == ("delivered", True)


async def test_what_the_product_said_it_has_is_delivered_though_its_worker_is_gone(store: Store) -> None:
    taken = await store.write(accept())
    one = (await claim(store, on=terms(lease=timedelta(seconds=-1))))[0]
    await store.write(Sending(attempt=one.attempt, step=one.step, token=one.token))
    await store.write(Took(attempt=one.attempt, took=b"sealed"))
    found = await store.transact(
        lambda connection: leases.recover(
            connection, mine=uuid7(), silence=timedelta(seconds=1), settle_of=lambda _: timedelta(0)
        )
    )
    step = tables.step.c
    rows = await store.read(
        lambda c: c.execute(sa.select(step.kind, step.state).where(step.submission == taken.id)).all()
    )
    assert found.delivered == 1
    assert sorted(map(tuple, rows)) == [("create", "delivered"), ("number", "queued")]
