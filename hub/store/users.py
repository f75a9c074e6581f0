"""Staff: their tokens (hashed), roles and councils."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.errors import NotThere, WrongState
from hub.model import Role, User
from hub.store import tables
from hub.store.engine import database_now
from hub.store.seal import Hasher

_ROW = tables.user.c


def token_hash(hasher: Hasher, token: str) -> bytes:
    return hasher.digest("user token", token)


def find_by_token(connection: Connection, hashed: bytes) -> User | None:
    query = sa.select(tables.user).where(_ROW.token_hash == hashed, _ROW.disabled_at.is_(None))
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    councils = None if row.councils is None else frozenset(row.councils)
    return User(id=row.id, name=row.name, role=Role(row.role), councils=councils)


def add(
    connection: Connection, *, user: str, name: str, hashed: bytes, role: Role, councils: Sequence[str] | None
) -> None:
    """A new user. Raises WrongState when the name is taken."""
    if connection.execute(sa.select(_ROW.id).where(_ROW.name == name)).first():
        raise WrongState(f"There is a user called {name} already; choose another name, or disable that one first.")
    connection.execute(
        sa.insert(tables.user).values(
            id=user,
            name=name,
            token_hash=hashed,
            role=role.value,
            councils=None if councils is None else sorted(councils),
            created_at=database_now(connection),
        )
    )


def disable(connection: Connection, name: str) -> None:
    found = connection.execute(
        sa.update(tables.user).where(_ROW.name == name).values(disabled_at=database_now(connection))
    )
    if found.rowcount == 0:
        raise NotThere(f"There is no user called {name}; `hub users list` names those there are.")


def page(connection: Connection) -> list[Any]:
    return list(connection.execute(sa.select(tables.user).order_by(_ROW.name)))
