"""The queue door: what is published is stored before it is acknowledged, and what is invalid is set aside."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from kombu import Connection

from hub.broker.line import Patience
from hub.broker.mailbox import Mailbox
from hub.broker.outage import Outage
from hub.broker.queues import Mailboxes
from hub.intake.amqp import QueueDoor
from hub.store import tables
from tests.integration.intake_house import House, body, house

pytestmark = pytest.mark.rabbitmq
USER = "guest"  #: whom the broker of the tests verifies


@dataclass
class Street:
    """A publisher's side of the broker."""

    connection: Connection
    names: Mailboxes

    def post(self, what: Any, **properties: Any) -> None:
        raw = what if isinstance(what, bytes) else json.dumps(what).encode()
        given = {"user_id": USER, "message_id": str(uuid4()), **properties}
        with self.connection.Producer() as producer:
            producer.publish(
                raw, exchange=self.names.exchange.name, routing_key="northborough.missed-bin",
                content_type="application/json", content_encoding="utf-8", **given,
            )  # fmt: skip

    def waiting(self, queue: str) -> int:
        with self.connection.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).message_count)

    async def taken_from(self, queue: str) -> Any:
        for _ in range(200):
            with self.connection.channel() as channel:
                message = channel.basic_get(queue, no_ack=True)
            if message is not None:
                return message
            await asyncio.sleep(0.05)
        raise AssertionError(f"nothing came to {queue}")


@pytest.fixture
def street(rabbitmq_url: str) -> Iterator[Street]:
    names = Mailboxes(prefix=f"test-{uuid4().hex[:8]}")
    with Connection(rabbitmq_url) as connection:
        names.declare(connection.default_channel)
        try:
            yield Street(connection, names)
        finally:
            for queue in (f"{names.prefix}.submissions.in", names.rejected_name):
                connection.default_channel.queue_delete(queue)
            connection.default_channel.exchange_delete(names.exchange.name)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path / 'hub.db'}") as made:
        made.front_end(USER)
        yield made


@asynccontextmanager
async def opened(hub: House, street: Street, url: str) -> AsyncIterator[Mailbox]:
    door = QueueDoor(hub.app.state.room.deps)
    mailbox = Mailbox(url, names=street.names, hear=door.hear, patience=Patience(), outage=Outage(broker="test"))
    door.open(mailbox, asyncio.get_running_loop())
    mailbox.start()
    try:
        yield mailbox
    finally:
        mailbox.stop()
        await asyncio.to_thread(mailbox.join, timeout=8)
        await door.close()


def stored(hub: House) -> int:
    return len(hub.store.transact_now(lambda connection: connection.execute(tables.submission.select()).all()))


async def until(condition: Any) -> None:
    for _ in range(200):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come to that")


async def test_what_is_published_is_stored_acknowledged_and_answered(
    hub: House, street: Street, rabbitmq_url: str
) -> None:
    reply_to = street.connection.default_channel.queue_declare("", exclusive=True).queue
    async with opened(hub, street, rabbitmq_url) as mailbox:
        street.post(body(), reply_to=reply_to, correlation_id="mine")
        answer = await street.taken_from(reply_to)
        await until(lambda: mailbox.taken == 1)
    told = json.loads(answer.body)
    assert told["status"] == "accepted" and answer.properties["correlation_id"] == "mine"
    assert stored(hub) == 1 and street.waiting(f"{street.names.prefix}.submissions.in") == 0
    assert hub.rung == ["northborough/waste"]


async def test_the_same_message_twice_is_one_submission(hub: House, street: Street, rabbitmq_url: str) -> None:
    async with opened(hub, street, rabbitmq_url) as mailbox:
        for _ in range(3):
            street.post(body(), message_id="one and the same")
        await until(lambda: mailbox.taken == 3)
    assert stored(hub) == 1


@pytest.mark.parametrize(
    ("what", "properties", "problem", "says"),
    [
        (body(details={}), {}, "invalid", "#/details/containers"),
        (b"\xff not utf-8", {}, "unreadable", "#"),
        (body(council="nowhere"), {}, "not-found", "#"),
        (body(), {"user_id": None}, "unauthenticated", "#"),
        (body(), {"message_id": None}, "idempotency-key-invalid", "#"),
    ],
)
async def test_what_is_invalid_is_set_aside_with_the_reasons(
    hub: House, street: Street, rabbitmq_url: str, what: Any, properties: dict[str, Any], problem: str, says: str
) -> None:
    async with opened(hub, street, rabbitmq_url) as mailbox:
        street.post(what, **properties)
        kept = await street.taken_from(street.names.rejected_name)
        await until(lambda: mailbox.rejected == 1)
    headers = kept.properties["application_headers"]
    assert headers["problem_type"].endswith(f"/problems/{problem}")
    assert headers["fault_count"] == len(headers["faults"]) == 1 and headers["faults"][0]["pointer"] == says
    assert bytes(kept.body) == (what if isinstance(what, bytes) else json.dumps(what).encode())
    assert stored(hub) == 0


async def test_other_content_under_a_known_id_is_set_aside(hub: House, street: Street, rabbitmq_url: str) -> None:
    async with opened(hub, street, rabbitmq_url) as mailbox:
        street.post(body(), message_id="mine")
        await until(lambda: mailbox.taken == 1)
        street.post(body(description="something else"), message_id="mine")
        await until(lambda: mailbox.rejected == 1)
    assert stored(hub) == 1


async def test_while_the_store_is_away_messages_wait_and_none_is_lost(
    hub: House, street: Street, rabbitmq_url: str, tmp_path: Path
) -> None:
    async with opened(hub, street, rabbitmq_url) as mailbox:
        hub.store.writing.dispose()
        file = tmp_path / "hub.db"
        file.rename(tmp_path / "away.db")
        file.mkdir()
        for _ in range(5):
            street.post(body())
        await asyncio.sleep(1)
        assert mailbox.taken == mailbox.rejected == 0
        file.rmdir()
        (tmp_path / "away.db").rename(file)
        await until(lambda: mailbox.taken == 5)
    assert stored(hub) == 5


async def test_an_answer_that_nobody_waits_for_stops_nothing(hub: House, street: Street, rabbitmq_url: str) -> None:
    async with opened(hub, street, rabbitmq_url) as mailbox:
        street.post(body(), reply_to="a queue that is gone")
        street.post(body(), reply_to="a queue that is gone")
        await until(lambda: mailbox.taken == 2)
    assert mailbox.unanswered == 2 and stored(hub) == 2


async def test_a_door_that_closes_leaves_what_it_had_not_finished(
    hub: House, street: Street, rabbitmq_url: str
) -> None:
    for _ in range(300):
        street.post(body())
    async with opened(hub, street, rabbitmq_url) as mailbox:
        await until(lambda: mailbox.taken > 20)
    async with opened(hub, street, rabbitmq_url):
        await until(lambda: stored(hub) == 300)


async def test_the_door_is_described(hub: House) -> None:
    told = (await hub.caller(None).get("/asyncapi.json")).json()
    assert told["asyncapi"] == "3.0.0"
    assert told["channels"]["submissions"]["address"] == Mailboxes().exchange.name
    assert told["channels"]["rejected"]["address"] == Mailboxes().rejected_name
