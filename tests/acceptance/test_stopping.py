"""SIGTERM: nothing new is begun, everything that was comes back, and nobody is left in doubt."""

from __future__ import annotations

import json
import signal
import socket
import time
import urllib.error
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from hub.model import StepState
from hub.store import tables
from hub.store.engine import open_engines
from tests.bodies import missed_bin
from tests.towns import Process, Town

pytestmark = pytest.mark.timeout(180)

SLOW = 2.0  #: seconds that a council's system takes over each call
IN_FLIGHT = 30
SECONDS = 3 + 5 + 5  #: the longest call, what it may need to be written down, and a busy machine


@pytest.fixture
def database(northborough: Town) -> Iterator[sa.Engine]:
    _, reading = open_engines(northborough.environment["HUB_DATABASE_URL"])
    yield reading
    reading.dispose()


def rows(database: sa.Engine, query: sa.Select[Any]) -> list[Any]:
    with database.connect() as connection:
        return list(connection.execute(query).all())


def until(condition: Callable[[], Any], *, seconds: float = 30) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "this never came true"
        time.sleep(0.05)
    return found


def publish(town: Town, number: int) -> list[str]:
    bodies = [missed_bin(channel="web" if one % 2 else "api", uprn=str(100_000 + one)) for one in range(number)]
    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(town.publish, bodies))


def signed_on(database: sa.Engine) -> set[str]:
    return {row.id for row in rows(database, sa.select(tables.worker.c.id))}


def away(database: sa.Engine) -> Counter[str]:
    """Steps in `sending`, by worker."""
    step = tables.step.c
    return Counter(row.worker for row in rows(database, sa.select(step.worker).where(step.state == "sending")))


def the_worker(town: Town) -> Process:
    return next(process for process in town.processes if process.role in ("all", "worker"))


def tell_to_stop(process: Process) -> float:
    """SIGTERM, and how long it took to leave."""
    began = time.monotonic()
    process.popen.send_signal(signal.SIGTERM)
    process.popen.wait(timeout=60)
    took = time.monotonic() - began
    process.stop()  # its pipes
    return took


def settled(town: Town, references: list[str]) -> Counter[str]:
    told = [town.until(reference, lambda told: told["final"], seconds=90) for reference in references]
    return Counter(one["status"] for one in told)


def committed(town: Town) -> Counter[str]:
    return Counter(row["our_reference"] for office in ("waste", "register") for row in town.offices[office].ledger())


def test_a_worker_with_thirty_calls_away_leaves_no_doubt(northborough: Town, database: sa.Engine) -> None:
    for office in ("waste", "register"):
        northborough.offices[office].behave("slow", seconds=SLOW)
    references = publish(northborough, 100)
    until(lambda: sum(away(database).values()) >= IN_FLIGHT and min(away(database).values()) >= IN_FLIGHT // 3)
    leaving, before, told_at = the_worker(northborough), signed_on(database), datetime.now(UTC)
    took = tell_to_stop(leaving)
    [gone] = before - signed_on(database)
    attempt = tables.attempt.c
    tried = rows(database, sa.select(attempt.outcome, attempt.started_at).where(attempt.worker == gone))
    assert leaving.popen.returncode == 0 and took < SECONDS
    assert {row.outcome for row in tried} == {"delivered"} and away(database)[gone] == 0
    assert max(row.started_at for row in tried) < told_at + timedelta(seconds=0.5), "claimed after the signal"
    northborough.restart(leaving)
    assert settled(northborough, references) == {"delivered": 100}
    assert committed(northborough) == Counter(dict.fromkeys(references, 1))


def test_a_second_signal_does_not_wait(northborough: Town, database: sa.Engine) -> None:
    northborough.offices["register"].behave("slow", seconds=SLOW)
    references = publish(northborough, 20)
    until(lambda: away(database))
    leaving = the_worker(northborough)
    leaving.popen.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert tell_to_stop(leaving) < 1.0 and leaving.popen.returncode == -signal.SIGTERM
    northborough.offices["register"].behave("ok")
    northborough.restart(leaving)

    def at_rest() -> bool:
        states = {northborough.status(reference)["deliveries"][0]["state"] for reference in references}
        return states <= {StepState.DELIVERED, StepState.UNCLEAR}

    until(at_rest, seconds=60)
    assert max(committed(northborough).values()) == 1


def test_an_intake_that_stops_says_so_first_and_answers_whom_it_has_heard(northborough: Town) -> None:
    [intake] = [process for process in northborough.processes if process.role in ("all", "intake")]
    body = json.dumps(missed_bin()).encode()
    with socket.create_connection((urlsplit(northborough.url).hostname, urlsplit(northborough.url).port)) as half:
        head = f"POST /v1/submissions HTTP/1.1\r\nHost: hub\r\nContent-Length: {len(body)}\r\n"
        half.sendall(f"{head}Authorization: Bearer {northborough.key}\r\n\r\n".encode() + body[:50])
        time.sleep(0.2)
        intake.popen.send_signal(signal.SIGTERM)
        said = [_ready(northborough) for _ in range(40) if not time.sleep(0.05)]
        half.sendall(body[50:])
        answer = half.makefile("rb").readline()
    intake.popen.wait(timeout=20)
    intake.stop()
    northborough.restart(intake)
    assert answer.startswith(b"HTTP/1.1 202") and intake.popen.returncode == 0
    assert said[-1] is None, "the door is closed in the end"
    assert intake.role == "all" or said[:3] == [503, 503, 503], said


def _ready(town: Town) -> int | None:
    try:
        return town.ask("GET", "/health/ready")[0]
    except (urllib.error.URLError, ConnectionError):
        return None


def test_nothing_that_was_answered_202_is_lost_by_a_stop_under_load(northborough: Town) -> None:
    [intake] = [process for process in northborough.processes if process.role in ("all", "intake")]
    taken: list[str] = []

    def publisher(first: int) -> None:
        for number in range(first, first + 1_000):
            try:
                status, answer = northborough.ask("POST", "/v1/submissions", missed_bin(uprn=str(number)))
            except (urllib.error.URLError, ConnectionError):
                return
            assert status == 202, (status, answer)
            taken.append(answer["reference"])

    with ThreadPoolExecutor(4) as threads:
        publishing = [threads.submit(publisher, 100_000 * number) for number in range(1, 5)]
        time.sleep(1)
        assert tell_to_stop(intake) < SECONDS
        for one in publishing:
            one.result(20)
    northborough.restart(intake)
    assert len(taken) > 20 and settled(northborough, taken) == {"delivered": len(taken)}
