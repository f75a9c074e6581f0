"""kill -9 in the middle of it: nothing is lost, nothing is made twice."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from hub.model import Phase, StepState
from hub.store import tables
from hub.store.engine import open_engines
from tests.bodies import missed_bin
from tests.towns import Town

MESSAGES = 500
KILLS = 3
IN_FLIGHT = 20  #: attempts that must be in `sending` when the fault strikes, or it proves nothing

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def database(northborough: Town) -> Iterator[sa.Engine]:
    _, reading = open_engines(northborough.environment["HUB_DATABASE_URL"])
    yield reading
    reading.dispose()


def publish_all(town: Town, channel: str) -> list[str]:
    bodies = [missed_bin(channel=channel, uprn=str(100_000 + number)) for number in range(MESSAGES)]
    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(town.publish, bodies))


def in_sending(database: sa.Engine) -> int:
    attempt, step = tables.attempt.c, tables.step.c
    query = (
        sa.select(sa.func.count())
        .select_from(tables.attempt)
        .join(tables.step, sa.and_(step.id == attempt.step, step.lease_token == attempt.lease_token))
        .where(step.state == StepState.SENDING.value, attempt.phase == Phase.SENDING.value)
    )
    with database.connect() as connection:
        return int(connection.execute(query).scalar_one())


def kill_in_the_middle(town: Town, database: sa.Engine, dice: random.Random) -> int:
    """Stop every worker dead at a moment when enough is under way, kill them, start them again."""
    workers = [process for process in town.processes if process.role in ("all", "worker")]
    for _ in range(100):
        time.sleep(dice.uniform(0.05, 0.5))
        for worker in workers:
            os.kill(worker.popen.pid, signal.SIGSTOP)
        struck = in_sending(database)
        if struck >= IN_FLIGHT:
            break
        for worker in workers:
            os.kill(worker.popen.pid, signal.SIGCONT)
    for worker in workers:
        worker.kill()
        town.restart(worker)
    return struck


def settle(town: Town, references: list[str], *, seconds: float = 90) -> dict[str, str]:
    """Wait until nothing is under way; each reference's one delivery state."""
    end = time.monotonic() + seconds
    while True:
        states = {reference: town.status(reference)["deliveries"][0]["state"] for reference in references}
        if not {"queued", "sending"} & set(states.values()):
            return states
        assert time.monotonic() < end, Counter(states.values())
        time.sleep(1)


def run(town: Town, database: sa.Engine, *, office: str, channel: str) -> tuple[dict[str, str], Counter[str], int]:
    town.offices[office].behave("slow", seconds=0.4)
    references = publish_all(town, channel)
    dice = random.Random(office)
    struck = [kill_in_the_middle(town, database, dice) for _ in range(KILLS)]
    assert min(struck) >= IN_FLIGHT, f"the fault struck too early or too late: {struck}"
    town.offices[office].behave("ok")
    states = settle(town, references)
    ledger = Counter(row["our_reference"] for row in town.offices[office].ledger())
    report = {"in_flight_at_fault": struck, "hub": Counter(states.values()), "ledger": sum(ledger.values())}
    print(json.dumps(report))
    return states, ledger, sum(struck)


def test_three_kills_at_an_idempotent_system_every_one_arrives_once(northborough: Town, database: sa.Engine) -> None:
    states, ledger, _ = run(northborough, database, office="register", channel="api")
    assert set(states.values()) == {"delivered"}
    assert ledger == Counter(dict.fromkeys(states, 1))


def test_three_kills_at_whitespace_nothing_twice_and_every_doubt_is_kept(
    northborough: Town, database: sa.Engine
) -> None:
    states, ledger, struck = run(northborough, database, office="waste", channel="web")
    found = Counter(states.values())
    assert set(found) <= {"delivered", "unclear"} and 0 < found["unclear"] <= struck
    assert not [reference for reference, times in ledger.items() if times > 1]
    assert not [reference for reference, state in states.items() if state == "delivered" and not ledger[reference]]
