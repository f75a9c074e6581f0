"""Breakers in the destination's row: opened once, probed by one, closed for all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from hub.store import breakers, destinations, tables
from hub.store.breakers import Change
from hub.store.engine import database_now
from hub.store.store import Store
from tests.stores import WASTE

T = TypeVar("T")
BOOK, NOTE = "BookJob", "AddNote"


def do(store: Store, work: Callable[[Connection], T]) -> T:
    return store.transact_now(work)


def row(store: Store) -> Any:
    return do(store, lambda c: destinations.get(c, WASTE))


def now(store: Store) -> datetime:
    return do(store, database_now)


def opened(store: Store, call: str = BOOK) -> bool:
    return do(store, lambda c: breakers.trip(c, WASTE, call, dice=0.5)) is not None


def time_passes(store: Store, *, seconds: float = 11) -> None:
    """What was open until in a few seconds may be probed."""

    def work(connection: Connection) -> None:
        known = breakers.circuits_of(destinations.get(connection, WASTE))
        past = database_now(connection) - timedelta(seconds=1)
        told = {call: {**circuit.to_json(), "until": past.isoformat()} for call, circuit in known.items()}
        connection.execute(sa.update(tables.destination).values(breaker_counts=told, breaker_until=past))

    do(store, work)


def admissible(store: Store) -> breakers.Admissible:
    return do(store, lambda c: breakers.admissible(destinations.get(c, WASTE), now=database_now(c)))


def probe(store: Store, step: str = "step", call: str = BOOK, *, lease: float = 60) -> None:
    until = now(store) + timedelta(seconds=lease)
    do(store, lambda c: breakers.started_probe(c, WASTE, call, step=step, until=until))


def ended(
    store: Store, *, well: bool | None, step: str = "step", call: str = BOOK, asked: timedelta | None = None
) -> Change | None:
    return do(store, lambda c: breakers.probe_ended(c, WASTE, call, step=step, well=well, dice=0.5, asked=asked))


def test_a_well_destination_is_free_for_every_operation(store: Store) -> None:
    assert admissible(store) == breakers.Admissible()


def test_an_open_breaker_blocks_its_operation_and_no_other(store: Store) -> None:
    opened(store)
    told = admissible(store)
    assert (told.blocked, told.probes) == ({BOOK}, frozenset())
    assert told.again_at == row(store).breaker_until and row(store).breaker == "open"


def test_it_opens_once_however_many_workers_see_it(store: Store) -> None:
    assert [opened(store), opened(store)] == [True, False]


def test_when_its_time_is_over_one_step_may_find_out(store: Store) -> None:
    opened(store)
    time_passes(store)
    assert admissible(store).probes == {BOOK}
    probe(store)
    assert admissible(store).blocked == {BOOK} and row(store).breaker == "half_open"


def test_two_good_probes_close_it_and_nothing_is_kept(store: Store) -> None:
    opened(store)
    time_passes(store)
    for step, change in (("one", Change.FREED), ("two", Change.CLOSED)):
        probe(store, step)
        assert ended(store, well=True, step=step) is change
    assert (row(store).breaker, row(store).breaker_counts, row(store).breaker_until) == ("closed", None, None)


def test_a_sick_probe_opens_it_for_twice_as_long(store: Store) -> None:
    opened(store)
    time_passes(store)
    probe(store)
    before = now(store)
    assert ended(store, well=False) is Change.OPENED
    assert row(store).breaker_until - before == pytest.approx(timedelta(seconds=20), abs=timedelta(seconds=2))


def test_a_probe_that_shows_nothing_makes_room_for_another(store: Store) -> None:
    opened(store)
    time_passes(store)
    probe(store)
    assert ended(store, well=None) is Change.FREED
    assert admissible(store).probes == {BOOK}


def test_a_dead_workers_probe_is_void_and_its_late_answer_counts_nothing(store: Store) -> None:
    opened(store)
    time_passes(store)
    probe(store, "dead", lease=-1)
    assert admissible(store).probes == {BOOK}
    probe(store, "next")
    assert ended(store, well=False, step="dead") is None
    assert admissible(store).blocked == {BOOK}


def test_evidence_of_what_was_under_way_does_not_disturb_a_probe(store: Store) -> None:
    opened(store)
    time_passes(store)
    probe(store)
    assert not opened(store)
    assert ended(store, well=True) is Change.FREED


def test_a_retry_after_blocks_until_then_and_is_probed_after(store: Store) -> None:
    asked = timedelta(seconds=30)
    do(store, lambda c: breakers.ask_to_wait(c, WASTE, BOOK, wait=asked, probes=True))
    assert row(store).breaker_until - now(store) == pytest.approx(asked, abs=timedelta(seconds=2))
    time_passes(store)
    assert admissible(store).probes == {BOOK}


def test_with_the_breaker_off_a_retry_after_is_over_by_itself(store: Store) -> None:
    do(store, lambda c: breakers.ask_to_wait(c, WASTE, BOOK, wait=timedelta(seconds=30), probes=False))
    assert admissible(store).blocked == {BOOK}
    time_passes(store)
    assert admissible(store) == breakers.Admissible()
    do(store, breakers.tidy)
    assert row(store).breaker == "closed"


def test_tidying_leaves_what_still_has_to_be_probed(store: Store) -> None:
    opened(store)
    time_passes(store)
    do(store, breakers.tidy)
    assert row(store).breaker == "open"


def test_the_row_shows_the_worst_and_the_first_that_may_go(store: Store) -> None:
    opened(store, BOOK)
    time_passes(store)
    probe(store)
    opened(store, NOTE)
    told = row(store)
    assert told.breaker == "open"
    health = destinations.health_of(told, name=WASTE, call=NOTE)
    assert health.breaker_until == told.breaker_until == breakers.waits_until(told, NOTE)


def test_closing_by_hand_forgets_one_operation_or_all(store: Store) -> None:
    for call in (BOOK, NOTE):
        opened(store, call)
    do(store, lambda c: breakers.close(c, WASTE, BOOK))
    assert admissible(store).blocked == {NOTE}
    do(store, lambda c: breakers.close(c, WASTE))
    assert admissible(store) == breakers.Admissible()


def test_an_operation_written_down_before_this_version_is_a_create(store: Store) -> None:
    opened(store, breakers.CREATE)
    assert admissible(store).blocked == {"create"}


def test_nothing_is_written_for_a_destination_that_is_not_there(store: Store) -> None:
    assert do(store, lambda c: breakers.trip(c, "no/one", BOOK, dice=0.5)) is None


def paused_by_the_hub(store: Store) -> None:
    do(store, lambda c: destinations.pause(c, WASTE, by=destinations.HUB, reason="our key"))


def test_a_pause_of_the_hub_is_lifted_and_a_persons_is_not(store: Store) -> None:
    paused_by_the_hub(store)
    assert do(store, lambda c: destinations.lift(c, WASTE)) and row(store).paused_at is None
    do(store, lambda c: destinations.pause(c, WASTE, by="jo", reason="works"))
    assert not do(store, lambda c: destinations.lift(c, WASTE))
    assert not do(store, lambda c: destinations.put_on_trial(c, WASTE, calls=[BOOK]))
    assert row(store).paused_by == "jo"


def test_the_hub_does_not_take_over_a_persons_pause(store: Store) -> None:
    do(store, lambda c: destinations.pause(c, WASTE, by="jo", reason="works"))
    assert not do(store, lambda c: destinations.pause(c, WASTE, by=destinations.HUB, reason="our key"))
    assert row(store).paused_by == "jo"


def test_without_a_check_one_step_of_each_operation_is_let_through(store: Store) -> None:
    paused_by_the_hub(store)
    assert do(store, lambda c: destinations.put_on_trial(c, WASTE, calls=[BOOK]))
    assert row(store).paused_at is None and admissible(store).probes == {BOOK, "create"}
    probe(store)
    assert BOOK in admissible(store).blocked


def test_one_good_answer_ends_the_trial_of_all(store: Store) -> None:
    do(store, lambda c: destinations.count_suspect(c, WASTE, submission="00000000-0000-0000-0000-000000000001"))
    paused_by_the_hub(store)
    do(store, lambda c: destinations.put_on_trial(c, WASTE, calls=[BOOK, NOTE]))
    assert row(store).suspects == 1
    probe(store)
    assert ended(store, well=True) is Change.CLOSED
    assert admissible(store) == breakers.Admissible() and row(store).suspects == 0


def test_a_person_who_resumes_ends_the_trial(store: Store) -> None:
    paused_by_the_hub(store)
    do(store, lambda c: destinations.put_on_trial(c, WASTE, calls=[BOOK]))
    do(store, lambda c: destinations.resume(c, WASTE))
    assert admissible(store) == breakers.Admissible()


def test_a_council_file_that_says_off_forgets_what_was_open(store: Store) -> None:
    opened(store)
    spec = destinations.DestinationSpec(
        id=WASTE, council="northborough", name="waste", connector="x", concurrency=4, per_second=None, breaker=False
    )
    do(store, lambda c: destinations.sync(c, [spec]))
    assert admissible(store) == breakers.Admissible() and row(store).breaker == "closed"
