"""Every exchange and queue name, once."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
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


#: What is invalid waits so long among the rejected for whoever sent it.
REJECTED_LIFE = timedelta(days=7)
#: A message that the hub could not finish so often is set aside, however that came about.
MOST_TRIES = 20
MOST_FAULTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailboxes:
    """The queue door's names: a front end's mailbox, and the one exception to "only ids travel"."""

    prefix: str = "hub"

    @property
    def exchange(self) -> Exchange:
        """Where front ends publish."""
        return Exchange(f"{self.prefix}.submissions", type="topic", durable=True)

    @property
    def rejected_name(self) -> str:
        return f"{self.prefix}.submissions.rejected"

    def incoming(self, channel: Any) -> Queue:
        """Replicated, and bounded in tries: a message that kills whoever takes it must not do so for ever."""
        queue = Queue(
            f"{self.prefix}.submissions.in",
            exchange=self.exchange,
            routing_key="#",
            durable=True,
            queue_arguments={
                "x-queue-type": "quorum",
                "x-delivery-limit": MOST_TRIES,
                "x-dead-letter-exchange": "",
                "x-dead-letter-routing-key": self.rejected_name,
                # Without these two a message on its way to the rejected could be lost with its node.
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",
            },
        )
        return queue(channel)

    def rejected(self, channel: Any) -> Queue:
        queue = Queue(
            self.rejected_name,
            durable=True,
            message_ttl=REJECTED_LIFE.total_seconds(),
            queue_arguments={"x-queue-type": "quorum"},
        )
        return queue(channel)

    def declare(self, channel: Any) -> None:
        """Make what is not there. Raises PreconditionFailed where it is there with other settings."""
        self.rejected(channel).declare()
        self.incoming(channel).declare()


def new_token() -> str:
    """Tells one connection's queue from every other's."""
    return uuid4().hex[:12]
