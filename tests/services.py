"""Finds the servers that some tests need; says plainly when one is not there."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest
from kombu import Connection
from psycopg import sql

POSTGRES_URL = os.environ.get("HUB_TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
RABBITMQ_URL = os.environ.get("HUB_TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//")

#: `required`: a missing server fails the test. `off`: never looked for. Otherwise, as on a laptop, it skips.
MODE = os.environ.get("HUB_TEST_SERVICES") or ("required" if os.environ.get("CI", "") in {"true", "1"} else "optional")


def need(what: str, *, answers: Callable[[], bool]) -> None:
    """Skip this test for want of a server, or fail it where the servers must be there."""
    if MODE != "off" and answers():
        return
    if MODE == "required":
        pytest.fail(f"needs {what}; start it, or set HUB_TEST_SERVICES=optional to skip", pytrace=False)
    pytest.skip(f"needs {what}")


def postgres_at() -> str:
    """Where the PostgreSQL server is, without the password."""
    return re.sub(r"^.*@", "", POSTGRES_URL.split("://", 1)[-1]).split("/", 1)[0]


def rabbitmq_at() -> tuple[str, int]:
    """The host and port of the RabbitMQ server."""
    connection = Connection(RABBITMQ_URL)
    return connection.hostname or "127.0.0.1", connection.port or 5672


def rabbitmq_answers() -> bool:
    """Whether something listens where RabbitMQ should; the tests themselves find out whether it speaks AMQP."""
    try:
        socket.create_connection(rabbitmq_at(), timeout=2).close()
    except OSError:
        return False
    return True


def postgres_answers() -> bool:
    try:
        with _server():
            return True
    except psycopg.OperationalError:
        return False


@contextmanager
def fresh_database() -> Iterator[str]:
    """A database of one's own as an SQLAlchemy address, dropped afterwards whoever is still connected."""
    name = f"hub_test_{uuid4().hex[:12]}"
    with _server() as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield f"{POSTGRES_URL.rsplit('/', 1)[0]}/{name}"
    finally:
        with _server() as server:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _server() -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(POSTGRES_URL.replace("+psycopg", "", 1), autocommit=True, connect_timeout=3)
