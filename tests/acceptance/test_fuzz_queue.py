"""A fuzz of the queue door: each message is stored or among the rejected with reasons, and none is given up on.

A tenth of test_fuzz.py's number, with the same settings.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from kombu import Connection

from hub.broker.queues import Mailboxes
from hub.store import tables
from tests.doors import Doors
from tests.fuzzing import TEXTS, as_json, battered, spoilt
from tests.towns import Town
from tests.wide import wide_town

MESSAGES = int(os.environ.get("HUB_TEST_FUZZ", "2000")) // 10
SEED = os.environ.get("HUB_TEST_FUZZ_SEED", "20261124")
NAMES = Mailboxes()
INCOMING = f"{NAMES.prefix}.submissions.in"

pytestmark = [pytest.mark.timeout(180 + MESSAGES // 5), pytest.mark.postgres, pytest.mark.rabbitmq]


@pytest.fixture
def broker(rabbitmq_url: str) -> Iterator[Connection]:
    """With empty mailboxes, before and after."""
    with Connection(rabbitmq_url, transport_options={"confirm_publish": True}) as connection:
        NAMES.declare(connection.default_channel)
        for purge in (True, False):
            for queue in (INCOMING, NAMES.rejected_name):
                connection.default_channel.queue_purge(queue)
            if purge:
                yield connection


@pytest.fixture
def wide(tmp_path: Path, postgres_url: str, rabbitmq_url: str, broker: Connection) -> Iterator[Town]:
    with wide_town(tmp_path, database_url=postgres_url, broker_url=rabbitmq_url) as made:
        made.hub("front-ends", "add", "guest", "--councils", "*", "--services", "*", "--json")
        yield made


def message(doors: Doors, number: int) -> tuple[bytes, dict[str, Any]]:
    """A body and its properties, mostly spoilt in one or the other."""
    dice = random.Random(f"{SEED}-queue-{number}")
    tree = doors.submission(dice)
    body = as_json(spoilt(tree, dice) if dice.random() < 0.6 else tree, dice)
    if dice.random() < 0.3:
        body = battered(body, dice)
    properties: dict[str, Any] = {
        "user_id": "guest", "message_id": f"fuzz-{number}", "content_type": "application/json",
        "content_encoding": "utf-8", "delivery_mode": 2, "correlation_id": "c", "headers": {},
    }  # fmt: skip
    if dice.random() < 0.2:
        properties["user_id"] = None
    if dice.random() < 0.2:
        name = dice.choice(("message_id", "content_type", "content_encoding", "correlation_id", "reply_to"))
        properties[name] = dice.choice(TEXTS).encode("utf-8", "replace")[:100].decode("utf-8", "ignore")
    if dice.random() < 0.2:
        properties["headers"] = {
            "traceparent": dice.choice((5, True, None, [1], {"a": 1}, "00-x", "x" * 5_000)),
            "x": 1,
        }
    return body, properties


def rejected(broker: Connection) -> list[tuple[Any, dict[str, Any]]]:
    """What is among the rejected: the body, and the headers that it was put there with."""
    found = []
    while (one := broker.default_channel.basic_get(NAMES.rejected_name, no_ack=True)) is not None:
        found.append((one.body, dict(one.headers or {})))
    return found


def stored(url: str) -> int:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(tables.submission)).scalar_one())


def test_whatever_is_thrown_at_the_queue_is_stored_or_rejected_and_counted(
    wide: Town, broker: Connection, postgres_url: str
) -> None:
    today = datetime.now(ZoneInfo("Europe/London")).date()
    doors = Doors(key=wide.key, token=wide.token, there={}, today=today)
    names: list[str] = []
    with broker.clone() as own, own.Producer() as producer:
        for number in range(MESSAGES):
            body, properties = message(doors, number)
            names.append(properties["message_id"])
            told = {name: value for name, value in properties.items() if value is not None}
            producer.publish(body, exchange=NAMES.exchange.name, routing_key="northborough.x", **told)
    end = time.monotonic() + 60 + MESSAGES / 20
    there: list[tuple[Any, dict[str, Any]]] = []
    while len(there) + stored(postgres_url) < MESSAGES - (len(names) - len(set(names))):
        assert time.monotonic() < end, f"{len(there)} rejected, {stored(postgres_url)} stored of {MESSAGES}"
        time.sleep(0.5)
        there += rejected(broker)
    time.sleep(1)
    there += rejected(broker)
    given_up = [headers for _, headers in there if "x-death" in headers]
    print(f"{MESSAGES} messages: {stored(postgres_url)} stored, {len(there)} rejected, {len(given_up)} given up on")
    assert not given_up
    assert len(there) > MESSAGES // 10 < stored(postgres_url)
    assert all(json.dumps(headers) for _, headers in there)
