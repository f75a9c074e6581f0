"""Says once that the broker is away, and once that it is back."""

from __future__ import annotations

import threading
from time import monotonic

import structlog

log = structlog.get_logger(__name__)


class Outage:
    """The one account of an outage, however many lines and attempts notice it. Any thread."""

    def __init__(self, *, broker: str) -> None:
        self._broker = broker  #: host and port, without user and password
        self._lock = threading.Lock()
        self._away: set[str] = set()
        self._since = 0.0
        self.count = 0

    def begins(self, role: str, failure: Exception) -> None:
        with self._lock:
            first = not self._away
            self._away.add(role)
            if first:
                self.count += 1
                self._since = monotonic()
        if first:
            log.warning(
                "broker.away",
                broker=self._broker,
                line=role,
                error=type(failure.__cause__ or failure).__name__,  # kombu wraps what happened
                meaning="deliveries wait for the tick instead of the bell; nothing is lost",
            )

    def over(self, role: str) -> None:
        with self._lock:
            if role not in self._away:
                return
            self._away.discard(role)
            last = not self._away
            seconds = monotonic() - self._since
        if last:
            log.info("broker.back", broker=self._broker, after_seconds=round(seconds, 1))
