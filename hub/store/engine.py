"""Opens SQLite or PostgreSQL and sets its manners."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import Dialect
from sqlalchemy.pool import ConnectionPoolEntry

from hub.errors import SettingsError
from hub.store.patience import Closing, Patience, PatientConnection

READERS = 4  #: threads, and on SQLite connections, that read


def open_engines(
    url: str, *, pool_size: int = 12, patience: Patience | None = None, closing: Closing | None = None
) -> tuple[Engine, Engine]:
    """Two engines over one database: one that writes, one that reads (the same one on PostgreSQL).

    SQLite has one writer, so its writing engine holds one connection and every
    transaction on it begins IMMEDIATE: a lock is taken at the start or not at all.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    if parsed.get_backend_name() != "postgresql":
        raise SettingsError(
            f"HUB_DATABASE_URL speaks {parsed.get_backend_name()}; use sqlite:/// or postgresql+psycopg://"
        )
    engine = _postgresql(parsed, pool_size=pool_size, patience=patience or Patience(), closing=closing or Closing())
    return engine, engine


def _postgresql(url: sa.URL, *, pool_size: int, patience: Patience, closing: Closing) -> Engine:
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=4,
        pool_timeout=5,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "connect_timeout": 5,
            # A dead network must not hold a thought for the kernel's two hours; what was sent and not
            # acknowledged is a matter of its own, on which keepalives never look.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 25_000,
            "options": "-c statement_timeout=30000 -c lock_timeout=10000 -c idle_in_transaction_session_timeout=60000",
        },
    )

    @event.listens_for(engine, "do_connect")
    def _connect(_: Dialect, __: ConnectionPoolEntry, args: Any, named: Any) -> PatientConnection:
        return PatientConnection.connect(*args, **named).told(patience, closing)

    @event.listens_for(engine, "checkin")
    def _lies_idle(connection: PatientConnection | None, _: ConnectionPoolEntry) -> None:
        if connection is not None:  # None: it was lost, and given back all the same
            connection.greets = True

    @event.listens_for(engine, "checkout")
    def _is_there(connection: PatientConnection, _: ConnectionPoolEntry, __: Any) -> None:
        connection.greets = False  # the pool has greeted it (pre-ping), and it answered

    return engine


def _sqlite(url: sa.URL) -> tuple[Engine, Engine]:
    if not url.database or url.database == ":memory:":
        raise SettingsError("HUB_DATABASE_URL must name a file for SQLite, such as sqlite:///var/hub.db")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    args = {"timeout": 10, "isolation_level": None, "check_same_thread": False, "cached_statements": 256}
    # An exception's text must not quote the rows.
    options: dict[str, Any] = {"connect_args": args, "hide_parameters": True}
    writing = sa.create_engine(url, poolclass=sa.QueuePool, pool_size=1, max_overflow=0, pool_timeout=5, **options)
    reading = sa.create_engine(url, poolclass=sa.QueuePool, pool_size=READERS, max_overflow=2, **options)

    @event.listens_for(writing, "connect")
    def _writer_manners(connection: Any, _: ConnectionPoolEntry) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000",
                       "temp_store=MEMORY", "cache_size=-65536", "wal_autocheckpoint=4000"):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(reading, "connect")
    def _reader_manners(connection: Any, _: ConnectionPoolEntry) -> None:
        for pragma in ("query_only=ON", "busy_timeout=10000", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(writing, "begin")
    def _immediate(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(reading, "begin")
    def _deferred(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return writing, reading


def is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def database_now(connection: Connection) -> datetime:
    """The time by the database's clock, which writes and judges every lease.

    On SQLite that is this machine's clock: there is no other process.
    """
    if is_sqlite(connection):
        return datetime.now(UTC)
    return connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one().astimezone(UTC)  # type: ignore[no-any-return]
