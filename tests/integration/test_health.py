"""What one process hears of a system, and what it does about it: breakers, pauses, and how both end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from pydantic import BaseModel

from hub.connector import Delivery, Health, Http, Misconfigured, Operation, Receipt, Refused, Unavailable
from hub.core.breaker import Evidence
from hub.council import Destination
from hub.dispatch.doubt import Doubts
from hub.dispatch.health import Pulse
from hub.dispatch.pool import ConnectorPool
from hub.store import breakers, destinations, tables
from hub.store.engine import database_now
from hub.store.ids import uuid7
from hub.store.store import Store
from tests.stores import HASHER, SEALER, WASTE

WELL, SICK, NEUTRAL = Evidence.WELL, Evidence.SICK, Evidence.NEUTRAL
BOOK = "BookJob"


@dataclass
class Felt:
    """A pulse, and what it wrote into the destination's row."""

    pulse: Pulse
    store: Store

    async def hears(self, *evidence: Evidence, call: str | None = BOOK, **how: Any) -> bool:
        return [await self.pulse.heard(WASTE, call, each, **how) for each in evidence][-1]

    @property
    def row(self) -> Any:
        return self.store.transact_now(lambda c: destinations.get(c, WASTE))

    def probing(self, step: str) -> None:
        def work(connection: sa.Connection) -> None:
            until = database_now(connection) + timedelta(minutes=1)
            breakers.started_probe(connection, WASTE, BOOK, step=step, until=until)

        self.store.transact_now(work)


@pytest.fixture
def felt(store: Store) -> Felt:
    return Felt(Pulse(store=store, dice=lambda: 0.5), store)


async def test_ten_sick_results_open_the_breaker_of_that_operation(felt: Felt) -> None:
    await felt.hears(*[SICK] * 9)
    assert felt.row.breaker == "closed"
    await felt.hears(SICK)
    assert felt.row.breaker == "open" and set(felt.row.breaker_counts) == {BOOK}


async def test_while_all_is_well_nothing_is_written(felt: Felt) -> None:
    felt.store.close()
    assert not await felt.hears(*[WELL] * 100, *[NEUTRAL] * 100)


async def test_results_of_one_operation_say_nothing_of_another(felt: Felt) -> None:
    await felt.hears(*[SICK] * 5)
    await felt.hears(*[SICK] * 5, call=None)
    assert felt.row.breaker == "closed"


async def test_a_row_from_before_operations_counts_as_a_create(felt: Felt) -> None:
    await felt.hears(*[SICK] * 10, call=None)
    assert set(felt.row.breaker_counts) == {"create"}


async def test_with_the_breaker_off_it_never_opens_but_a_retry_after_is_kept(felt: Felt) -> None:
    await felt.hears(*[SICK] * 50, on=False)
    assert felt.row.breaker == "closed"
    await felt.hears(SICK, asked=timedelta(seconds=30), on=False)
    assert felt.row.breaker == "open"


async def test_a_retry_after_opens_it_at_once(felt: Felt) -> None:
    await felt.hears(SICK, asked=timedelta(seconds=30))
    left = felt.row.breaker_until - felt.store.transact_now(database_now)
    assert timedelta(seconds=20) < left <= timedelta(seconds=30)


async def test_good_probes_close_it_and_say_that_there_is_more_to_claim(felt: Felt) -> None:
    await felt.hears(*[SICK] * 10)
    for step in ("one", "two"):
        felt.probing(step)
        assert await felt.hears(WELL, probe=step)
    assert felt.row.breaker == "closed"


async def test_a_sick_probe_opens_it_again_with_nothing_to_claim(felt: Felt) -> None:
    await felt.hears(*[SICK] * 10)
    felt.probing("one")
    assert not await felt.hears(SICK, probe="one")
    assert felt.row.breaker_counts[BOOK]["trips"] == 2


async def test_a_probe_is_heard_although_the_breaker_was_switched_off_meanwhile(felt: Felt) -> None:
    await felt.hears(*[SICK] * 10)
    felt.probing("one")
    assert await felt.hears(NEUTRAL, probe="one", on=False)
    assert "probe" not in felt.row.breaker_counts[BOOK]


async def test_a_store_that_is_away_harms_no_attempt() -> None:
    away = Store("postgresql+psycopg://nobody@127.0.0.1:9/none", sealer=SEALER, hasher=HASHER)
    pulse = Pulse(store=away, dice=lambda: 0.5)
    assert not await pulse.heard(WASTE, BOOK, SICK, asked=timedelta(seconds=9))
    away.close()


class Nothing(BaseModel):
    pass


@dataclass
class Key:
    """Whether the pretend product takes our key, or can be reached at all."""

    health: Health | Exception | None = None
    during: Callable[[], object] | None = None


def product(key: Key) -> type[Any]:
    class Plain:
        """A product without a check."""

        name: ClassVar[str] = "plain"
        simulator: ClassVar[str] = ""
        Settings: ClassVar[type[BaseModel]] = Nothing
        operations: ClassVar[dict[str, Operation]] = {BOOK: Operation(Nothing)}

        def __init__(self, settings: Nothing, http: Http) -> None: ...

        async def create(self, record: Nothing, delivery: Delivery) -> Receipt:
            return Receipt()

    class Checked(Plain):
        async def check(self) -> Health:
            if key.during is not None:
                key.during()
            if isinstance(key.health, Exception):
                raise key.health
            assert key.health is not None
            return key.health

    return Plain if key.health is None else Checked


@dataclass
class Doubted:
    doubts: Doubts
    destination: Destination
    store: Store

    async def pause(self) -> None:
        await self.doubts.pause(WASTE, Misconfigured(code="http_401"))

    async def probe(self) -> bool:
        return await self.doubts.probe(self.destination)

    async def settle(self) -> Exception:
        suspect = Misconfigured(code="http_403", suspect=True)
        return await self.doubts.settle(self.destination, suspect, submission=uuid7())

    @property
    def row(self) -> Any:
        return self.store.transact_now(lambda c: destinations.get(c, WASTE))


def doubted(store: Store, key: Key) -> Doubted:
    connector = product(key)
    pool = ConnectorPool(secrets=str)
    council, _, name = WASTE.partition("/")
    destination = Destination(council=council, name=name, connector="plain", connector_class=connector, settings={})
    return Doubted(Doubts(store=store, pool=pool), destination, store)


@pytest.mark.parametrize(
    ("health", "lifted"), [(Health(ok=True), True), (Health(ok=False), False), (Unavailable(), False)]
)
async def test_a_pause_of_the_hub_ends_with_a_check_that_passes(
    store: Store, health: Health | Exception, lifted: bool
) -> None:
    here = doubted(store, Key(health))
    await here.pause()
    assert await here.probe() is lifted
    assert (here.row.paused_at is None) is lifted


async def test_whoever_asked_a_passing_check_lifts_the_hubs_pause(store: Store) -> None:
    here = doubted(store, Key(Health(ok=True)))
    await here.pause()
    assert isinstance(await here.settle(), Refused)
    assert here.row.paused_at is None


async def test_a_person_who_pauses_while_it_is_asked_keeps_the_pause(store: Store) -> None:
    key = Key(Health(ok=True))
    here = doubted(store, key)
    await here.pause()
    key.during = lambda: store.transact_now(lambda c: destinations.pause(c, WASTE, by="jo", reason="works"))
    await here.probe()
    assert here.row.paused_by == "jo"


async def test_without_a_check_one_delivery_finds_out_and_the_next_suspect_answer_pauses_again(store: Store) -> None:
    here = doubted(store, Key())
    for _ in range(3):
        told = await here.settle()
    assert isinstance(told, Misconfigured)
    await here.pause()
    assert await here.probe()
    health = breakers.admissible(here.row, now=store.transact_now(database_now))
    assert here.row.paused_at is None and health.probes == {BOOK, "create"}
    assert isinstance(await here.settle(), Misconfigured)


async def test_only_due_pauses_of_the_hub_are_probed(store: Store) -> None:
    here = doubted(store, Key(Health(ok=True)))
    await here.pause()
    assert store.transact_now(destinations.to_probe) == []
    due = sa.update(tables.destination).values(probe_at=tables.destination.c.paused_at)
    store.transact_now(lambda c: c.execute(due))
    assert store.transact_now(destinations.to_probe) == [WASTE]
    assert store.transact_now(destinations.to_probe) == []
