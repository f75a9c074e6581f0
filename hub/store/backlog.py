"""How much waits, and proof that something can be kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.model import ReceivedState, StepState
from hub.store import destinations, jobs, tables
from hub.store.engine import database_now

MOST = 10_000  #: counting stops here: what matters then is that it is many
_PROBE = "probe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    queued: int  #: at most MOST
    oldest_due: timedelta
    parked: int  #: forms that wait for a person; at most MOST


def backlog(connection: Connection) -> Backlog:
    """What is queued now, and for how long the oldest of it has been due."""
    step = tables.step.c
    some = (
        sa.select(step.id).where(step.state == StepState.QUEUED.value, step.due_at.is_not(None)).limit(MOST).subquery()
    )
    queued = connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()
    oldest = destinations.oldest_due(connection)
    waited = database_now(connection) - oldest[1] if oldest else timedelta(0)
    # Written out and not bound: only so does a database see that the partial index holds them all.
    parked = tables.received.c.state == sa.literal_column(f"'{ReceivedState.PARKED.value}'")
    waiting = sa.select(tables.received.c.id).where(parked).limit(MOST).subquery()
    forms = connection.execute(sa.select(sa.func.count()).select_from(waiting)).scalar_one()
    return Backlog(queued=int(queued), oldest_due=waited, parked=int(forms))


def probe(connection: Connection) -> None:
    """Write a row as an accepted submission is written; raises where that cannot be done."""
    jobs.ensure(connection, {_PROBE: timedelta(0)})
    jobs.keep_state(connection, _PROBE, {"at": database_now(connection).isoformat()})
