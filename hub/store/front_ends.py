"""Who publishes: front ends, their keys (hashed) and what each key reaches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.errors import NotThere, WrongState
from hub.model import FrontEnd
from hub.store import tables
from hub.store.engine import database_now
from hub.store.seal import Hasher

_ROW = tables.front_end.c


def key_hash(hasher: Hasher, key: str) -> bytes:
    return hasher.digest("front end key", key)


def find_by_key(connection: Connection, hashed: bytes) -> FrontEnd | None:
    """The front end that holds this key, unless it was revoked."""
    query = sa.select(tables.front_end).where(_ROW.key_hash == hashed, _ROW.revoked_at.is_(None))
    row = connection.execute(query).one_or_none()
    return _front_end(row) if row else None


def find_by_name(connection: Connection, name: str) -> FrontEnd | None:
    query = sa.select(tables.front_end).where(_ROW.name == name, _ROW.revoked_at.is_(None))
    row = connection.execute(query).one_or_none()
    return _front_end(row) if row else None


def find_by_id(connection: Connection, id: str) -> FrontEnd:
    """The front end, also one that was revoked: what it sent before is still its own. Raises NotThere."""
    row = connection.execute(sa.select(tables.front_end).where(_ROW.id == id)).one_or_none()
    if row is None:
        raise NotThere("The front end that sent this is gone; `hub front-ends list` names those there are.")
    return _front_end(row)


def _front_end(row: Any) -> FrontEnd:
    return FrontEnd(
        id=row.id,
        name=row.name,
        councils=None if row.councils is None else frozenset(row.councils),
        services=None if row.services is None else frozenset(row.services),
    )


def add(
    connection: Connection,
    *,
    front_end: str,
    name: str,
    hashed: bytes,
    prefix: str,
    councils: Sequence[str] | None,
    services: Sequence[str] | None,
    format: str | None = None,
    profile: str | None = None,
) -> None:
    """A new front end. `councils` and `services` of None reach all. Raises WrongState when the name is taken."""
    if connection.execute(sa.select(_ROW.id).where(_ROW.name == name)).first():
        raise WrongState(
            f"There is a front end called {name} already; use `hub front-ends rotate {name}` for a new key."
        )
    connection.execute(
        sa.insert(tables.front_end).values(
            id=front_end,
            name=name,
            key_hash=hashed,
            prefix=prefix,
            councils=None if councils is None else sorted(councils),
            services=None if services is None else sorted(services),
            format=format,
            profile=profile,
            created_at=database_now(connection),
        )
    )


def rotate(connection: Connection, name: str, *, hashed: bytes, prefix: str) -> None:
    """The old key ends here and now."""
    _change(connection, name, key_hash=hashed, prefix=prefix, revoked_at=None)


def revoke(connection: Connection, name: str) -> None:
    _change(connection, name, revoked_at=database_now(connection))


def _change(connection: Connection, name: str, **values: Any) -> None:
    if connection.execute(sa.update(tables.front_end).where(_ROW.name == name).values(**values)).rowcount == 0:
        raise NotThere(f"There is no front end called {name}; `hub front-ends list` names those there are.")


def page(connection: Connection) -> list[Any]:
    return list(connection.execute(sa.select(tables.front_end).order_by(_ROW.name)))
