"""What a hub of migration 0001 writes, in SQL of its own time: frozen, and blind to whatever came after."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from hub import standard
from hub.store.columns import text_of
from hub.store.ids import reference, uuid7
from hub.store.seal import Sealer

COUNCIL = "northborough"
ROUTES = {"waste": "missed-bin->waste", "register": "missed-bin->register"}

_INSERT = {
    "submission": "id, reference, council, service, version, front_end, channel, accepted_at, test",
    "submission_content": "submission, revision, body, created_at",
    "delivery": "id, submission, kind, council, service, destination, route, order_key, item_index, generation, "
    "our_reference, joined, created_at",
    "step": "id, delivery, submission, destination, order_key, position, kind, state, lane, due_at, hold_reason, "
    "hold_until, attempts_used, lease_token, lease_until, worker, updated_at",
    "attempt": 'id, step, delivery, "trigger", worker, lease_token, phase, replay_safety, mapping_generation, '
    "started_at, sent_at",
    "event": "id, at, kind, council, front_end, submission, delivery",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """One submission that an old hub took."""

    submission: str
    delivery: str
    step: str
    reference: str


@dataclass(frozen=True, slots=True)
class OldHub:
    """An old intake and an old worker, as far as the database sees them."""

    connection: Connection
    sealer: Sealer
    front_end: str

    def take(
        self, body: dict[str, Any], *, to: str, state: str = "queued", due_in: timedelta | None = timedelta(0)
    ) -> Queued:
        """Accept a submission for this destination, its step in this state."""
        now = datetime.now(UTC)
        made = Queued(submission=uuid7(), delivery=uuid7(), step=uuid7(), reference=reference())
        data = standard.read(json.dumps(body).encode(), today=now.date()).data
        sealed = self.sealer.seal(json.dumps(data).encode(), place=f"submission_content|{made.submission}|1")
        destination = f"{COUNCIL}/{to}"
        self._insert(
            "submission", id=made.submission, reference=made.reference, council=COUNCIL, service="missed-bin",
            version=1, front_end=self.front_end, channel=data["channel"], accepted_at=now, test=False,
        )  # fmt: skip
        self._insert("submission_content", submission=made.submission, revision=1, body=sealed, created_at=now)
        self._insert(
            "delivery", id=made.delivery, submission=made.submission, kind="case", council=COUNCIL,
            service="missed-bin", destination=destination, route=ROUTES[to], order_key=made.submission,
            item_index=0 if to == "waste" else None, generation=1, our_reference=made.reference, joined=False,
            created_at=now,
        )  # fmt: skip
        self._insert(
            "step", id=made.step, delivery=made.delivery, submission=made.submission, destination=destination,
            order_key=made.submission, position=0, kind="create", state=state, lane="fresh",
            due_at=None if due_in is None else now + due_in, hold_reason="retry" if due_in else None,
            hold_until=now + due_in if due_in else None, attempts_used=1 if due_in else 0, lease_token=0,
            lease_until=None, worker=None, updated_at=now,
        )  # fmt: skip
        self._insert(
            "event", id=uuid7(), at=now, kind="submission.accepted", council=COUNCIL, front_end=self.front_end,
            submission=made.submission, delivery=None,
        )  # fmt: skip
        return made

    def claim(self, one: Queued, *, lease: timedelta, phase: str, safety: str) -> str:
        """Lease a step for a worker; the id of the attempt."""
        now, attempt, worker = datetime.now(UTC), uuid7(), uuid7()
        self._run(
            "UPDATE step SET state = 'sending', lease_token = lease_token + 1, lease_until = :until, worker = :worker, "
            "hold_reason = NULL, hold_until = NULL, updated_at = :now WHERE id = :step",
            until=now + lease, worker=worker, now=now, step=one.step,
        )  # fmt: skip
        self._insert(
            "attempt", id=attempt, step=one.step, delivery=one.delivery, trigger="auto", worker=worker, lease_token=1,
            phase=phase, replay_safety=safety, mapping_generation=1, started_at=now,
            sent_at=now if phase == "sending" else None,
        )  # fmt: skip
        return attempt

    def conclude(self, one: Queued, attempt: str, *, their_reference: str) -> None:
        """The council's system took it."""
        now = datetime.now(UTC)
        self._run(
            "UPDATE step SET state = 'delivered', due_at = NULL, attempts_used = 1, lease_until = NULL, worker = NULL, "
            "updated_at = :now WHERE id = :step AND lease_token = 1 AND state = 'sending'",
            now=now, step=one.step,
        )  # fmt: skip
        self._run(
            "UPDATE attempt SET phase = 'answered', outcome = 'delivered', ended_at = :now WHERE id = :attempt",
            now=now, attempt=attempt,
        )  # fmt: skip
        self._run(
            "UPDATE delivery SET their_reference = :theirs WHERE id = :delivery",
            theirs=their_reference, delivery=one.delivery,
        )  # fmt: skip
        self._insert(
            "event", id=uuid7(), at=now, kind="delivery.delivered", council=COUNCIL, front_end=self.front_end,
            submission=one.submission, delivery=one.delivery,
        )  # fmt: skip

    def _insert(self, table: str, **values: Any) -> None:
        named = ", ".join(":" + name.strip(' "') for name in _INSERT[table].split(","))
        self._run(f"INSERT INTO {table} ({_INSERT[table]}) VALUES ({named})", **values)

    def _run(self, statement: str, **values: Any) -> None:
        sqlite = self.connection.dialect.name == "sqlite"
        told = {
            name: text_of(value) if sqlite and isinstance(value, datetime) else value for name, value in values.items()
        }
        self.connection.execute(sa.text(statement), told)
