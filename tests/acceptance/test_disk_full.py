"""The disk is full: 503 in good time, what was taken is still told and sent when there is room, the file is whole."""

from __future__ import annotations

import resource
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.bodies import missed_bin
from tests.towns import Town, town

pytestmark = pytest.mark.timeout(180)

PAGE = 4096  #: bytes; no file may grow beyond them, so the log is full too
FULL = 10.0  #: seconds, longer than a lease of this town


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Town]:
    with town(
        tmp_path, database_url=f"sqlite:///{tmp_path / 'hub.db'}", broker_url="memory://", roles=("all",)
    ) as made:
        yield made


def fill(town: Town) -> None:
    """From now on its process can make no file larger, and write nowhere that is not at the very beginning of one."""
    resource.prlimit(town.processes[0].popen.pid, resource.RLIMIT_FSIZE, (PAGE, resource.RLIM_INFINITY))


def make_room(town: Town) -> None:
    resource.prlimit(
        town.processes[0].popen.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    )


def publish(town: Town, number: int) -> tuple[int, Any]:
    body = missed_bin(channel="web" if number % 2 else "api", uprn=str(100_000 + number))
    return town.ask("POST", "/v1/submissions", body, headers={"Idempotency-Key": f"n{number}"})


def until_taken(town: Town, number: int) -> str:
    end = time.monotonic() + 30
    while (answer := publish(town, number))[0] != 202:
        assert answer[0] == 503 and time.monotonic() < end, answer
        time.sleep(0.2)
    return str(answer[1]["reference"])


def is_full(town: Town, earlier: str) -> None:
    began = time.monotonic()
    status, problem = publish(town, 999)
    assert status == 503 and problem["code"] == "unavailable" and time.monotonic() - began < 7
    status, problem = town.ask("GET", "/health/ready")
    assert status == 503 and problem["detail"]
    assert town.ask("GET", "/health/live")[0] == 200
    assert town.status(earlier)["reference"] == earlier, "what was taken can still be read"


def test_a_full_disk_loses_nothing_and_makes_nothing_twice(embedded: Town, tmp_path: Path) -> None:
    for office in ("waste", "register"):
        embedded.offices[office].behave("slow", seconds=0.5)
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda number: until_taken(embedded, number), range(60)))
    fill(embedded)
    is_full(embedded, taken[0])
    time.sleep(FULL)
    is_full(embedded, taken[0])
    make_room(embedded)
    taken.append(until_taken(embedded, 999))
    told = [embedded.until(reference, lambda told: told["final"], seconds=60) for reference in taken]
    assert Counter(one["status"] for one in told) == {"delivered": len(taken)}
    rows = [row for office in ("waste", "register") for row in embedded.offices[office].ledger()]
    ledger = Counter(row["our_reference"] for row in rows)
    assert ledger == Counter(dict.fromkeys(taken, 1))
    embedded.processes[0].stop()
    with sqlite3.connect(tmp_path / "hub.db") as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    file.close()
