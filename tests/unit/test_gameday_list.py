"""The faults that are rehearsed are those that were promised."""

from __future__ import annotations

import pytest

from hub.fuse import CrashPoint
from hub.gameday.scenarios import ALL
from tests.terminal import Terminal

PROMISED = {
    *(f"sigkill-{point.value.replace('_', '-')}" for point in CrashPoint),
    "repeated-kills",
    "kill-both-workers",
    "broker-stop-and-start",
    "broker-half-open",
    "database-restart",
    "terminate-backend-in-a-stream",
    "pool-exhaustion",
    "slow",
    "drip",
    "timeout",
    "commit-then-timeout",
    "commit-then-drop",
    "late-lookup",
    "race-for-one-row",
    "clock-jumped",
    "bell-storm",
    "disk-full",
    "upgrade-with-a-full-queue",
    "bulk-replay-killed-in-marking",
    "bulk-replay-killed-in-running",
    "noisy-neighbour",
}


def test_every_fault_that_was_promised_is_listed_and_no_other(hub: Terminal) -> None:
    listed = hub("gameday", "--list", "--json").json()["items"]
    assert {each["name"] for each in listed} == PROMISED
    assert all(each["what"] for each in listed)


def test_a_crash_point_is_one_of_seven() -> None:
    assert [point.value for point in CrashPoint] == [
        "after_claim", "before_send", "after_send", "before_conclude", "after_commit_before_bell", "mid_operation",
        "mid_retention",
    ]  # fmt: skip


@pytest.mark.parametrize("asked", [["tea-break"], ["--embedded", "broker-half-open"]])
def test_a_scenario_that_there_is_not_is_wrong_use(hub: Terminal, asked: list[str]) -> None:
    told = hub("gameday", *asked)
    assert told.status == 2 and asked[-1] in told.err


def test_a_scenario_is_called_what_it_is_listed_as() -> None:
    assert all(name == each.name for name, each in ALL.items())
