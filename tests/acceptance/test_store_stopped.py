"""PostgreSQL gone, or silent, under real processes and load: 503 in good time, and they come back by themselves."""

from __future__ import annotations

import itertools
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from tests import services
from tests.bodies import missed_bin
from tests.proxy import Network, network
from tests.towns import Town, town

pytestmark = [pytest.mark.timeout(300), pytest.mark.postgres, pytest.mark.rabbitmq]

BOUND = 6.0 + 2.0  #: seconds to any answer, and a busy machine


@pytest.fixture(scope="module")
def between() -> Iterator[Network]:
    host, _, port = services.postgres_at().partition(":")
    with network(host, int(port or 5432)) as made:
        yield made


@pytest.fixture(scope="module")
def northborough(
    module_postgres_url: str, rabbitmq_url: str, between: Network, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    """One intake and two workers that reach the database over a network which the test can break."""
    url = module_postgres_url.replace(services.postgres_at(), f"127.0.0.1:{between.port}")
    folder = tmp_path_factory.mktemp("town")
    with town(folder, database_url=url, broker_url=rabbitmq_url, roles=("intake", "worker", "worker")) as made:
        yield made


@dataclass(slots=True)
class Stream:
    """Front ends that publish without a pause, each submission again and again until it is taken."""

    town: Town
    numbers: Iterator[int]
    stopped: threading.Event = field(default_factory=threading.Event)
    taken: list[str] = field(default_factory=list)
    refused: int = 0
    longest: float = 0.0

    def publish(self) -> None:
        while not self.stopped.is_set():
            self._one(next(self.numbers))

    def _one(self, number: int) -> None:
        body = missed_bin(channel="web" if number % 2 else "api", uprn=str(100_000 + number))
        for _ in range(500):
            began = time.monotonic()
            status, answer = self.town.ask(
                "POST", "/v1/submissions", body, headers={"Idempotency-Key": f"stream {number}"}
            )
            self.longest = max(self.longest, time.monotonic() - began)
            if status == 202:
                self.taken.append(answer["reference"])
                return
            assert status == 503, (status, answer)
            self.refused += 1
            time.sleep(0.2)
        raise AssertionError("it was never taken")


NUMBERS = itertools.count()


@contextmanager
def stream(town: Town) -> Iterator[Stream]:
    made = Stream(town, NUMBERS)
    with ThreadPoolExecutor(4) as threads:
        publishing = [threads.submit(made.publish) for _ in range(4)]
        try:
            yield made
        finally:
            made.stopped.set()
        for one in publishing:
            one.result(60)


def ready(town: Town) -> int:
    return town.ask("GET", "/health/ready")[0]


def is_whole(town: Town, stream: Stream) -> None:
    """Everything that was taken is delivered, once, and nobody was left in doubt."""
    told = [town.until(reference, lambda told: told["final"], seconds=90) for reference in stream.taken]
    assert Counter(one["status"] for one in told) == {"delivered": len(stream.taken)}
    rows = [row for office in ("waste", "register") for row in town.offices[office].ledger()]
    assert Counter(row["our_reference"] for row in rows) == Counter(dict.fromkeys(stream.taken, 1))
    assert stream.longest < BOUND


def test_a_database_that_restarts_loses_and_doubles_nothing(northborough: Town, between: Network) -> None:
    for office in ("waste", "register"):
        northborough.offices[office].behave("slow", seconds=0.3)
    with stream(northborough) as made:
        time.sleep(3)
        between.refuse()
        time.sleep(4)
        assert ready(northborough) == 503 and northborough.ask("GET", "/health/live")[0] == 200
        between.listen()
        time.sleep(3)
    assert made.refused > 0 and ready(northborough) == 200
    is_whole(northborough, made)


def test_a_database_that_falls_silent_loses_and_doubles_nothing(northborough: Town, between: Network) -> None:
    """Every connection is lost without a word: whoever waits for an answer waits longer than his lease."""
    for office in ("waste", "register"):
        northborough.offices[office].behave("slow", seconds=0.3)
    with stream(northborough) as made:
        time.sleep(3)
        between.stall()
        time.sleep(0.5)
        between.lose()
        between.flow()
        time.sleep(45)
    assert made.refused > 0 and ready(northborough) == 200
    is_whole(northborough, made)


def test_a_stop_does_not_wait_for_a_database_that_is_silent(northborough: Town, between: Network) -> None:
    between.stall()
    time.sleep(1)  # everybody is asking it something by now
    began = time.monotonic()
    for process in northborough.processes:
        process.popen.send_signal(signal.SIGTERM)
    codes = [process.popen.wait(60) for process in northborough.processes]
    took = time.monotonic() - began
    between.flow()
    for process in list(northborough.processes):
        process.stop()
        northborough.restart(process)
    assert codes == [0, 0, 0] and took < 35
    assert northborough.publish(missed_bin())
