"""How long the hub waits for its database, and what says that it is away."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from math import inf
from time import monotonic
from typing import Any

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_READ_ONLY = "25006"  #: a standby, or a primary that was demoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the hub waits for its database, thing by thing.

    Whoever publishes waits for a key to be looked up, for the thought to be
    taken up and for it to be written: six seconds together, and then 503.
    """

    #: Longer than the server's own `statement_timeout`: who has not answered by then will not.
    statement: timedelta = timedelta(seconds=35)
    greeting: timedelta = timedelta(seconds=3)  #: a connection's first word after it lay idle
    key: timedelta = timedelta(seconds=2)  #: one row by its key
    read: timedelta = timedelta(seconds=4)
    taken_up: timedelta = timedelta(seconds=3)  #: a thought, by the writer's thread
    written: timedelta = timedelta(seconds=1)  #: the same thought, if it is in its hands when that is over
    alone: timedelta = timedelta(seconds=30)  #: a short transaction by that thread: nobody stands at a door meanwhile
    read_back: timedelta = timedelta(seconds=10)  #: after a COMMIT without an answer
    farewell: timedelta = timedelta(seconds=5)  #: for all that is still asked when the store is closed


@dataclass(slots=True)
class Closing:
    """When nobody waits any longer, by the monotonic clock. One for all connections of a store; any thread."""

    at: float = inf

    def within(self, left: timedelta) -> None:
        self.at = monotonic() + left.total_seconds()


class PatientConnection(psycopg.Connection[Any]):
    """Hangs up on a server that does not answer.

    The server's own timeouts end a statement, but a connection that lost its
    other end (a proxy that swallows, a machine that froze) never brings their
    word, and libpq waits for it for ever.
    """

    statement = greeting = inf  #: seconds
    closing = Closing()
    greets = False  #: it lay idle in the pool, and nothing has been said since

    def told(self, patience: Patience, closing: Closing) -> PatientConnection:
        self.statement = patience.statement.total_seconds()
        self.greeting = patience.greeting.total_seconds()
        self.closing = closing
        return self

    def wait(self, gen: Generator[Any, Any, Any], *args: Any, **named: Any) -> Any:
        until = monotonic() + (self.greeting if self.greets else self.statement)
        return super().wait(self._bounded(gen, until), *args, **named)

    def _bounded(self, gen: Generator[Any, Any, Any], until: float) -> Generator[Any, Any, Any]:
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                # psycopg comes by ten times a second with nothing in its hands.
                if not ready and monotonic() >= min(until, self.closing.at):
                    gen.close()
                    self.close()
                    raise psycopg.OperationalError("the server has not answered in time")
                wanted = gen.send(ready)
        except StopIteration as done:
            return done.value


@contextmanager
def unhurried(connection: Connection) -> Iterator[None]:
    """For a migration: it may take as long as it takes. Not for anything that somebody waits for."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, PatientConnection):
        yield
        return
    usual, driver.statement = driver.statement, inf
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    try:
        yield
    finally:
        driver.statement = usual


def store_is_away(failure: BaseException) -> bool:
    """Whether nothing can be kept just now, whoever asks: disk full, connection lost, locked, read-only."""
    if isinstance(failure, OperationalError | PoolTimeout):
        return True
    if not isinstance(failure, DBAPIError):
        return False
    return failure.connection_invalidated or getattr(failure.orig, "sqlstate", None) == _READ_ONLY
