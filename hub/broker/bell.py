"""Ring and listen: tells workers, by id alone, that a destination has something due."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from urllib.parse import urlsplit

import structlog
from kombu.connection import Connection
from kombu.transport.memory import Channel as MemoryBroker

from hub.broker.line import Line, Patience
from hub.broker.listener import Listener
from hub.broker.outage import Outage
from hub.broker.queues import Names, new_token
from hub.broker.ringer import Outbox, Ringer
from hub.errors import SettingsError

log = structlog.get_logger(__name__)

#: At most one bell for a destination in this time; the tick is 20 times slower.
INTERVAL = timedelta(milliseconds=50)

#: Destinations that one look of the loop is told of; what is left out is found by the tick.
MOST_HEARD = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What the bell has done since it was made; for metrics."""

    rung: int  #: calls of `ring`
    waiting: int  #: destinations that still have to be rung; no more than there are, however long the broker is away
    sent: int  #: messages that left
    heard: int  #: messages that came
    parked: int  #: messages that were no bells
    outages: int
    replaced: int  #: threads that no longer turned


class Bell:
    """Hints that travel by broker; every one of them may be lost without harm.

    `memory://` reaches the listener of this same Bell and nobody else; several
    processes need `amqp://`. Nodes of a cluster are separated by `;`.
    """

    def __init__(self, url: str, *, prefix: str = "hub", patience: Patience | None = None) -> None:
        schemes = {node.split("://", 1)[0] for node in url.split(";")}
        if schemes - {"amqp", "amqps"} and schemes != {"memory"}:
            raise SettingsError("HUB_BROKER_URL must begin with memory://, amqp:// or amqps://")
        self._url = url
        self._patience = patience or Patience()
        self._in_memory = schemes == {"memory"}
        # kombu's memory broker is one for the whole process: a name of our own keeps two hubs apart.
        self._names = Names(prefix=f"{prefix}-{new_token()}" if self._in_memory else prefix)
        self._nudge = threading.Event() if self._in_memory else None
        self._outage = Outage(broker=", ".join(urlsplit(node).netloc.rpartition("@")[2] for node in url.split(";")))
        self._outbox = Outbox(INTERVAL)
        self._stopping = threading.Event()
        self._changing = threading.Lock()  #: the lines
        self._lines: list[Line] = []
        self._past: list[Line] = []  #: kept for the counts
        self._replaced = 0
        self._watchdog = threading.Thread(target=self._watch, name="hub-bell-watchdog", daemon=True)
        self._hearing = threading.Lock()
        self._heard: dict[str, None] = {}  #: what the loop has yet to be told, in the order in which it came
        self._loop: asyncio.AbstractEventLoop | None = None
        self._on_ring: Callable[[str], None] | None = None
        self._rung = 0

    def start(self, loop: asyncio.AbstractEventLoop | None, on_ring: Callable[[str], None] | None) -> None:
        """Connect in the background; returns at once, whether or not there is a broker.

        `on_ring(destination_id)` is called in `loop`. None means that this
        process only rings.
        """
        self._loop, self._on_ring = loop, on_ring
        if self._in_memory:
            # Two lines that declare the same exchange at once can lose a binding in kombu's memory broker.
            with Connection(self._url) as connection:
                self._names.bells(connection.channel()).declare()
        self._lines = [self._new_ringer(), *([self._new_listener()] if on_ring else [])]
        for line in self._lines:
            line.start()
        self._watchdog.start()

    def ring(self, destination_id: str) -> None:
        """Say that this destination has something due. Any thread; never blocks, never raises."""
        self._rung += 1
        self._outbox.put(destination_id)

    @property
    def outage(self) -> Outage:
        """The one account of this broker's absence, for whoever else has a line to it."""
        return self._outage

    @property
    def healthy(self) -> bool:
        """Every line is connected and turning."""
        return bool(self._lines) and all(line.connected and not line.stuck for line in self._lines)

    @property
    def counts(self) -> Counts:
        lines = [*self._past, *self._lines]
        return Counts(
            rung=self._rung,
            waiting=len(self._outbox),
            sent=sum(line.sent for line in lines if isinstance(line, Ringer)),
            heard=sum(line.heard for line in lines if isinstance(line, Listener)),
            parked=sum(line.parked for line in lines if isinstance(line, Listener)),
            outages=self._outage.count,
            replaced=self._replaced,
        )

    def stop(self, timeout: timedelta = timedelta(seconds=5)) -> None:
        """Send what is due, then hang up. Blocks for `timeout` at most; safe to call twice."""
        self._stopping.set()
        until = monotonic() + timeout.total_seconds()
        with self._changing:
            lines, self._lines = self._lines, []
            self._past += lines
        for line in lines:
            line.stop()
        for line in lines:
            line.join(timeout=max(0.0, until - monotonic()))
        if self._in_memory and lines:
            self._forget()

    def _new_ringer(self) -> Line:
        return Ringer(
            self._url,
            names=self._names,
            outbox=self._outbox,
            patience=self._patience,
            outage=self._outage,
            nudge=self._nudge,
        )

    def _new_listener(self) -> Line:
        return Listener(
            self._url,
            names=self._names,
            hear=self._hear,
            patience=self._patience,
            outage=self._outage,
            nudge=self._nudge,
        )

    def _hear(self, destinations: list[str]) -> None:
        """However many bells come before the loop has time for them, it is told once of each destination."""
        with self._hearing:
            told_soon = bool(self._heard)
            self._heard.update(dict.fromkeys(destinations[: MOST_HEARD - len(self._heard)]))
        if self._loop is not None and not told_soon:
            with suppress(RuntimeError):  # the loop has been closed: the process is ending
                self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        with self._hearing:
            heard, self._heard = self._heard, {}
        if self._on_ring is not None and not self._stopping.is_set():
            for destination in heard:
                self._on_ring(destination)

    def _watch(self) -> None:
        """Replace a line whose thread no longer turns: a thread cannot be stopped, but it can be left behind."""
        while not self._stopping.wait(self._patience.stuck.total_seconds() / 4):
            with self._changing:
                for place, line in enumerate(self._lines):
                    if line.stuck:
                        self._lines[place] = self._replace(line)

    def _replace(self, line: Line) -> Line:
        log.warning("bell.line_replaced", line=line.role)
        line.abandon()
        self._past.append(line)
        self._replaced += 1
        successor = self._new_ringer() if isinstance(line, Ringer) else self._new_listener()
        successor.start()
        return successor

    def _forget(self) -> None:
        """Take our names out of the process's one memory broker."""
        with Connection(self._url) as connection:
            connection.channel().exchange_delete(self._names.bells.name)
        for name in [name for name in MemoryBroker.queues if name.startswith(self._names.prefix)]:
            MemoryBroker.queues.pop(name, None)
