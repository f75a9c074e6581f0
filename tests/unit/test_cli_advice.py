"""What staff read about a delivery that is stuck: what went wrong, and the command that comes next."""

from __future__ import annotations

from typing import Any

import pytest

from hub.cli.advice import advice


def stuck(state: str, *, outcome: str = "refused", sent: bool = True, position: int = 0, **more: Any) -> list[str]:
    steps = [{"position": 0, "kind": "create", "state": state if position == 0 else "delivered"}]
    if position:
        steps.append({"position": position, "kind": "attach", "state": state})
    tried = {"step": position, "outcome": outcome, "failure": "town/crm create: x", "sent_at": "now" if sent else None}
    about = {"id": "ID", "our_reference": "ABCD-EFGH", "destination": "town/crm", "waiting": None}
    return list(advice({**about, "steps": steps, "attempts": [tried], **more}))


@pytest.mark.parametrize(
    ("outcome", "sent", "words"),
    [("refused", True, "read and refused"), ("unavailable", True, "tried as often"), ("refused", False, "nothing was")],
)
def test_a_dead_one_says_why_and_how_it_goes_on(outcome: str, sent: bool, words: str) -> None:
    failed, to_do = stuck("dead", outcome=outcome, sent=sent)
    assert failed == "Step 0 (create) failed: town/crm create: x"
    assert words in to_do and "`hub deliveries replay ID`" in to_do


def test_an_unclear_one_is_looked_for_by_a_person() -> None:
    assert "for ABCD-EFGH, then `hub deliveries resolve ID" in stuck("unclear")[1]


def test_an_unclear_one_that_the_hub_looks_for_asks_nothing_of_a_person() -> None:
    assert len(stuck("unclear", waiting={"reason": "lookup"})) == 1


def test_a_file_that_failed_is_told_of_a_delivered_case() -> None:
    assert stuck("dead", position=1)[1].startswith("Step 1 (attach) is a person's")


def test_one_whose_destination_is_paused_says_how_it_is_resumed() -> None:
    assert "hub destinations resume town/crm" in stuck("queued", waiting={"reason": "paused"})[0]


def test_one_that_is_well_says_nothing() -> None:
    assert stuck("delivered") == []
