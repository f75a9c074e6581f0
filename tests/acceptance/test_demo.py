"""`hub demo`: the whole main job on one laptop, seen from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

pytestmark = pytest.mark.timeout(240)

HUB = [sys.executable, "-m", "hub.cli", "demo"]
ROOT = str(Path(__file__).resolve().parents[2])


def environment() -> dict[str, str]:
    """Settings of this machine that a demo must never use."""
    poison = {"HUB_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/real", "HUB_BROKER_URL": "amqp://127.0.0.1:1"}
    return {**os.environ, "PYTHONPATH": ROOT, **poison}


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What `hub demo --once --json` said, in an empty folder."""
    done = subprocess.run(
        [*HUB, "--once", "--json"],
        cwd=tmp_path_factory.mktemp("once"),
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1, "one object, and nothing else"
    return json.loads(done.stdout)


def deliveries(once: Any) -> list[Any]:
    return [delivery for sent in once["submissions"] for delivery in sent["deliveries"]]


def test_four_councils_five_front_ends_and_systems_of_eight_kinds(once: Any) -> None:
    arrived = [sent for sent in once["submissions"] if sent["status"] == "delivered"]
    assert len(arrived) >= 24
    assert {sent["council"] for sent in arrived} == {"northborough", "eastvale", "westmere", "two-rivers"}
    assert len({sent["front_end"] for sent in arrived}) == 5
    assert {each["connector"] for sent in arrived for each in sent["deliveries"]} == {
        "whitespace", "jadu", "infreemation", "rest", "soap", "webhook", "folder", "email",
    }  # fmt: skip


def test_one_submission_goes_to_two_systems_where_its_council_says_so(once: Any) -> None:
    (both,) = [sent for sent in once["submissions"] if len({each["destination"] for each in sent["deliveries"]}) == 2]
    assert {each["destination"] for each in both["deliveries"]} == {"eastvale/waste", "eastvale/crm"}
    assert both["status"] == "delivered"


def test_every_reference_is_the_one_that_the_ledger_holds(once: Any) -> None:
    held = {
        (destination, row["our_reference"], row["reference"])
        for destination, rows in once["ledgers"].items()
        for row in rows
    }
    told = {
        (each["destination"], each["our_reference"], each["reference"])
        for each in deliveries(once)
        if each["state"] == "delivered"
    }
    assert told == held
    assert sum(map(len, once["ledgers"].values())) == len(held), "nothing was made twice"


def test_refuse_and_food_become_two_worksheets_of_two_services(once: Any) -> None:
    bins = [sent for sent in once["submissions"] if sent["service"] == "missed-bin"]
    (split,) = [sent for sent in bins if len(sent["deliveries"]) == 2]
    ours = {each["our_reference"] for each in split["deliveries"]}
    sheets = [row for row in once["ledgers"]["northborough/waste"] if row["our_reference"] in ours]
    services = {sheet["record"]["CreateWorksheet"]["worksheetInput"]["ServiceId"] for sheet in sheets}
    assert ours == {f"{split['reference']}-1", f"{split['reference']}-2"}
    assert services == {"81", "85"}


def test_one_is_refused_and_waits_for_a_person(once: Any) -> None:
    refused = [sent for sent in once["submissions"] if sent["status"] == "needs_attention"]
    assert [each["state"] for sent in refused for each in sent["deliveries"]] == ["dead"]


def test_one_met_a_503_and_one_was_replayed_after_its_mapping_was_mended(once: Any) -> None:
    again = [each for each in deliveries(once) if each["state"] == "delivered" and each["attempts"] > 1]
    assert sorted(each["connector"] for each in again) == ["jadu", "whitespace"]


@contextmanager
def staying(folder: Path) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """A demo that stays up, and the line with its addresses."""
    process = subprocess.Popen(
        [*HUB, "--json"], cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        yield process, json.loads(line)
    finally:
        process.terminate()
        process.communicate(timeout=60)


def ask(url: str, *, key: str = "", body: Any = None) -> Any:
    request = Request(url, data=None if body is None else json.dumps(body).encode())
    request.add_header("Authorization", f"Bearer {key}")
    request.add_header("Content-Type", "application/json")
    with urlopen(request, timeout=10) as answer:
        return json.load(answer)


def answers(url: str) -> bool:
    try:
        urlopen(url, timeout=2).close()
    except URLError as failure:
        return not isinstance(failure.reason, OSError)
    return True


def all_end(ready: Any) -> bool:
    """Whether nothing of a demo answers any more, within a few seconds."""
    urls = [f"{ready['hub']}/health/live", *(f"{each['control']}/_ledger" for each in ready["simulators"])]
    until = time.monotonic() + 20
    while time.monotonic() < until and any(map(answers, urls)):
        time.sleep(0.1)
    return not any(map(answers, urls))


def test_a_submission_of_ones_own_reaches_the_ledger_and_ctrl_c_ends_everything(tmp_path: Path) -> None:
    with staying(tmp_path) as (process, ready):
        body = {
            "council": "northborough",
            "service": "missed-bin",
            "version": 1,
            "property": {"uprn": "100080017777"},
            "details": {"containers": [{"waste_type": "food"}]},
        }
        key = ready["keys"]["northborough-website"]
        sent = ask(f"{ready['hub']}/v1/submissions", key=key, body=body)
        ours = [each for each in ready["simulators"] if each["council"] == "northborough"]
        (waste,) = [each for each in ours if each["destination"] == "waste"]
        rows: list[Any] = []
        until = time.monotonic() + 30
        while not rows and time.monotonic() < until:
            rows = ask(f"{waste['control']}/_ledger")["items"]
            time.sleep(0.1)
        assert [row["our_reference"] for row in rows] == [sent["reference"]]
        assert ask(f"{ready['hub']}/v1/deliveries", key=ready["user_token"])["items"][0]["submission"] == sent["id"]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert all_end(ready)


def test_a_demo_that_is_killed_takes_everything_with_it(tmp_path: Path) -> None:
    with staying(tmp_path) as (process, ready):
        process.kill()
        process.wait()
        assert all_end(ready)
