"""A database that is away, cuts its lines, or keeps everybody waiting."""

from __future__ import annotations

import random
import time

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from hub.gameday import counting
from hub.gameday.council import SLOW
from hub.gameday.readiness import expect_not_ready
from hub.gameday.scenario import Act, scenario
from hub.gameday.servers import OURSELVES
from hub.store import tables

AWAY = 8.0  #: seconds; longer than a lease, so that some answers come when it has run out
LOCKED = 6.0  #: seconds; longer than a pooled connection is waited for, shorter than a lock is
_CUTS = 30


@scenario("database-restart", "the database is away for eight seconds, every session ended")
def restart(act: Act) -> None:
    database = act.rig.servers.database
    assert database is not None
    act.behave("slow", seconds=SLOW)
    act.stream()
    act.until_in_sending()
    database.stop()
    _end_sessions(act, most=1000)
    act.note_fault()
    time.sleep(AWAY / 2)
    expect_not_ready(act)
    time.sleep(AWAY / 2)
    database.start()


@scenario(
    "terminate-backend-in-a-stream",
    "sessions are ended by pg_terminate_backend, a few at a time, for seconds",
    brief=False,
)
def terminate(act: Act) -> None:
    act.behave("slow", seconds=SLOW)
    act.stream()
    act.until_in_sending()
    ended = 0
    for number in range(_CUTS):
        if number == 0:
            act.note_fault()
        ended += _end_sessions(act, most=2)
        time.sleep(0.1)
    act.told["sessions_ended"] = ended


def _end_sessions(act: Act, *, most: int) -> int:
    """End so many sessions of the hub, chosen by dice; how many there were."""
    others = sa.text(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name <> :ours"
    )
    with act.rig.servers.engine.begin() as connection:
        found = list(connection.execute(others, {"ours": OURSELVES}).scalars())
        chosen = random.sample(found, min(most, len(found)))
        for pid in chosen:
            connection.execute(sa.select(sa.func.pg_terminate_backend(pid)))
    return len(chosen)


@scenario("pool-exhaustion", "a lock keeps every pooled connection waiting for six seconds", brief=False)
def exhaustion(act: Act) -> None:
    act.behave("slow", seconds=SLOW)
    act.stream()
    act.until_in_sending()
    # The hub takes rows of both in an order of its own, and PostgreSQL may end us rather than the hub.
    for attempt in Retrying(retry=retry_if_exception_type(OperationalError), stop=stop_after_attempt(5), reraise=True):
        with attempt, act.rig.servers.engine.begin() as connection:
            connection.exec_driver_sql(
                f"LOCK TABLE {tables.step.name}, {tables.destination.name} IN ACCESS EXCLUSIVE MODE"
            )
            # Nobody else could count now.
            act.note_fault(counting.in_sending(connection, since=act.mark, after=act.killed_at))
            time.sleep(LOCKED)
