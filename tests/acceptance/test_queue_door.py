"""The queue door under kills: 5,000 messages, the hub killed, the broker cut off, and every one stored once."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from kombu import Connection

from hub.broker.queues import Mailboxes
from hub.store import tables
from tests import services
from tests.bodies import missed_bin
from tests.proxy import Network, network
from tests.towns import Town, town

pytestmark = [pytest.mark.timeout(240), pytest.mark.postgres, pytest.mark.rabbitmq]

MANY = 5_000
POISON = 7
NAMES = Mailboxes()
INCOMING = f"{NAMES.prefix}.submissions.in"


@pytest.fixture(scope="module")
def between(rabbitmq_url: str) -> Iterator[Network]:
    with network(*services.rabbitmq_at()) as made:
        yield made


@pytest.fixture(scope="module")
def broker(rabbitmq_url: str) -> Iterator[Connection]:
    """Past the network that breaks, with empty mailboxes."""
    with Connection(rabbitmq_url, transport_options={"confirm_publish": True}) as connection:
        NAMES.declare(connection.default_channel)
        for queue in (INCOMING, NAMES.rejected_name):
            connection.default_channel.queue_purge(queue)
        yield connection
        for queue in (INCOMING, NAMES.rejected_name):
            connection.default_channel.queue_purge(queue)


@pytest.fixture(scope="module")
def northborough(
    module_postgres_url: str,
    rabbitmq_url: str,
    between: Network,
    broker: Connection,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Town]:
    host, port = services.rabbitmq_at()
    broker_url = rabbitmq_url.replace(f"{host}:{port}", f"127.0.0.1:{between.port}")
    folder = tmp_path_factory.mktemp("town")
    with town(
        folder, database_url=module_postgres_url, broker_url=broker_url, roles=("intake", "worker")
    ) as made:  # fmt: skip
        made.hub("front-ends", "add", "guest", "--councils", "*", "--services", "*", "--json")
        yield made


def publish(broker: Connection) -> None:
    """All of them, each confirmed by the broker, and some poison between."""
    with broker.clone() as own, own.Producer() as producer:
        for number in range(MANY):
            bodies = [json.dumps(missed_bin(channel="api") | {"front_end_reference": f"Q{number}"}).encode()]
            if number % (MANY // POISON) == 1 and number < MANY - 100:
                bodies.append(b'{"not": "a submission"}')
            for at, body in enumerate(bodies):
                producer.publish(
                    body, exchange=NAMES.exchange.name, routing_key="northborough.missed-bin", user_id="guest",
                    message_id=f"message-{number}-{at}", delivery_mode=2, content_type="application/json",
                    content_encoding="utf-8",
                )  # fmt: skip


def waiting(broker: Connection, queue: str) -> int:
    return int(broker.default_channel.queue_declare(queue, passive=True).message_count)


def stored(url: str) -> Counter[str]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return Counter(connection.execute(sa.select(tables.submission.c.front_end_reference)).scalars())


def wait_for(town: Town, url: str, *, count: int, seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while len(stored(url)) < count:
        assert time.monotonic() < end, f"{len(stored(url))} of {count}: {town.processes[0].log.read_text()[-2000:]}"
        time.sleep(0.2)


def test_of_5000_messages_none_is_lost_or_taken_twice_whatever_is_killed(
    northborough: Town, between: Network, broker: Connection, module_postgres_url: str
) -> None:
    publishing = threading.Thread(target=publish, args=(broker,))
    publishing.start()
    for share in (0.1, 0.3, 0.5):
        wait_for(northborough, module_postgres_url, count=int(MANY * share))
        intake = next(process for process in northborough.processes if process.role == "intake")
        intake.kill()
        northborough.restart(intake)
    between.refuse()
    time.sleep(1)
    between.listen()
    wait_for(northborough, module_postgres_url, count=int(MANY * 0.7))
    between.cut()
    publishing.join()
    wait_for(northborough, module_postgres_url, count=MANY, seconds=120)
    end = time.monotonic() + 30
    while waiting(broker, INCOMING):
        assert time.monotonic() < end
        time.sleep(0.1)
    kept = stored(module_postgres_url)
    assert len(kept) == MANY and set(kept.values()) == {1}
    assert waiting(broker, NAMES.rejected_name) >= POISON, "poison is parked, and stops nobody"
