"""What the hub holds is held against what the councils' systems have."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from hub.assembly import Hub
from hub.connector.testing import Running
from hub.core.reconciling import Line
from hub.dispatch.pace import Pacer
from hub.dispatch.pool import ConnectorPool
from hub.dispatch.reconcile import Account, Reconciler
from hub.store import destinations, tables
from hub.store.reconcile import Scope
from tests.places import Place, is_at_rest, offices_of, place_in, standing, until


@asynccontextmanager
async def delivered(place: Place, **numbers: int) -> AsyncIterator[tuple[Hub, dict[str, list[str]]]]:
    """A hub that has delivered so many to each; our references."""
    async with place.hub() as hub:
        told = {kind: [await place.publish(hub, kind) for _ in range(number)] for kind, number in numbers.items()}
        await until(lambda: all(map(is_at_rest, standing(hub.core.store).values())))
        yield hub, told


async def reconciled(hub: Hub, *, lookup: bool = True, **scope: str) -> Account:
    now = datetime.now(UTC)
    pool = ConnectorPool(secrets=str, pace=Pacer(store=hub.core.store).of)
    try:
        reconciler = Reconciler(
            store=hub.core.store, councils=hub.core.councils(), pool=pool, clock=lambda: now, lookup=lookup
        )
        return await reconciler.run(Scope(since=now - timedelta(hours=1), until=now + timedelta(minutes=5), **scope))
    finally:
        await pool.close()


def counts(line: Line) -> dict[str, int]:
    """What is not nothing."""
    return {name: number for name, number in line.as_dict().items() if number}


def said(account: Account) -> list[tuple[str, str, str | None]]:
    return sorted((one.finding.value, one.reference, one.there) for one in account.said)


async def hold(hub: Hub, reference: str, **step: object) -> None:
    """Make the hub hold this delivery in another state than it is."""
    row = standing(hub.core.store)[reference]
    change = sa.update(tables.step).where(tables.step.c.id == row.id).values(**step)
    await hub.core.store.transact(lambda c: c.execute(change))


@pytest.fixture(scope="module")
def offices() -> Iterator[dict[str, Running]]:
    with offices_of("idempotent", "lookup", "listing", "unsafe") as spawned:
        yield spawned


@pytest.fixture
def place(tmp_path: Path, offices: dict[str, Running]) -> Place:
    return fresh(tmp_path, f"sqlite:///{tmp_path / 'hub.db'}", offices)


@pytest.fixture
def either(tmp_path: Path, database_url: str, offices: dict[str, Running]) -> Place:
    """A place on each of the databases."""
    return fresh(tmp_path, database_url, offices)


def fresh(folder: Path, database_url: str, offices: dict[str, Running]) -> Place:
    for office in offices.values():
        office.reset()
    return place_in(folder, database_url, offices)


async def test_what_was_delivered_is_confirmed_where_the_system_can_be_asked(either: Place) -> None:
    async with delivered(either, idempotent=2, lookup=2, listing=2, unsafe=2) as (hub, _):
        account = await reconciled(hub)
    assert counts(account.total()) == {
        "submissions": 8, "accepted": 8, "delivered": 8, "confirmed": 6, "unknown": 2,
    }  # fmt: skip
    assert {name: asked.how for name, asked in account.asked.items()} == {
        "northborough/idempotent": "find", "northborough/lookup": "find", "northborough/listing": "listing",
        "northborough/unsafe": "none",
    }  # fmt: skip
    assert account.total().adds_up and not account.said


async def test_it_is_told_by_council_service_and_london_day(place: Place) -> None:
    async with delivered(place, lookup=1) as (hub, (*_,)):
        account = await reconciled(hub)
    ((council, service, day),) = account.lines
    assert (council, service) == ("northborough", "missed-bin")
    assert abs(day - datetime.now(UTC).date()) <= timedelta(days=1)


async def test_a_case_that_is_gone_is_missing(place: Place) -> None:
    async with delivered(place, lookup=1, listing=1) as (hub, told):
        for kind in told:
            place.offices[kind].forget()
        account = await reconciled(hub)
    assert counts(account.total())["missing"] == 2
    assert said(account) == sorted(("missing", ours, None) for (ours,) in told.values())


async def test_a_case_under_another_reference_is_missing_and_says_which(place: Place) -> None:
    async with delivered(place, lookup=1, listing=1) as (hub, told):
        theirs = {}
        for kind, (ours,) in told.items():
            place.offices[kind].forget()
            theirs[ours] = place.file(kind, ours)
        account = await reconciled(hub)
    assert said(account) == sorted(("missing", ours, there) for ours, there in theirs.items())


async def test_a_second_case_under_one_reference_is_extra(place: Place) -> None:
    async with delivered(place, listing=2) as (hub, told):
        there = place.file("listing", told["listing"][0])
        account = await reconciled(hub)
    assert counts(account.total())["confirmed"] == 2
    assert said(account) == [("extra", told["listing"][0], there)]


@pytest.mark.parametrize("state", ["dead", "discarded", "queued"])
async def test_a_case_that_the_hub_does_not_hold_as_delivered_is_extra(place: Place, state: str) -> None:
    async with delivered(place, lookup=1, listing=1) as (hub, told):
        for (ours,) in told.values():
            await hold(hub, ours, state=state, due_at=None)
        account = await reconciled(hub)
    assert counts(account.total())["extra"] == 2
    assert {finding for finding, *_ in said(account)} == {"extra"}


async def test_a_case_of_our_form_that_the_hub_never_heard_of_is_extra(either: Place) -> None:
    async with delivered(either, listing=1) as (hub, _):
        there = either.file("listing", "ABCD-EFGH")
        either.file("listing", "typed by hand")
        account = await reconciled(hub)
    assert said(account) == [("extra", "ABCD-EFGH", there)]


async def test_a_case_of_another_service_or_day_is_no_stranger(place: Place) -> None:
    async with delivered(place, listing=1) as (hub, _):
        account = await reconciled(hub, service="complaint")
    assert counts(account.total()) == {} and not account.said


async def test_a_system_that_does_not_answer_is_told_and_the_rest_goes_on(place: Place) -> None:
    async with delivered(place, lookup=8, idempotent=1) as (hub, _):
        place.offices["lookup"].behave("unavailable", at="read")
        account = await reconciled(hub)
    assert counts(account.total()) == {
        "submissions": 9, "accepted": 9, "delivered": 9, "confirmed": 1, "unknown": 8,
    }  # fmt: skip
    away = account.asked["northborough/lookup"]
    assert away.code == "http_503" and away.looks < 10, "it is not asked for ever"


async def test_one_that_is_paused_is_left_alone(place: Place) -> None:
    async with delivered(place, lookup=1) as (hub, _):
        await hub.core.store.transact(lambda c: destinations.pause(c, "northborough/lookup", by="ann", reason="works"))
        account = await reconciled(hub)
    assert (account.asked["northborough/lookup"].code, counts(account.total())["unknown"]) == ("paused", 1)


async def test_without_a_lookup_nobody_is_asked(place: Place) -> None:
    async with delivered(place, lookup=1) as (hub, _):
        account = await reconciled(hub, lookup=False)
    assert counts(account.total()) == {"submissions": 1, "accepted": 1, "delivered": 1, "unknown": 1}
    assert not account.asked


async def test_what_waits_or_is_a_persons_is_counted_so(either: Place) -> None:
    async with delivered(either, unsafe=4) as (hub, told):
        person, waits, looked_for, gone = told["unsafe"]
        later = datetime.now(UTC) + timedelta(days=1)
        await hold(hub, person, state="unclear", due_at=None)
        await hold(hub, waits, state="queued", due_at=later)
        await hold(hub, looked_for, state="unclear", due_at=later)
        await hold(hub, gone, state="discarded")
        account = await reconciled(hub)
    assert counts(account.total()) == {
        "submissions": 4, "accepted": 4, "needs_person": 1, "waiting": 2, "discarded": 1,
    }  # fmt: skip


async def test_one_that_nobody_would_ever_look_at_is_unexplained(place: Place) -> None:
    async with delivered(place, unsafe=1) as (hub, told):
        row = standing(hub.core.store)[told["unsafe"][0]]

        def lose(c: sa.Connection) -> None:
            c.execute(sa.delete(tables.attempt).where(tables.attempt.c.step == row.id))
            c.execute(sa.delete(tables.step).where(tables.step.c.id == row.id))

        await hub.core.store.transact(lose)
        account = await reconciled(hub)
    assert not account.total().adds_up
    assert said(account) == [("unexplained", told["unsafe"][0], None)]
