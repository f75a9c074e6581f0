"""`hub submissions replay` and `discard`: what may be said to them, and what they say when there is nothing to do."""

from __future__ import annotations

import pytest

from tests.terminal import Terminal


@pytest.mark.parametrize("arguments", [(), ("ABCD-EFGH", "--unrouted"), ("ABCD-EFGH", "--council", "northborough")])
def test_a_replay_names_references_or_chooses(hub: Terminal, arguments: tuple[str, ...]) -> None:
    said = hub("submissions", "replay", *arguments)
    assert (said.status, said.out) == (2, "")
    assert "--unrouted" in said.err


def test_a_discard_says_why(hub: Terminal) -> None:
    assert hub("submissions", "discard", "ABCD-EFGH").status == 2


def test_a_replay_of_none_is_no_failure(hub: Terminal) -> None:
    assert hub("submissions", "replay", "--unrouted", "--json").json() == {"items": [], "next": None}
    assert "Every submission is routed" in hub("submissions", "list", "--unrouted").err


def test_a_replay_of_one_that_is_not_there_says_so_and_fails(hub: Terminal) -> None:
    said = hub("submissions", "replay", "ABCD-EFGH")
    assert said.status == 1
    assert "There is no submission with that id or reference" in said.out
