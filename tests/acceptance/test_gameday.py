"""`hub gameday`, seen from outside: it holds, it finds out a liar, and it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from hub.connector.testing import spawn
from tests import services

HUB = [sys.executable, "-m", "hub.cli", "gameday"]
ROOT = str(Path(__file__).resolve().parents[2])
ON_SQLITE = ["sigkill-before-send", "commit-then-drop", "disk-full", "upgrade-with-a-full-queue"]
COUNTED = {
    "accepted", "in_flight_at_fault", "unclear_made", "resolved_by", "hub", "ledger", "lost", "duplicates",
    "unexplained",
}  # fmt: skip


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    servers = {"HUB_GAMEDAY_DATABASE_URL": services.POSTGRES_URL, "HUB_GAMEDAY_BROKER_URL": services.RABBITMQ_URL}
    return {**kept, **servers, "PYTHONPATH": ROOT}


def rehearsed(folder: Path, *arguments: str, status: int = 0) -> list[dict[str, Any]]:
    """What `hub gameday` counted, in an empty folder."""
    done = subprocess.run(
        [*HUB, *arguments, "--json"], cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["scenarios"]
    return found


@pytest.mark.timeout(240)
def test_on_a_laptop_nothing_is_lost_and_nothing_is_made_twice(tmp_path: Path) -> None:
    told = rehearsed(tmp_path, "--embedded", "--short", *ON_SQLITE)
    assert [each["name"] for each in told] == ON_SQLITE
    classes = [counted for each in told for counted in each["classes"].values()]
    assert all(set(counted) == COUNTED for counted in classes)
    assert {(counted["lost"], counted["duplicates"], counted["unexplained"]) for counted in classes} == {(0, 0, 0)}
    assert list(tmp_path.rglob("*.db*")) == []


@pytest.mark.timeout(240)
def test_a_back_office_that_lies_about_repeats_is_found_out(tmp_path: Path) -> None:
    with spawn("tests.liar:Liar") as liar:
        told = rehearsed(
            tmp_path, "--embedded", "--short", "--backoffice", liar.url, "commit-then-timeout", status=1
        )  # fmt: skip
    lied = told[0]["classes"]["idempotent"]
    assert lied["duplicates"] > 0 and "twice" in told[0]["why"]
    honest = told[0]["classes"]["lookup"], told[0]["classes"]["unsafe"]
    assert [counted["duplicates"] for counted in honest] == [0, 0]


@pytest.mark.postgres
@pytest.mark.rabbitmq
@pytest.mark.timeout(120)
def test_broken_off_it_leaves_no_process_and_no_database(
    tmp_path: Path, postgres_server: None, rabbitmq_url: str
) -> None:
    orphan = orphaned_database()
    before = databases() - {orphan}
    process = subprocess.Popen(
        [*HUB, "slow"], cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for _ in range(2):  # setting up, and the scenario's own line
        process.stderr.readline()
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=90)
    assert process.returncode == 130
    assert databases() <= before
    assert list((tmp_path / "var" / "gameday").glob("worker-1.log")) != []


def databases() -> set[str]:
    """The databases of rehearsals that are there; another rehearsal beside this one may have its own."""
    with server() as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'hub_gameday%'").fetchall()
    return {name for (name,) in rows}


def orphaned_database() -> str:
    """One as a rehearsal leaves it that was killed outright: the next one sweeps it up."""
    name = f"hub_gameday_{uuid4().hex[:12]}"
    with server() as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return name


def server() -> Any:
    import psycopg

    return psycopg.connect(services.POSTGRES_URL.replace("+psycopg", "", 1), autocommit=True)


def test_without_servers_it_says_what_to_do(tmp_path: Path) -> None:
    nowhere = {"HUB_GAMEDAY_BROKER_URL": "amqp://127.0.0.1:1"}
    done = subprocess.run(
        [*HUB, "slow"], cwd=tmp_path, env=environment() | nowhere, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "--embedded" in done.stderr
