"""The broker stopped, or silent, under real processes: accepts go on, deliveries wait for the tick and no longer."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from tests import services
from tests.bodies import missed_bin
from tests.proxy import Network, network
from tests.towns import Town, town

pytestmark = [pytest.mark.timeout(240), pytest.mark.postgres, pytest.mark.rabbitmq]

TICK = 1.0
EVERY = 0.05  #: seconds between two submissions
TRIES = 3  #: the machine may be busy with something else


@pytest.fixture(scope="module")
def between(rabbitmq_url: str) -> Iterator[Network]:
    with network(*services.rabbitmq_at()) as made:
        yield made


@pytest.fixture(scope="module")
def northborough(
    module_postgres_url: str, rabbitmq_url: str, between: Network, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    """One intake and two workers that reach the broker over a network which the test can break."""
    host, port = services.rabbitmq_at()
    broker_url = rabbitmq_url.replace(f"{host}:{port}", f"127.0.0.1:{between.port}")
    folder = tmp_path_factory.mktemp("town")
    with town(
        folder, database_url=module_postgres_url, broker_url=broker_url, roles=("intake", "worker", "worker")
    ) as made:
        yield made


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def took(town: Town, *, number: int = 100) -> list[float]:
    """Seconds from each accept to its row in the council's ledger, the shortest first."""
    accepted: dict[str, datetime] = {}
    for _ in range(number):
        began = time.monotonic()
        status, answer = town.ask("POST", "/v1/submissions", missed_bin(channel="api"))
        assert status == 202, answer
        accepted[answer["reference"]] = at(answer["received_at"])
        time.sleep(max(0.0, EVERY - (time.monotonic() - began)))
    for reference in accepted:
        town.until(reference, lambda told: told["final"], seconds=60)
    rows = [row for row in town.offices["register"].ledger() if row["our_reference"] in accepted]
    assert len(rows) == number, "each once"
    return sorted((at(row["received_at"]) - accepted[row["our_reference"]]).total_seconds() for row in rows)


def said(town: Town, event: str) -> int:
    return sum(process.log.read_text().count(f'"{event}"') for process in town.processes)


def test_with_the_broker_stopped_a_delivery_waits_for_the_tick_and_no_longer(
    northborough: Town, between: Network
) -> None:
    with_bells = statistics.median(took(northborough, number=20))
    between.refuse()
    slowest = []
    for _ in range(TRIES):
        slowest.append(took(northborough)[94])
        if slowest[-1] < TICK + 0.5:
            break
    between.listen()
    print({"median with bells": with_bells, "p95 without, by try": slowest})
    assert slowest[-1] < TICK + 0.5 and with_bells < TICK / 2
    assert said(northborough, "broker.away") == 3, "once for each process"


def test_a_broker_that_falls_silent_is_noticed_and_found_again(northborough: Town, between: Network) -> None:
    """The connections are lost without a word; nobody is told but by the heartbeat, 20 to 25 seconds later."""
    end = time.monotonic() + 30
    while statistics.median(took(northborough, number=5)) > TICK / 4:
        assert time.monotonic() < end, "the bells are not back"
    before = said(northborough, "broker.back")
    between.lose()
    began = time.monotonic()
    while said(northborough, "broker.back") < before + 3:
        assert time.monotonic() - began < 40
        took(northborough, number=5)
    while statistics.median(took(northborough, number=5)) > TICK / 4:
        assert time.monotonic() - began < 60, "the bells are not back"
