"""The queue door's mailbox: messages in, acknowledged only once somebody says what became of them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any, ClassVar

import structlog
from amqp import Message as Envelope
from kombu.connection import Connection
from kombu.message import Message
from kombu.messaging import Consumer

from hub.broker.line import Line, Patience
from hub.broker.outage import Outage
from hub.broker.queues import MOST_FAULTS, Mailboxes

log = structlog.get_logger(__name__)

PREFETCH = 64  #: as many as one commit takes; more would wait here instead of in the queue
_GLANCE = timedelta(milliseconds=10)  #: how long a turn listens while answers are awaited
_PERSISTENT = 2
_LONGEST_HEADER = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One message as it came. `sender` is the user whom the broker has verified, "" where it has verified none."""

    ticket: tuple[int, int]  #: which connection it came by, and its number there
    body: bytes
    sender: str
    message_id: str
    reply_to: str
    correlation_id: str
    trace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """It is stored: acknowledge it, and send `body` to whoever waits for an answer."""

    post: Post
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """It can never be taken as it is: put it among the rejected with the reasons, then acknowledge it."""

    post: Post
    problem: str  #: the problem's type
    body: bytes  #: the problem, for whoever waits for an answer
    faults: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """It could not be taken just now, and nobody knows why: back into the queue, which counts how often."""

    post: Post


Outcome = Taken | Rejected | Returned


class Mailbox(Line):
    """Consumes the hub's mailbox. `hear` is called on this line's thread and must not block.

    Whoever hears a Post calls `settle` with what became of it, from any
    thread. A connection that breaks meanwhile leaves it in the queue: it comes
    again, and its `message_id` makes the repeat harmless.
    """

    role = "mailbox"
    transport_options: ClassVar[dict[str, Any]] = {"confirm_publish": True}

    def __init__(
        self,
        url: str,
        *,
        names: Mailboxes,
        hear: Callable[[Post], None],
        patience: Patience,
        outage: Outage,
    ) -> None:
        super().__init__(url, patience=patience, outage=outage)
        self._names = names
        self._hear = hear
        self._lock = threading.Lock()
        self._settled: deque[Outcome] = deque()
        self._session_number = 0
        self._in_hand: dict[int, Message] = {}
        self._publishing: Any = None
        self._consumer: Consumer | None = None
        self._unrouted = False
        self.taken = self.rejected = self.returned = self.unanswered = 0

    def settle(self, outcome: Outcome) -> None:
        """Say what became of a Post. Any thread; does not block."""
        with self._lock:
            self._settled.append(outcome)

    def opened(self, connection: Connection) -> None:
        self._session_number += 1
        self._in_hand.clear()
        self._publishing = connection.channel()
        self._publishing.events["basic_return"].add(self._not_routed)
        channel = connection.channel()
        self._names.declare(channel)
        channel.basic_qos(0, PREFETCH, False)
        self._consumer = Consumer(
            channel,
            [self._names.incoming(channel)],
            no_ack=False,
            auto_declare=False,
            on_message=self._receive,
        )
        self._consumer.consume()

    def turn(self, connection: Connection) -> None:
        self._finish()
        waits = _GLANCE if self._in_hand else self._patience.turn
        try:
            connection.drain_events(timeout=waits.total_seconds())
        except TimeoutError:
            return

    def closing(self, connection: Connection) -> None:
        """Take nothing more, and wait a moment for what is in hand; what is not settled then comes again."""
        if self._consumer is not None:
            self._consumer.cancel()
        until = monotonic() + self._patience.answer.total_seconds()
        while self._in_hand and monotonic() < until:
            self._finish()
            self.wait(_GLANCE)

    def wake(self) -> None:
        """A turn is short; there is nothing to end early."""

    def wait(self, time: timedelta) -> None:
        threading.Event().wait(time.total_seconds())

    def _receive(self, message: Message) -> None:
        number = int(message.delivery_tag)
        self._in_hand[number] = message
        body = message.body
        self._hear(
            Post(
                ticket=(self._session_number, number),
                body=body.encode() if isinstance(body, str) else bytes(body or b""),
                sender=_text(message.properties.get("user_id")),
                message_id=_text(message.properties.get("message_id")),
                reply_to=_text(message.properties.get("reply_to")),
                correlation_id=_text(message.properties.get("correlation_id")),
                trace=_text((message.headers or {}).get("traceparent")),
            )
        )

    def _finish(self) -> None:
        """Do what was said of each, in the order in which it was said."""
        while True:
            with self._lock:
                if not self._settled:
                    return
                outcome = self._settled.popleft()
            session, number = outcome.post.ticket
            message = self._in_hand.pop(number, None) if session == self._session_number else None
            if message is not None:
                self._end(outcome, message)

    def _end(self, outcome: Outcome, message: Message) -> None:
        match outcome:
            case Taken():
                self._answer(outcome.post, outcome.body, "application/json")
                self.taken += 1
            case Rejected():
                # Confirmed before the original is let go: between the two there are two, never none.
                self._set_aside(outcome, message)
                self._answer(outcome.post, outcome.body, "application/problem+json")
                self.rejected += 1
            case Returned():
                self.returned += 1
                message.reject(requeue=True)
                return
        message.ack()

    def _set_aside(self, outcome: Rejected, message: Message) -> None:
        post = outcome.post
        headers = {
            "problem_type": outcome.problem,
            "message_id": post.message_id,
            "front_end": post.sender,
            "fault_count": len(outcome.faults),
            "faults": _few(outcome.faults),
        }
        kept = Envelope(
            post.body,
            content_type=message.content_type or "application/octet-stream",
            delivery_mode=_PERSISTENT,
            application_headers=headers,
            **{name: value for name in ("message_id", "correlation_id") if (value := getattr(post, name))},
        )
        self._publish(kept, queue=self._names.rejected_name)
        if self._unrouted:
            raise RuntimeError("the queue of the rejected is gone")  # a new connection declares it again

    def _answer(self, post: Post, body: bytes, content_type: str) -> None:
        if not post.reply_to:
            return
        letter = Envelope(
            body,
            content_type=content_type,
            delivery_mode=_PERSISTENT,
            correlation_id=post.correlation_id or post.message_id,
        )
        self._publish(letter, queue=post.reply_to)
        if self._unrouted:
            self.unanswered += 1
            if self.unanswered & (self.unanswered - 1) == 0:  # the 1st, 2nd, 4th …: a flood must not fill the log
                log.warning("mailbox.unanswered", so_far=self.unanswered, meaning="its reply_to names no queue")

    def _publish(self, letter: Envelope, *, queue: str) -> None:
        self._unrouted = False
        patience = self._patience.answer.total_seconds()
        self._publishing.basic_publish_confirm(
            letter, exchange="", routing_key=queue, mandatory=True, timeout=patience, confirm_timeout=patience
        )

    def _not_routed(self, *_: object) -> None:
        # Raised instead, it would leave the confirmation unread for the next publish to mistake for its own.
        self._unrouted = True


def _few(faults: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """As many faults as a header should hold."""
    kept: list[dict[str, str]] = []
    size = 0
    for fault in faults[:MOST_FAULTS]:
        size += sum(len(text.encode()) for text in fault.values())
        if size > _LONGEST_HEADER:
            break
        kept.append(dict(fault))
    return kept


def _text(value: object) -> str:
    """A property as text; whatever else a publisher put there counts as nothing."""
    match value:
        case str():
            return value
        case bytes():
            return value.decode("utf-8", "replace")
        case _:
            return ""
