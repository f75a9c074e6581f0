"""Queries of the hot path: compiled once by SQLAlchemy, asked of the driver directly."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from hub.store.hot import as_sqlalchemy, converter


@dataclass(frozen=True, slots=True)
class _Ready:
    sql: str
    names: tuple[str, ...]
    positional: bool
    converts: tuple[Callable[[Any], Any] | None, ...]  #: of the parameters
    fixed: dict[str, Any]
    reads: tuple[tuple[int, Callable[[Any], Any]], ...]  #: of the columns that are not as the driver gives them
    row: Callable[..., Any]

    def given(self, values: list[Any]) -> Any:
        """The parameters as the driver takes them; by position, a name may stand more than once."""
        return tuple(values) if self.positional else dict(zip(self.names, values, strict=True))


class Ask:
    """One query; each row comes as a named tuple of its columns."""

    def __init__(self, query: sa.Select[Any]) -> None:
        self._query = query
        self._ready: dict[str, _Ready] = {}

    def all(self, connection: Connection, **given: Any) -> list[Any]:
        """Every row, with the parameters that the query names."""
        ready = self._ready.get(connection.dialect.name) or self._compile(connection.dialect)
        values = {**ready.fixed, **given}
        told = [
            convert(values[name]) if convert is not None and values[name] is not None else values[name]
            for name, convert in zip(ready.names, ready.converts, strict=True)
        ]
        driver: Any = connection.connection.driver_connection
        try:
            found = driver.execute(ready.sql, ready.given(told)).fetchall()
        except connection.dialect.loaded_dbapi.Error as failure:
            raise as_sqlalchemy(failure, ready.sql, connection) from None
        return [ready.row(*_read(row, ready.reads)) for row in found]

    def one_or_none(self, connection: Connection, **given: Any) -> Any:
        rows = self.all(connection, **given)
        return rows[0] if rows else None

    def _compile(self, dialect: Dialect) -> _Ready:
        compiled: Any = self._query.compile(dialect=dialect)
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        names = tuple(compiled.positiontup) if compiled.positional else tuple(binds)
        columns = list(self._query.selected_columns)
        readers = [_reader(column.type, dialect) for column in columns]
        ready = self._ready[dialect.name] = _Ready(
            sql=str(compiled),
            names=names,
            positional=bool(compiled.positional),
            converts=tuple(converter(binds[name].type, dialect) for name in names),
            fixed={name: bind.value for name, bind in binds.items() if not bind.required},
            reads=tuple((at, reader) for at, reader in enumerate(readers) if reader is not None),
            row=namedtuple("Row", [column.name for column in columns]),
        )
        return ready


def _reader(type_: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    if isinstance(type_, sa.Float):
        return None  # both drivers give floats, and SQLAlchemy would ask for the column's type code
    return type_.dialect_impl(dialect).result_processor(dialect, None)


def _read(row: Any, reads: tuple[tuple[int, Callable[[Any], Any]], ...]) -> list[Any]:
    values = list(row)
    for at, reader in reads:
        if values[at] is not None:
            values[at] = reader(values[at])
    return values
