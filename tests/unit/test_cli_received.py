"""`hub received`: what may be said to it, and what it says when there is nothing to do."""

from __future__ import annotations

import pytest

from tests.terminal import Terminal


@pytest.mark.parametrize("arguments", [(), ("some-id", "--profile", "leisure")])
def test_a_replay_names_ids_or_chooses(hub: Terminal, arguments: tuple[str, ...]) -> None:
    said = hub("received", "replay", *arguments)
    assert (said.status, said.out) == (2, "")
    assert "name ids" in said.err


def test_a_discard_says_why(hub: Terminal) -> None:
    assert hub("received", "discard", "some-id").status == 2


def test_a_replay_of_none_is_no_failure(hub: Terminal) -> None:
    assert hub("received", "replay", "--profile", "leisure", "--json").json() == {"items": [], "next": None}


def test_a_replay_of_one_that_is_not_there_says_so_and_fails(hub: Terminal) -> None:
    said = hub("received", "replay", "no-such-id")
    assert said.status == 1
    assert "Nothing was received under that id" in said.out
