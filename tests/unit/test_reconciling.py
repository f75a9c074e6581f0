"""What the hub holds against what is there: each case decided in one line."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from hub.core.reconciling import OUR_REFERENCE, Finding, Line, Piece, Standing, compare, standing_of
from hub.model import StepState

F = Finding
DAY = date(2026, 11, 23)
DUE = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)


def piece(standing: Standing = Standing.DELIVERED, *, theirs: str | None = "WS-1", joined: bool = False) -> Piece:
    return Piece(council="a", service="b", day=DAY, reference="ABCD-EFGH", standing=standing, theirs=theirs,
                 joined=joined)  # fmt: skip


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (["WS-1"], [(F.CONFIRMED, None)]),
        ([None], [(F.CONFIRMED, None)]),
        ([], [(F.MISSING, None)]),
        (["WS-2"], [(F.MISSING, "WS-2")]),
        (["WS-2", "WS-1"], [(F.CONFIRMED, None), (F.EXTRA, "WS-2")]),
        (["WS-2", "WS-3"], [(F.MISSING, "WS-2"), (F.EXTRA, "WS-3")]),
        (None, [(F.UNKNOWN, None)]),
    ],
)
def test_what_is_said_of_one_that_was_delivered(there: list[str | None] | None, said: list[object]) -> None:
    assert compare(piece(), there) == said


def test_one_whose_number_the_hub_was_never_told_is_confirmed_by_being_there() -> None:
    assert compare(piece(theirs=None), ["WS-7"]) == [(F.CONFIRMED, None)]


def test_one_that_joined_another_case_does_not_carry_our_reference() -> None:
    assert compare(piece(joined=True), []) == [(F.UNKNOWN, None)]


@pytest.mark.parametrize("standing", set(Standing) - {Standing.DELIVERED})
def test_one_that_was_not_delivered_ought_not_to_be_there(standing: Standing) -> None:
    assert compare(piece(standing), ["WS-1"]) == [(F.EXTRA, "WS-1")]
    assert compare(piece(standing), []) == compare(piece(standing), None) == []


@pytest.mark.parametrize(
    ("state", "due", "standing"),
    [
        (StepState.QUEUED, DUE, Standing.WAITING),
        (StepState.QUEUED, None, Standing.WAITING),
        (StepState.SENDING, DUE, Standing.WAITING),
        (StepState.UNCLEAR, DUE, Standing.WAITING),
        (StepState.UNCLEAR, None, Standing.NEEDS_PERSON),
        (StepState.DEAD, None, Standing.NEEDS_PERSON),
        (StepState.DELIVERED, None, Standing.DELIVERED),
        (StepState.DISCARDED, None, Standing.DISCARDED),
        (None, None, Standing.UNEXPLAINED),
    ],
)
def test_every_state_has_one_standing(state: StepState | None, due: datetime | None, standing: Standing) -> None:
    assert standing_of(state, due_at=due) is standing


def test_a_line_adds_up_unless_one_is_unexplained() -> None:
    line = Line(accepted=2)
    line.standings.update({Standing.DELIVERED: 1, Standing.WAITING: 1})
    assert line.adds_up
    line.standings.update({Standing.UNEXPLAINED: 1})
    line.accepted += 1
    assert not line.adds_up


@pytest.mark.parametrize("reference", ["ABCD-EFGH", "ABCD-EFGH-2", "ABCD-EFGH-12-r2"])
def test_a_reference_of_ours_is_known_by_its_form(reference: str) -> None:
    assert OUR_REFERENCE.fullmatch(reference)
    assert not OUR_REFERENCE.fullmatch(f"{reference}-x") and not OUR_REFERENCE.fullmatch(reference.lower())
