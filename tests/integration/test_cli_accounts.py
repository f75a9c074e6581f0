"""`hub restore`, `hub reconcile` and `hub purge`, as a person types them."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from hub.assembly import open_core, sole_owner
from hub.cli.restore import refuse_half_restored
from hub.connector.testing import Running
from hub.errors import SettingsError
from hub.settings import Settings
from hub.store import restore, retention, tables
from tests.places import Place, is_at_rest, offices_of, place_in, standing, until
from tests.terminal import Terminal, open_terminal


@pytest.fixture(scope="module")
def offices() -> Iterator[dict[str, Running]]:
    with offices_of("idempotent") as spawned:
        yield spawned


@pytest.fixture
def place(tmp_path: Path, offices: dict[str, Running]) -> Place:
    """A hub that has delivered three, and is stopped."""
    offices["idempotent"].reset()
    made = place_in(tmp_path, f"sqlite:///{tmp_path / 'hub.db'}", offices)
    with ThreadPoolExecutor(1) as thread:  # the test may have an event loop of its own
        thread.submit(asyncio.run, three_delivered(made)).result()
    return made


@pytest.fixture
def hub(place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return open_terminal(place.folder, capsys, monkeypatch, **place.environment)


async def three_delivered(place: Place) -> None:
    async with place.hub() as hub:
        for _ in range(3):
            await place.publish(hub, "idempotent")
        await until(lambda: all(map(is_at_rest, standing(hub.core.store).values())))


def change(place: Place, **step: object) -> None:
    with place.core() as core:
        core.store.transact_now(lambda c: c.execute(sa.update(tables.step).values(**step)))


def ago(**time: float) -> str:
    return (datetime.now(UTC) - timedelta(**time)).isoformat()


def test_what_agrees_is_status_0_and_adds_up(hub: Terminal) -> None:
    said = hub("reconcile", "--json", "--details")
    found = said.json()
    assert (said.status, found["next"], found["adds_up"], found["details"]) == (0, None, True, [])
    assert (found["total"]["accepted"], found["total"]["confirmed"]) == (3, 3)


def test_the_sum_is_said_in_a_line(hub: Terminal) -> None:
    assert "accepted 3 = delivered 3 + waiting 0 + needs a person 0 + discarded 0" in hub("reconcile").err


def test_what_is_missing_is_status_1_and_named(hub: Terminal, place: Place) -> None:
    place.offices["idempotent"].forget()
    said = hub("reconcile", "--json", "--details")
    assert said.status == 1
    assert [one["what"] for one in said.json()["details"]] == ["missing"] * 3


def test_the_table_is_csv_when_asked(hub: Terminal, place: Place) -> None:
    hub("reconcile", "--csv", str(place.folder / "table.csv"))
    (row,) = csv.DictReader(io.StringIO((place.folder / "table.csv").read_text()))
    assert (row["council"], row["service"], row["accepted"], row["missing"]) == ("northborough", "missed-bin", "3", "0")
    assert (place.folder / "table.csv").read_text() == hub("reconcile", "--csv", "-").out


def test_a_time_in_which_nothing_came_is_an_empty_table(hub: Terminal) -> None:
    said = hub("reconcile", "--since", "2020-01-01", "--until", "2020-01-02")
    assert (said.status, said.out) == (0, "") and "Nothing was accepted" in said.err


def test_a_restore_says_what_became_of_each_destination(hub: Terminal, place: Place) -> None:
    change(place, state="queued", due_at=datetime.now(UTC))
    found = hub("restore", "--since", ago(minutes=5), "--json").json()
    assert found["items"] == [
        {"council": "northborough", "destination": "northborough/idempotent", "safety": "idempotent", "stays": 3,
         "looked_up": 0, "person": 0}
    ]  # fmt: skip


def test_a_dry_run_changes_nothing_and_a_second_run_nothing_more(hub: Terminal, place: Place) -> None:
    change(place, state="dead")
    since = ago(minutes=5)
    assert hub("restore", "--since", since, "--dry-run", "--json").json()["dead_letters"] == 3
    assert all(row["reason"] is None for row in hub_deliveries(hub))
    hub("restore", "--since", since, "--reason", "disk lost")
    noted = hub_deliveries(hub)
    assert all(row["reason"].startswith("Restored from a backup of") for row in noted)
    assert "done already" in hub("restore", "--since", since).err and hub_deliveries(hub) == noted


def hub_deliveries(hub: Terminal) -> list[dict[str, str]]:
    with open_core(Settings.read()) as core:
        query = sa.select(tables.step.c.id, tables.step.c.state, tables.step.c.reason).order_by(tables.step.c.id)
        return [dict(row._mapping) for row in core.store.read_now(lambda c: list(c.execute(query)))]


def test_a_restore_beside_a_running_hub_is_refused(hub: Terminal, place: Place) -> None:
    with sole_owner(Settings.read()):
        assert "Another hub runs" in hub("restore", "--since", ago(minutes=5)).err


def test_a_time_to_come_and_no_time_at_all_are_wrong_use(hub: Terminal) -> None:
    assert hub("restore", "--since", ago(days=-1)).status == 2
    assert hub("restore", "--since", "yesterday").status == 2
    assert hub("restore").status == 2


def test_a_hub_does_not_start_on_a_store_that_is_half_restored(hub: Terminal) -> None:
    at = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    with open_core(Settings.read()) as core:
        account = restore.Account(since=at)
        core.store.transact_now(lambda c: c.execute(
            sa.insert(tables.job).values(name=restore.NAME, due_at=at, lease_token=0, state=account.as_state())
        ))  # fmt: skip
        with pytest.raises(SettingsError, match="hub restore --since 2026-11-23T16:00:00"):
            refuse_half_restored(core)


async def test_a_hub_forgets_by_itself(place: Place) -> None:
    place.settings["HUB_RETENTION_CONTENT"] = "0s"
    hour_is_over = sa.update(tables.job).where(tables.job.c.name == retention.NAME).values(due_at=datetime.now(UTC))
    with place.core() as core:
        core.store.transact_now(lambda c: c.execute(hour_is_over))
    contents = sa.select(tables.submission_content.c.body)
    async with place.hub() as hub:
        await until(lambda: hub.core.store.read_now(lambda c: set(c.execute(contents).scalars())) == {None})


def test_a_purge_says_how_much_and_is_audited(hub: Terminal, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_RETENTION_CONTENT", "0s")
    monkeypatch.setenv("HUB_RETENTION_EVIDENCE", "0s")
    expected = {"contents": 3, "evidence": 3, "keys": 0, "files": 0, "received": 0}
    assert hub("purge", "--dry-run", "--json").json() == {"dry_run": True, **expected}
    assert hub("purge", "--json").json() == {"dry_run": False, **expected}
    assert "Contents of 0 submissions" in hub("purge").out
    with open_core(Settings.read()) as core:
        acts = core.store.read_now(lambda c: list(c.execute(sa.select(tables.audit.c.verb, tables.audit.c.detail))))
    assert ("purge", expected) in [tuple(act) for act in acts]
