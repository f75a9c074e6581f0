"""What the hub counts about itself: six numbers for Prometheus, none of them about a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

# Each counter would carry a second series with the time it was made; nobody has asked for it.
disable_created_metrics()  # type: ignore[no-untyped-call]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_ACCEPT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_ATTEMPT_BUCKETS = (0.005, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 360.0)


class Metrics:
    """One set per process, handed to every room that counts.

    Labels are closed sets or configuration (a service code, "council/destination",
    an outcome), never an id, a key or a word that came in a request: each new
    label value is kept for ever, by us and by whoever scrapes us.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._children: dict[tuple[str, ...], Any] = {}  # looked up by label, which costs more than counting
        self._submissions = Counter(
            "hub_submissions",
            "Submissions that came in, by service and by what became of them.",
            ("service", "result"),
            registry=self.registry,
        )
        self._accept = Histogram(
            "hub_accept_seconds",
            "From the first byte of a submission to its durable 202.",
            buckets=_ACCEPT_BUCKETS,
            registry=self.registry,
        )
        self._deliveries = Counter(
            "hub_deliveries",
            "Attempts at delivering, by destination and outcome.",
            ("destination", "outcome"),
            registry=self.registry,
        )
        self._attempt = Histogram(
            "hub_attempt_seconds",
            "How long a council's system took over one attempt.",
            ("destination",),
            buckets=_ATTEMPT_BUCKETS,
            registry=self.registry,
        )
        self._oldest_due = Gauge(
            "hub_oldest_due_age_seconds",
            "How long the delivery that has been due longest has waited.",
            registry=self.registry,
        )
        self._queued = Gauge("hub_queued", "Deliveries that are queued, due now or later.", registry=self.registry)
        self._parked = Gauge(
            "hub_parked", "Forms that could not be mapped and wait for a person.", registry=self.registry
        )

    def submission(self, service: str, *, result: str) -> None:
        """Count one that came in; `service` must be a known code or "unknown"."""
        self._child(self._submissions, service, result).inc()

    def accepted(self, took: timedelta) -> None:
        self._accept.observe(took.total_seconds())

    def attempt(self, destination: str, *, outcome: str, took: timedelta) -> None:
        self._child(self._deliveries, destination, outcome).inc()
        self._child(self._attempt, destination).observe(took.total_seconds())

    def backlog(self, *, queued: int, oldest_due: timedelta, parked: int = 0) -> None:
        """Set by whoever looks at the store, at the moment of a scrape."""
        self._queued.set(queued)
        self._parked.set(parked)
        self._oldest_due.set(max(0.0, oldest_due.total_seconds()))

    def _child(self, metric: Counter | Histogram, *labels: str) -> Any:
        known = self._children.get((metric._name, *labels))
        if known is None:
            known = self._children[(metric._name, *labels)] = metric.labels(*labels)
        return known

    def text(self) -> bytes:
        """The exposition format, version 0.0.4."""
        return generate_latest(self.registry)
