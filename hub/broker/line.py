"""One connection to the broker, on a thread of its own, kept up for ever."""

from __future__ import annotations

import socket
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle
from ssl import CERT_NONE
from time import monotonic
from typing import Any, ClassVar

from kombu.connection import Connection
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_when_event_set, wait_random_exponential
from tenacity.nap import sleep_using_event

from hub.broker.outage import Outage


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the hub waits for the broker, thing by thing."""

    connect: timedelta = timedelta(seconds=5)
    answer: timedelta = timedelta(seconds=5)  #: any one word from or to the broker
    heartbeat: timedelta = timedelta(seconds=10)  #: two missed ones and the connection is dead
    echo: timedelta = timedelta(seconds=10)  #: how often a listener rings itself; deaf to three, it reconnects
    turn: timedelta = timedelta(milliseconds=250)  #: the longest wait inside one turn
    settled: timedelta = timedelta(seconds=10)  #: a line that held this long begins anew with short waits
    longest_wait: timedelta = timedelta(seconds=15)  #: between two tries to connect
    stuck: timedelta = timedelta(seconds=60)  #: a thread that did not turn for this long is replaced


class Line(ABC):
    """Connects, turns, and reconnects with growing waits until it is stopped.

    kombu's connections are not safe to share, so everything that touches one
    runs on this line's thread, in `opened`, `turn` and `closing`.
    """

    role: str
    transport_options: ClassVar[dict[str, Any]] = {}

    def __init__(self, url: str, *, patience: Patience, outage: Outage) -> None:
        self._patience = patience
        self._outage = outage
        self._urls = cycle(url.split(";"))  #: the nodes of a cluster take turns
        self._stopping = threading.Event()
        self._turned_at = monotonic()
        self._connection: Connection | None = None
        self.connected = False
        self._thread = threading.Thread(target=self._run, name=f"hub-bell-{self.role}", daemon=True)

    @abstractmethod
    def opened(self, connection: Connection) -> None:
        """Declare and subscribe what this line needs; called on each new connection."""

    @abstractmethod
    def turn(self, connection: Connection) -> None:
        """Do what there is to do, waiting `patience.turn` at most."""

    @abstractmethod
    def closing(self, connection: Connection) -> None:
        """Say goodbye; called when the line is stopped while it is up."""

    @abstractmethod
    def wake(self) -> None:
        """End a wait inside `turn` early. Any thread."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end after this turn. Does not wait."""
        self._stopping.set()
        self.wake()

    def join(self, *, timeout: float) -> None:
        self._thread.join(timeout)

    def abandon(self) -> None:
        """Give up on a thread that does not turn: it ends as soon as it can, and its socket is shut under it."""
        self.stop()
        self.connected = False
        with suppress(Exception):  # whatever state it is in, another thread has it
            _socket(self._connection).shutdown(socket.SHUT_RDWR)

    @property
    def stuck(self) -> bool:
        """The thread has died, or has not turned for longer than any wait may take."""
        silent = monotonic() - self._turned_at
        return not self._thread.is_alive() or silent > self._patience.stuck.total_seconds()

    def _run(self) -> None:
        retrying = Retrying(
            retry=retry_if_exception_type(Exception),
            wait=wait_random_exponential(multiplier=0.25, max=self._patience.longest_wait.total_seconds()),
            stop=stop_when_event_set(self._stopping),
            sleep=sleep_using_event(self._stopping),
        )
        while not self._stopping.is_set():
            with suppress(RetryError):
                retrying(self._session)

    def _session(self) -> None:
        """Connect and turn until told to stop or until the line breaks.

        A line that breaks before it has settled raises, so that the waits
        grow; one that had settled returns, so that they begin anew.
        """
        if self._stopping.is_set():
            return
        began = self._turned_at = monotonic()
        connection: Connection | None = None
        try:
            connection = self._connection = self._connect()
            self.opened(connection)
            self.connected = True
            self._outage.over(self.role)
            while not self._stopping.is_set():
                connection.heartbeat_check()
                self.turn(connection)
                self._turned_at = monotonic()
            self.closing(connection)
            connection.release()
        except Exception as failure:
            self._outage.begins(self.role, failure)
            if not self.connected or monotonic() - began < self._patience.settled.total_seconds():
                raise
        finally:
            self.connected = False
            self._connection = None
            if connection is not None:
                with suppress(Exception):  # it is broken; only its socket has to go
                    connection.collect()

    def _connect(self) -> Connection:
        connection = Connection(
            next(self._urls),
            connect_timeout=self._patience.connect.total_seconds(),
            heartbeat=self._patience.heartbeat.total_seconds(),
            transport_options=dict(self.transport_options),
        )
        if connection.transport_cls == "amqps":
            connection.ssl = _terms_of_trust(connection.ssl)
        connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)  # the waits are ours
        if connection.supports_heartbeats:
            # py-amqp waits for ever for an answer that was asked for (a declare, a close), and its
            # own read_timeout starts over at every byte that is missing; the socket's does not.
            _socket(connection).settimeout(self._patience.answer.total_seconds())
        return connection


def _terms_of_trust(given: Any) -> dict[str, Any]:
    """What an address says of TLS (`?ssl_ca_certs=/path&ssl_certfile=…&ssl_keyfile=…`), as py-amqp calls it."""
    terms = {name.removeprefix("ssl_"): value for name, value in given.items()} if isinstance(given, dict) else {}
    # Without a name to compare, py-amqp takes any certificate that verifies; None is the name in the address.
    return terms if terms.get("cert_reqs") == CERT_NONE else {"server_hostname": None, **terms}


def _socket(connection: Connection | None) -> Any:
    return connection.connection.sock if connection is not None else None
