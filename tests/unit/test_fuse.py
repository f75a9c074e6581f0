"""A process dies where it is told to, and only in a rehearsal."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from hub.errors import SettingsError
from hub.fuse import UNARMED, CrashPoint
from hub.settings import Settings

REHEARSAL = "postgresql+psycopg://postgres@127.0.0.1/hub_gameday_1f"


def ends_with(charge: str, *calls: str) -> int:
    """The exit status of a process that lives through these calls of a fuse."""
    lines = ["from hub.fuse import Charge, CrashPoint, Fuse", f"fuse = Fuse(Charge.read({charge!r}))", *calls]
    return subprocess.run([sys.executable, "-c", "\n".join(lines)], check=False, timeout=30).returncode


def reach(point: CrashPoint) -> str:
    return f"fuse.reach(CrashPoint.{point.name})"


def test_it_dies_by_sigkill_at_its_point() -> None:
    assert ends_with("before_send", reach(CrashPoint.BEFORE_SEND)) == -signal.SIGKILL


def test_it_lives_through_every_other_point() -> None:
    assert ends_with("before_send", *map(reach, set(CrashPoint) - {CrashPoint.BEFORE_SEND})) == 0


def test_it_waits_until_so_many_attempts_are_away() -> None:
    two_away = ["fuse.sending(+1)", "fuse.sending(+1)"]
    assert ends_with("after_claim:2", "fuse.sending(+1)", reach(CrashPoint.AFTER_CLAIM)) == 0
    assert ends_with("after_claim:2", *two_away, reach(CrashPoint.AFTER_CLAIM)) == -signal.SIGKILL
    assert ends_with("after_claim:2", *two_away, "fuse.sending(-1)", reach(CrashPoint.AFTER_CLAIM)) == 0


def test_intake_has_no_attempts_so_there_it_is_the_nth_submission() -> None:
    at_the_bell = reach(CrashPoint.AFTER_COMMIT_BEFORE_BELL)
    assert ends_with("after_commit_before_bell:3", at_the_bell, at_the_bell) == 0
    assert ends_with("after_commit_before_bell:3", *[at_the_bell] * 3) == -signal.SIGKILL


def test_what_leaves_now_has_been_sent_a_moment_later() -> None:
    leaving = "import asyncio\nasync def run():\n fuse.leaving(); await asyncio.sleep(5)\nasyncio.run(run())"
    assert ends_with("after_send", leaving) == -signal.SIGKILL


def test_without_a_charge_nothing_happens() -> None:
    for point in CrashPoint:
        UNARMED.reach(point)


@pytest.mark.parametrize("setting", [{"HUB_CRASH_POINT": "after_claim"}, {"HUB_CLOCK_SKEW": "-1h"}])
@pytest.mark.parametrize(
    "database",
    [
        "sqlite:///var/hub.db",
        "sqlite:////srv/hub_gameday/hub.db",
        "postgresql+psycopg://hub@db/hub",
        "postgresql+psycopg://hub@db/hub_gameday_1?dbname=hub",
    ],
)
def test_a_production_start_refuses_them(setting: dict[str, str], database: str) -> None:
    with pytest.raises(SettingsError, match="rehearsals"):
        Settings.read({**setting, "HUB_DATABASE_URL": database})


def test_a_rehearsal_takes_them() -> None:
    given = {"HUB_CRASH_POINT": "mid_operation:20", "HUB_CLOCK_SKEW": "-1h", "HUB_DATABASE_URL": REHEARSAL}
    settings = Settings.read(given)
    assert settings.clock_skew == timedelta(hours=-1)
    assert settings.charge is not None and settings.charge.point is CrashPoint.MID_OPERATION


def test_a_point_that_there_is_not_is_refused_with_those_there_are() -> None:
    with pytest.raises(SettingsError, match="after_claim"):
        Settings.read({"HUB_CRASH_POINT": "after_lunch", "HUB_DATABASE_URL": REHEARSAL})
