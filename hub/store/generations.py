"""Council files as generations: every process, on every host, loads from here and runs the same one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.store import tables
from hub.store.engine import database_now

_ROW = tables.mapping_version.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    number: int
    files: Mapping[str, str]


def digest_of(files: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(dict(files), sort_keys=True).encode()).hexdigest()


def newest_number(connection: Connection) -> int:
    """The number of the newest generation, 0 when there is none."""
    return int(connection.execute(sa.select(sa.func.max(_ROW.generation))).scalar_one() or 0)


def get(connection: Connection, number: int) -> Generation | None:
    row = connection.execute(sa.select(_ROW.generation, _ROW.files).where(_ROW.generation == number)).one_or_none()
    return Generation(number=row.generation, files=row.files) if row else None


def newest(connection: Connection) -> Generation | None:
    return get(connection, newest_number(connection))


def add(connection: Connection, files: Mapping[str, str], *, by: str) -> int:
    """Make these files the next generation, unless they are the newest already. Returns the number that holds now."""
    digest = digest_of(files)
    newest_row = connection.execute(
        sa.select(_ROW.generation, _ROW.digest).order_by(_ROW.generation.desc()).limit(1)
    ).one_or_none()
    if newest_row is not None and newest_row.digest == digest:
        return int(newest_row.generation)
    values = {"digest": digest, "files": dict(files), "loaded_by": by, "loaded_at": database_now(connection)}
    number = connection.execute(sa.insert(tables.mapping_version).values(**values).returning(_ROW.generation))
    return int(number.scalar_one())
