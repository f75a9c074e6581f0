"""What becomes of a create that nobody is sure of, by what its product can be asked."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.connector import Misconfigured, ReplaySafety, Unavailable
from hub.errors import WrongState
from hub.model import Role, StepState, User
from hub.store import deliveries
from tests.integration.rehearsal import Desk, desk_product
from tests.integration.test_dispatch import Bench, bench

STAFF = User(id="u", name="tester", role=Role.ADMIN)
LOOKUP, LISTING = ReplaySafety.LOOKUP, ReplaySafety.LISTING


async def triggers(here: Bench, delivery: str) -> list[str]:
    return [one.trigger for one in await here.store.read(lambda c: deliveries.attempts(c, delivery))]


@pytest.mark.parametrize(("safety", "verb"), [(LOOKUP, "find"), (LISTING, "changes")])
async def test_what_was_taken_is_found_and_never_sent_again(tmp_path: Path, safety: ReplaySafety, verb: str) -> None:
    desk = Desk()
    async with bench(tmp_path, desk_product(desk, safety=safety, verbs=(verb,))) as here:
        view = await here.until(await here.publish(), StepState.DELIVERED)
        told = await triggers(here, view.id)
    assert (view.reference, view.attempts, len(desk.creates)) == ("C-1", 1, 1)
    assert told == ["auto", "resolver"]


async def test_what_is_not_there_is_sent_again_after_two_looks_that_count(tmp_path: Path) -> None:
    desk = Desk(takes=False)

    def has(ours: str) -> str | None:
        desk.looks.append(ours)
        desk.answers = len(desk.looks) >= 2
        return None

    desk.has = has  # type: ignore[method-assign]
    async with bench(tmp_path, desk_product(desk, safety=LOOKUP, verbs=("find",))) as here:
        view = await here.until(await here.publish(), StepState.DELIVERED)
    assert (len(desk.creates), view.attempts) == (2, 2)
    assert len(set(desk.creates)) == 1 and len(desk.looks) >= 2


async def test_a_look_before_it_is_settled_proves_nothing(tmp_path: Path) -> None:
    """The case turns up two seconds late, and the destination says that it may take three."""
    desk = Desk(seen_from=datetime.now(UTC) + timedelta(seconds=2.5))
    async with bench(tmp_path, desk_product(desk, safety=LOOKUP, verbs=("find",)), settle="4s") as here:
        view = await here.until(await here.publish(), StepState.DELIVERED)
    assert len(desk.creates) == 1 and len(desk.looks) >= 2
    assert view.reference == "C-1"


async def test_an_unsafe_one_waits_for_a_person_with_nothing_sent(tmp_path: Path) -> None:
    desk = Desk()
    async with bench(tmp_path, desk_product(desk, safety=ReplaySafety.UNSAFE)) as here:
        view = await here.until(await here.publish(), StepState.UNCLEAR)
        await asyncio.sleep(1.5)
        with pytest.raises(WrongState, match="resolve it first"):
            await here.hub.operations.replay(view.id, actor=STAFF, reason="again")
        still = await here.delivery(view.submission)
    assert (still.state, still.due_at, len(desk.creates)) == (StepState.UNCLEAR, None, 1)


async def test_lookup_that_nobody_can_make_counts_as_unsafe(tmp_path: Path) -> None:
    desk = Desk()
    async with bench(tmp_path, desk_product(desk, safety=LOOKUP)) as here:
        view = await here.until(await here.publish(), StepState.UNCLEAR)
    assert view.due_at is None


@pytest.mark.parametrize("failure", [Unavailable(code="http_503"), KeyError("no items"), TimeoutError()])
async def test_a_look_that_fails_says_nothing_and_is_made_again(tmp_path: Path, failure: Exception) -> None:
    desk = Desk(failures=[failure])
    async with bench(tmp_path, desk_product(desk, safety=LOOKUP, verbs=("find",))) as here:
        view = await here.until(await here.publish(), StepState.DELIVERED)
    assert len(desk.looks) == 2 and len(desk.creates) == 1
    assert view.reference == "C-1"


async def test_a_look_with_a_key_that_is_refused_pauses_the_destination(tmp_path: Path) -> None:
    desk = Desk(failures=[Misconfigured()])
    async with bench(tmp_path, desk_product(desk, safety=LOOKUP, verbs=("find",))) as here:
        submission = await here.publish()
        async with asyncio.timeout(20):
            while not (view := await here.delivery(submission)).health.paused:
                await asyncio.sleep(0.05)
    assert (view.state, len(desk.creates)) == (StepState.UNCLEAR, 1)


async def test_what_a_person_says_stands_while_it_is_looked_for(tmp_path: Path) -> None:
    desk = Desk(seen_from=datetime.max.replace(tzinfo=UTC))
    async with bench(tmp_path, desk_product(desk, safety=LOOKUP, verbs=("find",)), settle="30s") as here:
        view = await here.until(await here.publish(), StepState.UNCLEAR)
        await here.hub.operations.resolve(
            view.id, outcome="delivered", actor=STAFF, reason="seen there", reference="C-77"
        )
        desk.seen_from = datetime.min.replace(tzinfo=UTC)
        await asyncio.sleep(1.5)
        after = await here.delivery(view.submission)
    assert (after.state, after.reference, len(desk.creates)) == (StepState.DELIVERED, "C-77", 1)


async def test_it_is_dead_once_it_is_certainly_not_there_and_the_ladder_is_over(tmp_path: Path) -> None:
    desk = Desk(takes=False)
    async with bench(tmp_path, desk_product(desk, safety=LOOKUP, verbs=("find",))) as here:
        view = await here.until(await here.publish(), StepState.DEAD)
    assert view.attempts == 3 and len(desk.creates) == 3


async def test_many_doubts_share_their_listings(tmp_path: Path) -> None:
    desk = Desk()
    async with bench(tmp_path, desk_product(desk, safety=LISTING, verbs=("changes",))) as here:
        many = [await here.publish() for _ in range(40)]
        views = [await here.until(one, StepState.DELIVERED) for one in many]
    assert len({view.reference for view in views}) == len(desk.creates) == 40
    assert len(desk.looks) < 40
