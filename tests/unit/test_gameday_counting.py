"""What a rehearsal counts as lost, twice and unexplained; it must not be kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from hub.gameday.council import PLACES, body
from hub.gameday.counting import Case, Tally, count
from hub.gameday.publisher import Letter, Taken
from hub.gameday.scenarios.bulk import busiest_second
from hub.model import Outcome, ReplaySafety, StepState, Trigger

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
OURS = "ABCD-EFGH"
THEIRS = "CASE-000001"


def attempt(outcome: Outcome, *, at: int = 0, trigger: Trigger = Trigger.AUTO) -> Any:
    return SimpleNamespace(outcome=outcome.value, trigger=trigger.value, sent_at=NOON + timedelta(seconds=at))


def look(outcome: Outcome) -> Any:
    return attempt(outcome, trigger=Trigger.RESOLVER)


def row(reference: str = THEIRS, *, at: int = 0) -> dict[str, Any]:
    received = (NOON + timedelta(seconds=at)).isoformat()
    return {"reference": reference, "our_reference": OURS, "operation": "CreateCase", "received_at": received}


def counted(
    state: StepState, *attempts: Any, ledger: list[dict[str, Any]], safety: ReplaySafety, due: datetime | None = None
) -> Tally:
    place = PLACES[safety]
    letter = Letter(place=place, body=body(place, mark="unit", number=1))
    case = Case(
        mark=letter.mark, reference=OURS, destination=place.id, our_reference=OURS, state=state, due_at=due,
        their_reference=THEIRS if state is StepState.DELIVERED else None, attempts=attempts, events=(),
    )  # fmt: skip
    taken = Taken(letter=letter, reference=OURS, sent_at=NOON)
    return count([case], taken=[taken], ledgers={place.office: ledger}, places={place.id: place}, struck={})[safety]


def test_one_delivered_once_is_well() -> None:
    told = counted(
        StepState.DELIVERED, attempt(Outcome.DELIVERED), ledger=[row()], safety=ReplaySafety.UNSAFE
    ).as_dict()
    assert (told["lost"], told["duplicates"], told["unexplained"], told["unclear_made"]) == (0, 0, 0, 0)


def test_delivered_and_not_in_the_ledger_is_lost() -> None:
    assert counted(StepState.DELIVERED, ledger=[], safety=ReplaySafety.LOOKUP).lost == 1


def test_answered_202_and_not_in_the_store_is_lost() -> None:
    place = PLACES[ReplaySafety.LOOKUP]
    taken = Taken(letter=Letter(place=place, body=body(place, mark="unit", number=1)), reference=OURS, sent_at=NOON)
    assert count([], taken=[taken], ledgers={}, places={}, struck={})[ReplaySafety.LOOKUP].lost == 1


def test_two_rows_in_the_ledger_are_a_duplicate() -> None:
    assert counted(StepState.DELIVERED, ledger=[row(), row("CASE-2")], safety=ReplaySafety.LOOKUP).duplicates == 1


@pytest.mark.parametrize("state", [StepState.DEAD, StepState.QUEUED, StepState.DISCARDED])
def test_what_the_ledger_holds_and_the_hub_does_not_know_is_unexplained(state: StepState) -> None:
    assert counted(state, ledger=[row()], safety=ReplaySafety.LOOKUP, due=NOON).unexplained == 1


def test_a_number_that_the_ledger_does_not_hold_is_unexplained() -> None:
    assert counted(StepState.DELIVERED, ledger=[row("CASE-7")], safety=ReplaySafety.LOOKUP).unexplained == 1


def test_queued_without_a_time_is_unexplained() -> None:
    assert counted(StepState.QUEUED, ledger=[], safety=ReplaySafety.LOOKUP).unexplained == 1


def test_an_unsafe_one_that_was_unclear_and_sent_again_is_found_out() -> None:
    sends = attempt(Outcome.UNCLEAR), attempt(Outcome.DELIVERED, at=5)
    told = counted(StepState.DELIVERED, *sends, ledger=[row(at=5)], safety=ReplaySafety.UNSAFE)
    assert (told.unclear_made, told.resent) == (1, 1)


def test_one_that_can_be_looked_for_is_sent_again_only_after_two_looks() -> None:
    first, again = attempt(Outcome.UNCLEAR), attempt(Outcome.DELIVERED, at=9)
    nothing = look(Outcome.NOT_THERE)
    once = counted(StepState.DELIVERED, first, nothing, again, ledger=[row(at=9)], safety=ReplaySafety.LOOKUP)
    twice = counted(StepState.DELIVERED, first, nothing, nothing, again, ledger=[row(at=9)], safety=ReplaySafety.LOOKUP)
    assert (once.resent, twice.resent) == (1, 0)
    assert twice.resolved_by["repeat"] == 1


@pytest.mark.parametrize(
    ("safety", "last", "there_at", "settled"),
    [
        (ReplaySafety.IDEMPOTENT, attempt(Outcome.DELIVERED, at=5), 0, "repeat"),
        (ReplaySafety.REJECTS_DUPLICATES, attempt(Outcome.DELIVERED, at=5), 0, "exists"),
        (ReplaySafety.REJECTS_DUPLICATES, attempt(Outcome.DELIVERED, at=5), 6, "repeat"),
        (ReplaySafety.LOOKUP, look(Outcome.DELIVERED), 0, "lookup"),
        (ReplaySafety.LISTING, look(Outcome.DELIVERED), 0, "listing"),
    ],
)
def test_it_says_what_settled_a_doubt(safety: ReplaySafety, last: Any, there_at: int, settled: str) -> None:
    told = counted(StepState.DELIVERED, attempt(Outcome.UNCLEAR), last, ledger=[row(at=there_at)], safety=safety)
    assert dict(told.resolved_by) == {settled: 1}


def test_unclear_without_a_look_to_come_is_a_persons() -> None:
    told = counted(StepState.UNCLEAR, attempt(Outcome.UNCLEAR), ledger=[row()], safety=ReplaySafety.UNSAFE)
    assert dict(told.resolved_by) == {"person": 1} and told.unexplained == 0


def test_the_busiest_second_is_any_second_and_not_the_clocks() -> None:
    assert busiest_second([NOON + timedelta(milliseconds=ms) for ms in (0, 600, 900, 1100, 1500, 1599, 3000)]) == 5
