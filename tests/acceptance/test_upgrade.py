"""A new release on a database with a full queue, and both releases at work on it at once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub.store import schema, tables
from hub.store.engine import open_engines
from hub.store.ids import uuid7
from hub.store.seal import Sealer
from tests import services
from tests.bodies import missed_bin
from tests.old_hub import OldHub, Queued
from tests.towns import Town, town

pytestmark = pytest.mark.timeout(240)

SEALER = Sealer({"town": b"e" * 32})
QUEUED = 280
ALIVE = timedelta(seconds=60)  #: a lease that an old worker still holds
GONE = -timedelta(seconds=60)  #: one that it held when it died


class Scene:
    """A database that an old hub writes to, whatever else runs on it."""

    def __init__(self, url: str) -> None:
        self._writing, self._reading = open_engines(url)
        self.front_end = uuid7()

    def old(self, work: Callable[[OldHub], Any]) -> Any:
        """Something that an old hub does, in one transaction."""
        with self._writing.begin() as connection:
            return work(OldHub(connection, SEALER, self.front_end))

    def upgrade(self, *, to: str) -> None:
        schema.upgrade(self._writing, to=to)

    def stamp(self, revision: str) -> None:
        """As a hub with that migration would leave it."""
        with self._writing.begin() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})

    def states(self, one: Queued | None = None) -> Counter[str]:
        """Steps by state: all of them, or that one."""
        step = tables.step.c
        query = sa.select(step.state) if one is None else sa.select(step.state).where(step.id == one.step)
        with self._reading.connect() as connection:
            return Counter(connection.execute(query).scalars())

    def until(self, wanted: dict[str, int], one: Queued | None = None, *, seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while (states := self.states(one)) != wanted:
            assert time.monotonic() < end, states
            time.sleep(0.2)

    def close(self) -> None:
        self._writing.dispose()
        self._reading.dispose()


@contextmanager
def set_up(kind: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    if kind == "embedded":
        yield f"sqlite:///{folder / 'hub.db'}", "memory://", ("all",)
        return
    request.getfixturevalue("postgres_server")
    with services.fresh_database() as url:
        yield url, request.getfixturevalue("rabbitmq_url"), ("intake", "worker", "worker")


def bodies(number: int, *, to: str) -> dict[str, Any]:
    return missed_bin(channel="api" if to == "register" else "web", uprn=str(100_000 + number))


def committed(made: Town) -> Counter[str]:
    return Counter(row["our_reference"] for office in ("waste", "register") for row in made.offices[office].ledger())


def fill(hub: OldHub) -> tuple[list[Queued], list[Queued]]:
    """A queue as it is found: due, waiting for a retry, leased by workers that are gone; and what is done with."""
    to_send: list[Queued] = []
    for number in range(QUEUED):
        to = "register" if number % 2 else "waste"
        to_send.append(hub.take(bodies(number, to=to), to=to, due_in=timedelta(seconds=3 if number % 7 == 0 else 0)))
    for number, (phase, to, safety) in enumerate(
        [("prepared", "waste", "unsafe")] * 10 + [("sending", "register", "idempotent")] * 10
    ):
        one = hub.take(bodies(1_000 + number, to=to), to=to)
        hub.claim(one, lease=GONE, phase=phase, safety=safety)
        to_send.append(one)
    done = [
        hub.take(bodies(2_000, to="waste"), to="waste", state=state, due_in=None) for state in ("dead", "discarded")
    ]
    return to_send, done


@pytest.mark.parametrize(
    "kind", ["embedded", pytest.param("production", marks=[pytest.mark.postgres, pytest.mark.rabbitmq])]
)
def test_an_upgrade_with_a_full_queue_delivers_each_once(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with set_up(kind, tmp_path, request) as (url, broker_url, roles), closing(Scene(url)) as scene:
        scene.upgrade(to="0001")
        to_send, done = scene.old(fill)
        with town(tmp_path, database_url=url, broker_url=broker_url, roles=roles) as made:
            scene.until({"delivered": len(to_send), "dead": 1, "discarded": 1})
            assert committed(made) == Counter({one.reference: 1 for one in to_send})
            status, told = made.ops("GET", f"/v1/submissions/{to_send[0].reference}")
            assert (status, told["status"]) == (200, "delivered")
            assert made.ops("POST", f"/v1/deliveries/{done[0].delivery}/replay", {"reason": "mended"})[0] == 200
            scene.until({"delivered": len(to_send) + 1, "discarded": 1})


@pytest.fixture(scope="module")
def beside(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scene, Town]]:
    """A new hub on a database that an old hub still writes to."""
    request.getfixturevalue("postgres_server")
    with (
        services.fresh_database() as url,
        town(
            tmp_path_factory.mktemp("beside"), database_url=url, broker_url=request.getfixturevalue("rabbitmq_url"),
            roles=("intake", "worker"),
        ) as made,
        closing(Scene(url)) as scene,
    ):  # fmt: skip
        yield scene, made


@pytest.mark.postgres
@pytest.mark.rabbitmq
@pytest.mark.parametrize("to", ["waste", "register"])
def test_what_an_old_intake_queues_a_new_worker_sends(beside: tuple[Scene, Town], to: str) -> None:
    scene, made = beside
    one = scene.old(lambda hub: hub.take(bodies(1, to=to), to=to))
    scene.until({"delivered": 1}, one)
    assert committed(made)[one.reference] == 1


@pytest.mark.postgres
@pytest.mark.rabbitmq
def test_what_an_old_worker_holds_a_new_one_leaves_alone_and_shows(beside: tuple[Scene, Town]) -> None:
    scene, made = beside
    one = scene.old(lambda hub: hub.take(bodies(2, to="waste"), to="waste", due_in=timedelta(hours=1)))
    attempt = scene.old(lambda hub: hub.claim(one, lease=ALIVE, phase="sending", safety="unsafe"))
    time.sleep(5)
    assert scene.states(one) == {"sending": 1}
    scene.old(lambda hub: hub.conclude(one, attempt, their_reference="WS-OLD"))
    told = made.ops("GET", f"/v1/submissions/{one.reference}")[1]
    assert (told["status"], told["deliveries"][0]["reference"]) == ("delivered", "WS-OLD")
    assert committed(made)[one.reference] == 0


@pytest.mark.postgres
@pytest.mark.rabbitmq
@pytest.mark.parametrize(
    ("phase", "to", "safety", "state"),
    [
        ("prepared", "waste", "unsafe", "delivered"),
        ("sending", "register", "idempotent", "delivered"),
        ("sending", "waste", "unsafe", "unclear"),
    ],
)
def test_what_an_old_worker_held_when_it_died_a_new_one_takes_back(
    beside: tuple[Scene, Town], phase: str, to: str, safety: str, state: str
) -> None:
    scene, made = beside

    def died(hub: OldHub) -> Queued:
        one = hub.take(bodies(3, to=to), to=to)
        hub.claim(one, lease=GONE, phase=phase, safety=safety)
        return one

    one = scene.old(died)
    scene.until({state: 1}, one)
    assert committed(made)[one.reference] == (state == "delivered")


@pytest.mark.postgres
@pytest.mark.rabbitmq
def test_a_process_starts_on_the_schema_of_a_later_release(beside: tuple[Scene, Town]) -> None:
    scene, made = beside
    scene.stamp("9999")
    try:
        worker = made.start("worker")
        assert worker.log.read_text().count("store.newer_schema") == 1
        assert "newer than this hub's" in made.hub("db", "upgrade")
    finally:
        scene.stamp(schema.head())
