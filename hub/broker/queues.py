"""Every exchange and queue name, once."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from kombu.entity import Exchange, Queue

#: Every worker's queue is bound with this key, so that each hears every bell.
RING = "ring"

#: A bell older than this has been overtaken by the worker's own tick.
BELL_LIFE = timedelta(seconds=5)
BELL_QUEUE_LENGTH = 1_000

PARKED_LIFE = timedelta(days=7)
PARKED_LENGTH = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The broker's names under one prefix: hubs that share a vhost take different ones."""

    prefix: str = "hub"

    @property
    def bells(self) -> Exchange:
        """Where bells are rung; durable, so that a broker's restart keeps it."""
        return Exchange(f"{self.prefix}.bells", type="direct", durable=True)

    def listener(self, token: str) -> Queue:
        """One worker's own queue; it goes when the worker goes, and its settings may change with any release.

        `token` is new for each connection: the broker still holds the name for
        a connection that it has not yet noticed to be dead.
        """
        return Queue(
            f"{self.prefix}.bells.{socket.gethostname()}.{os.getpid()}.{token}",
            exchange=self.bells,
            routing_key=RING,
            durable=False,
            exclusive=True,
            auto_delete=True,
            message_ttl=BELL_LIFE.total_seconds(),
            max_length=BELL_QUEUE_LENGTH,
        )

    @property
    def parked(self) -> Queue:
        """What came as a bell and is none; for a person to look at, and bounded in number and age."""
        return Queue(
            f"{self.prefix}.bells.parked",
            durable=True,
            message_ttl=PARKED_LIFE.total_seconds(),
            max_length=PARKED_LENGTH,
        )


def new_token() -> str:
    """Tells one connection's queue from every other's."""
    return uuid4().hex[:12]
