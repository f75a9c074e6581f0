"""Hears the bells: each listener has a queue of its own, so every worker hears every bell."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import structlog
from amqp.exceptions import PreconditionFailed
from kombu.connection import Connection
from kombu.message import Message
from kombu.messaging import Consumer, Producer

from hub.broker.line import Line, Patience
from hub.broker.outage import Outage
from hub.broker.queues import Names, new_token

log = structlog.get_logger(__name__)

LONGEST_ID = 200
MOST_IN_ONE = 1_000  #: destinations; a ringer names 200 at most
LONGEST_PARKED = 4_096  #: bytes kept of a message that is no bell
ECHOES_MISSED = 3


class Deaf(Exception):
    """The connection looks well, but this listener no longer hears itself."""


class Listener(Line):
    """The consuming side. `hear` is called on this line's thread and must not block.

    Bells are taken without acknowledgement: one that is lost with its listener
    was a hint, and the tick finds the row.
    """

    role = "listener"

    def __init__(
        self,
        url: str,
        *,
        names: Names,
        hear: Callable[[list[str]], None],
        patience: Patience,
        outage: Outage,
        nudge: threading.Event | None = None,
    ) -> None:
        super().__init__(url, patience=patience, outage=outage)
        self._names = names
        self._hear = hear
        self._nudge = nudge
        self._token = ""
        self._producer: Producer | None = None
        self._consumer: Consumer | None = None
        self._heard_at = self._echo_at = 0.0
        self.heard = 0
        self.parked = 0

    def opened(self, connection: Connection) -> None:
        self._token = new_token()
        channel = connection.channel()
        self._declare_parking(connection)
        queue = self._names.listener(self._token)(channel)
        queue.declare()
        queue.bind_to(queue.exchange, routing_key=self._token)
        self._producer = Producer(channel, serializer="json", auto_declare=False)
        self._consumer = Consumer(
            channel,
            [queue],
            no_ack=True,
            accept=["json"],
            auto_declare=False,
            callbacks=[self._receive],
            on_decode_error=lambda message, _: self._park(message, why="not JSON"),
        )
        self._consumer.consume()
        self._heard_at = monotonic()
        self._echo_at = 0.0

    def turn(self, connection: Connection) -> None:
        self._listen_to_itself()
        patience = self._patience.turn.total_seconds()
        if self._nudge is not None:
            # The memory broker cannot be waited on, only polled; the ringer says when there is something.
            self._nudge.wait(patience)
            self._nudge.clear()
        until = monotonic() + patience  # a turn ends even while bells keep coming: heartbeats are sent in between
        try:
            while not self._stopping.is_set() and monotonic() < until:
                connection.drain_events(timeout=0 if self._nudge else patience)
        except TimeoutError:
            return
        if self._nudge is not None:
            self._nudge.set()  # there may be more

    def closing(self, connection: Connection) -> None:
        if self._consumer is not None:
            self._consumer.cancel()

    def wake(self) -> None:
        if self._nudge is not None:
            self._nudge.set()

    def _listen_to_itself(self) -> None:
        """Ring our own queue now and then, by way of the exchange.

        A lost binding, a deleted queue or a proxy that answers heartbeats for a
        dead broker all look healthy from the socket.
        """
        now = monotonic()
        echo = self._patience.echo.total_seconds()
        if now - self._heard_at > ECHOES_MISSED * echo:
            raise Deaf
        if now >= self._echo_at and self._producer is not None:
            self._echo_at = now + echo
            self._producer.publish(
                {"echo": self._token}, exchange=self._names.bells, routing_key=self._token, delivery_mode="transient"
            )

    def _receive(self, body: Any, message: Message) -> None:
        self._heard_at = monotonic()
        match body:
            case {"destinations": [*destinations]} if _are_destinations(destinations):
                self.heard += 1
                self._hear(destinations)
            case {"echo": str(token)} if token == self._token:
                pass
            case _:
                self._park(message, why="not a bell")

    def _declare_parking(self, connection: Connection) -> None:
        channel = connection.channel()
        try:
            self._names.parked(channel).declare()
            channel.close()
        except PreconditionFailed:
            # An older hub made it with other limits. Bells matter more than where odd messages are parked.
            log.warning(
                "bell.parking_differs", queue=self._names.parked.name, remedy="delete that queue when it is empty"
            )

    def _park(self, message: Message, *, why: str) -> None:
        """Set aside what cannot be a bell; it is never read again, and never stops the line."""
        self.parked += 1
        body = message.body.encode() if isinstance(message.body, str) else bytes(message.body or b"")
        if self._producer is not None:
            self._producer.publish(
                body[:LONGEST_PARKED],
                exchange="",
                routing_key=self._names.parked.name,
                content_type="application/octet-stream",
                content_encoding="binary",
                headers={"why": why, "at": datetime.now(UTC).isoformat(), "bytes": len(body)},
            )
        if self.parked & (self.parked - 1) == 0:  # the 1st, 2nd, 4th, 8th …: a flood must not fill the log
            log.warning("bell.parked", why=why, queue=self._names.parked.name, so_far=self.parked)


def _are_destinations(values: list[object]) -> bool:
    return 0 < len(values) <= MOST_IN_ONE and all(map(_is_destination, values))


def _is_destination(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.isprintable() and " " not in value
