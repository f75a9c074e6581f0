"""`hub operations` on the store of this machine."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from hub.cli.store import opened
from hub.store import tables
from tests.stores import WASTE, accept, add_destination
from tests.terminal import Terminal


@pytest.fixture
def dead(hub: Terminal) -> list[str]:
    """Three dead letters in the store."""
    with opened() as core:
        add_destination(core.store, WASTE)
        thoughts = [accept() for _ in range(3)]

        async def put() -> None:
            for thought in thoughts:
                await core.store.write(thought)

        asyncio.run(put())
        change = sa.update(tables.step).values(state="dead", due_at=None)
        core.store.transact_now(lambda connection: connection.execute(change))
    return [thought.deliveries[0].id for thought in thoughts]


def test_a_preview_says_what_it_would_do_and_does_nothing(hub: Terminal, dead: list[str]) -> None:
    said = hub("operations", "preview", "--council", "northborough", "--since", "2h", "--reason", "mended")
    assert said.status == 0 and WASTE in said.out and "unsafe" in said.out
    assert "Nothing is done yet: hub operations start" in said.err
    [row] = hub("operations", "list", "--json").json()["items"]
    assert (row["state"], row["filter"]["state"], row["rate"]) == ("ready", ["dead"], 5.0)
    assert row["created_by"].startswith("local:")


def test_an_operation_is_started_paused_resumed_and_cancelled(hub: Terminal, dead: list[str]) -> None:
    made = hub("operations", "preview", *dead[:2], "--reason", "mended", "--json").json()
    assert made["filter"] == {"ids": dead[:2]} and made["preview"]["count"] == 2
    for verb, state in (("start", "running"), ("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        assert hub("operations", verb, made["id"], "--json").json()["state"] == state
    items = hub("operations", "show", made["id"], "--items", "--json").json()["items"]
    assert [(one["delivery"], one["state"]) for one in items] == [(id, "cancelled") for id in dead[:2]]
    assert "Cancelled by local:" in hub("operations", "show", made["id"]).out


def test_a_local_admin_does_not_approve_what_may_be_made_twice(hub: Terminal, dead: list[str]) -> None:
    asked = ("--state", "dead", "--include-unsafe", "--reason", "x", "--json")
    made = hub("operations", "preview", *asked).json()
    said = hub("operations", "start", made["id"])
    assert said.status == 1 and "two people" in said.err and said.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [(), ("0193", "--council", "x"), ("--state", "lost")])
def test_a_preview_of_nothing_in_particular_is_wrong_use(hub: Terminal, arguments: tuple[str, ...]) -> None:
    assert hub("operations", "preview", *arguments, "--reason", "x").status == 2


def test_what_is_not_there_is_said_in_one_line(hub: Terminal) -> None:
    said = hub("operations", "show", "01936d2a-7b5c-7def-8abc-0123456789ab")
    assert (said.status, said.out) == (1, "") and "no operation" in said.err and said.err.count("\n") == 1
