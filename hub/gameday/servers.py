"""The servers of a rehearsal: a database of its own, and a broker, each behind a wire."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from hub.gameday.network import Line, RigFailed, wires
from hub.gameday.wire import HOST
from hub.settings import REHEARSAL, environment_value

POSTGRES = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
OURSELVES = "hub-gameday"  #: how our own sessions are called, past every wire
RABBITMQ = "amqp://guest:guest@127.0.0.1:5672//"


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Where a hub in rehearsal finds its database and broker, and where we look past the wires."""

    database_url: str  #: for the hub
    broker_url: str  #: for the hub
    engine: sa.Engine  #: for us, past every wire
    direct_broker: str = ""
    database: Line | None = None  #: None on SQLite
    broker: Line | None = None  #: None in memory

    @property
    def embedded(self) -> bool:
        return self.database is None


@contextmanager
def embedded(folder: Path) -> Iterator[Servers]:
    """SQLite and a broker in memory: one process, nothing to be cut."""
    file = folder / f"{REHEARSAL}_{uuid4().hex[:12]}.db"
    engine = sa.create_engine(f"sqlite:///{file}", poolclass=sa.NullPool, connect_args={"timeout": 10})
    try:
        yield Servers(database_url=f"sqlite:///{file}", broker_url="memory://", engine=engine)
    finally:
        engine.dispose()
        for left in folder.glob(f"{file.stem}*"):
            left.unlink()


@contextmanager
def real() -> Iterator[Servers]:
    """A fresh database on a PostgreSQL server, dropped at the end whatever happened, and a RabbitMQ."""
    admin_url, broker = _addresses()
    upstreams = {"database": (admin_url.host or HOST, admin_url.port or 5432), "broker": _broker_at(broker)}
    name = f"{REHEARSAL}_{uuid4().hex[:12]}"
    with _database(admin_url, name) as engine, wires(upstreams) as lines:
        through = admin_url.set(host=HOST, port=lines["database"].port, database=name)
        yield Servers(
            database_url=through.render_as_string(hide_password=False),
            broker_url=_moved(broker, lines["broker"].port),
            engine=engine,
            direct_broker=broker,
            database=lines["database"],
            broker=lines["broker"],
        )


def _addresses() -> tuple[sa.URL, str]:
    """Servers named for rehearsals, else those of the hub's own settings, else those of this machine."""
    database = environment_value("HUB_GAMEDAY_DATABASE_URL") or environment_value("HUB_DATABASE_URL") or POSTGRES
    broker = environment_value("HUB_GAMEDAY_BROKER_URL") or environment_value("HUB_BROKER_URL") or RABBITMQ
    if not database.startswith("postgresql"):
        database = POSTGRES
    if not broker.startswith("amqp"):
        broker = RABBITMQ
    broker = broker.split(";")[0]
    if broker.startswith("amqps:"):
        raise RigFailed("A wire cannot stand before TLS; set HUB_GAMEDAY_BROKER_URL to amqp://…")
    url = sa.make_url(database).set(drivername="postgresql+psycopg")
    if "host" in url.query or (url.host or "").startswith("/"):
        raise RigFailed("A wire cannot stand before a socket file; set HUB_GAMEDAY_DATABASE_URL to one with a host.")
    return url, broker


def _broker_at(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    at = (parts.hostname or HOST, parts.port or 5672)
    try:
        socket.create_connection(at, timeout=3).close()
    except OSError:
        raise RigFailed(
            f"No RabbitMQ answers at {at[0]}:{at[1]}; start one, set HUB_GAMEDAY_BROKER_URL, or give --embedded."
        ) from None
    return at


def _moved(url: str, port: int) -> str:
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}{at}{HOST}:{port}"))


@contextmanager
def _database(admin_url: sa.URL, name: str) -> Iterator[sa.Engine]:
    admin = sa.create_engine(
        admin_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool, connect_args={"connect_timeout": 5}
    )
    where = f"{admin_url.host or HOST}:{admin_url.port or 5432}"
    with ExitStack() as stack:
        try:
            ours = stack.enter_context(admin.connect())
            _drop_the_orphaned(ours)
            _take(ours, name)
            stack.callback(_drop, admin, name)
            ours.exec_driver_sql(f'CREATE DATABASE "{name}"')
        except SQLAlchemyError as failure:
            raise RigFailed(
                f"No database can be made at {where} ({type(failure).__name__}); start PostgreSQL, set "
                "HUB_GAMEDAY_DATABASE_URL to a user who may create databases, or give --embedded."
            ) from None
        engine = sa.create_engine(
            admin_url.set(database=name), pool_size=4, pool_pre_ping=True, connect_args={"application_name": OURSELVES}
        )
        stack.callback(engine.dispose)
        yield engine


def _take(connection: sa.Connection, name: str) -> bool:
    """Hold the name for as long as this connection lives; False when a rehearsal that is alive has it."""
    return bool(connection.scalar(sa.text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))"), {"name": name}))


def _drop_the_orphaned(connection: sa.Connection) -> None:
    """Drop what rehearsals left that were killed before they could: nobody who lives holds its name."""
    rows = connection.execute(
        sa.text("SELECT datname FROM pg_database WHERE starts_with(datname, :start)"), {"start": f"{REHEARSAL}_"}
    )
    for name in rows.scalars().all():
        if _take(connection, name):
            with suppress(SQLAlchemyError):  # another user's: theirs to drop
                connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _drop(admin: sa.Engine, name: str) -> None:
    # By a connection of its own: the one that holds the name may be gone by now.
    with admin.connect() as connection:
        connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
