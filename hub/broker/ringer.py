"""Sends the bells that are due: unconfirmed, coalesced, on its own connection."""

from __future__ import annotations

import threading
from datetime import timedelta
from math import inf
from time import monotonic

from kombu.connection import Connection
from kombu.messaging import Producer

from hub.broker.coalescer import Coalescer
from hub.broker.line import Line, Patience
from hub.broker.outage import Outage
from hub.broker.queues import RING, Names

#: Destinations named in one message.
MOST_IN_ONE = 200

#: Between two messages: however many destinations are rung, 200 messages a second leave at most.
PACE = timedelta(milliseconds=5)


class Outbox:
    """Where `ring` leaves a destination for the ringer's thread to fetch. Any thread."""

    def __init__(self, interval: timedelta) -> None:
        self._changed = threading.Condition()
        self._coalescer = Coalescer(interval)
        self._paced_until = 0.0
        self._wakes_at = inf  #: when the ringer's thread looks again by itself
        self._woken = False

    def put(self, destination: str) -> None:
        with self._changed:
            due = self._coalescer.add(destination, now=monotonic())
            # Waking the thread costs more than all the rest; it need not be told what it will see in time.
            if due is not None and max(due, self._paced_until) < self._wakes_at:
                self._changed.notify()

    def __len__(self) -> int:
        """How many destinations wait; each once, however often and however long it was rung."""
        with self._changed:
            return len(self._coalescer)

    def take(self, *, timeout: timedelta) -> list[str]:
        """The destinations to ring now; waits for the first at most `timeout`, then returns none."""
        until = monotonic() + timeout.total_seconds()
        with self._changed:
            while True:
                now = monotonic()
                due = self._coalescer.take(now=now, most=MOST_IN_ONE) if now >= self._paced_until else []
                if due:
                    self._paced_until = now + PACE.total_seconds()
                if due or self._woken or now >= until:
                    self._woken, self._wakes_at = False, 0.0
                    return due
                self._wakes_at = min(until, max(self._paced_until, self._coalescer.next_due))
                self._changed.wait(self._wakes_at - now)

    def take_rest(self) -> list[str]:
        """Whatever has not left yet, due or not; for the last messages before the end."""
        with self._changed:
            return self._coalescer.take(now=inf, most=MOST_IN_ONE)

    def give_back(self, destinations: list[str]) -> None:
        with self._changed:
            self._coalescer.give_back(destinations, now=monotonic())

    def wake(self) -> None:
        with self._changed:
            self._woken = True
            self._changed.notify_all()


class Ringer(Line):
    """The publishing side.

    It has a connection of its own because RabbitMQ, short of memory, stops
    reading from those who publish; the listeners must not be stopped with them.
    """

    role = "ringer"

    def __init__(
        self,
        url: str,
        *,
        names: Names,
        outbox: Outbox,
        patience: Patience,
        outage: Outage,
        nudge: threading.Event | None = None,
    ) -> None:
        super().__init__(url, patience=patience, outage=outage)
        self._names = names
        self._outbox = outbox
        self._nudge = nudge
        self._producer: Producer | None = None
        self._read_at = 0.0
        self.sent = 0

    def opened(self, connection: Connection) -> None:
        exchange = self._names.bells(connection.channel())
        exchange.declare()
        self._producer = Producer(exchange.channel, exchange, routing_key=RING, serializer="json", auto_declare=False)

    def turn(self, connection: Connection) -> None:
        due = self._outbox.take(timeout=self._patience.turn)
        try:
            self._send(due)
        except Exception:
            self._outbox.give_back(due)
            raise
        self._read(connection)

    def closing(self, connection: Connection) -> None:
        while rest := self._outbox.take_rest():
            self._send(rest)

    def wake(self) -> None:
        self._outbox.wake()

    def _send(self, destinations: list[str]) -> None:
        if destinations and self._producer is not None:
            self._producer.publish({"destinations": destinations}, delivery_mode="transient")
            self.sent += 1
            if self._nudge is not None:
                self._nudge.set()

    def _read(self, connection: Connection) -> None:
        """Hear the broker's heartbeats and goodbyes, once in a turn's time: nobody else reads this connection."""
        now = monotonic()
        if now < self._read_at or not connection.supports_heartbeats:
            return
        self._read_at = now + self._patience.turn.total_seconds()
        try:
            while True:
                connection.drain_events(timeout=0.001)
        except TimeoutError:
            pass
