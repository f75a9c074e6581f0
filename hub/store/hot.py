"""Statements of the hot path: many rows in one statement, compiled once, given to the driver as they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from hub.store.columns import Instant, text_of

Row = Mapping[str, Any]

#: Rows are written in runs of these lengths, so that a handful of statements serves every number of rows.
_RUNS = (64, 32, 16, 8, 4, 2, 1)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A statement for one dialect and number of rows: its parameters are the rows' values in order, then fixed ones."""

    sql: str
    names: tuple[str, ...] | None  #: None where the driver takes parameters by position
    converts: tuple[Callable[[Any], Any] | None, ...]  #: one for each column
    fixed: tuple[Any, ...]


class Hot:
    """One statement over many rows; each row is a mapping from the names below, and what it lacks is NULL.

    One statement for a run of rows, because the driver lets go of the
    interpreter for each one: row by row, the writer waits for its turn a
    hundred times in a batch while the event loop is busy. And compiled once,
    because SQLAlchemy's handling of a statement costs more than the insert.
    """

    def __init__(self, columns: Mapping[str, TypeEngine[Any]], build: Callable[[int], sa.sql.dml.UpdateBase]) -> None:
        self._columns = columns
        self._build = build
        self._ready: dict[tuple[str, int], _Ready] = {}

    @classmethod
    def insert(cls, table: sa.Table, *, without: Sequence[str] = ()) -> Hot:
        """Insert rows; keys are the table's columns, those in `without` left out."""
        columns = {column.name: column.type for column in table.c if column.name not in without}

        def build(rows: int) -> sa.sql.dml.UpdateBase:
            values = [{name: _parameter(name, row, type_) for name, type_ in columns.items()} for row in range(rows)]
            return sa.insert(table).values(values)

        return cls(columns, build)

    @classmethod
    def update(
        cls,
        table: sa.Table,
        columns: Mapping[str, TypeEngine[Any]],
        *,
        where: Callable[[Any], Sequence[Any]],
        values: Callable[[Any], Mapping[str, Any]],
    ) -> Hot:
        """Update rows; `where` and `values` are given the columns of the rows that `run` brings."""

        def build(rows: int) -> sa.sql.dml.UpdateBase:
            given = sa.values(*[sa.column(name, type_) for name, type_ in columns.items()], name="given")
            data = [tuple(_typed(name, row, type_) for name, type_ in columns.items()) for row in range(rows)]
            brought = given.data(data).cte("given").c
            return sa.update(table).where(*where(brought)).values(**values(brought))

        return cls(columns, build)

    def run(self, connection: Connection, rows: Sequence[Row]) -> int:
        """Execute for all rows; how many rows of the table were touched."""
        dialect, driver = connection.dialect, connection.connection.driver_connection
        touched = 0
        for some in _runs(rows):
            ready = self._for(dialect, len(some))
            given = self._given(ready, some)
            try:
                touched += _execute(driver, ready.sql, given)
            except dialect.loaded_dbapi.Error as failure:
                raise as_sqlalchemy(failure, ready.sql, connection) from None
        return touched

    def _given(self, ready: _Ready, rows: Sequence[Row]) -> Any:
        flat = [
            value if value is None or convert is None else convert(value)
            for row in rows
            for convert, value in zip(ready.converts, map(row.get, self._columns), strict=True)
        ]
        flat.extend(ready.fixed)
        return tuple(flat) if ready.names is None else dict(zip(ready.names, flat, strict=True))

    def _for(self, dialect: Dialect, rows: int) -> _Ready:
        known = self._ready.get((dialect.name, rows))
        if known is None:
            known = self._ready[(dialect.name, rows)] = self._compile(dialect, rows)
        return known

    def _compile(self, dialect: Dialect, rows: int) -> _Ready:
        compiled: Any = self._build(rows).compile(dialect=dialect)
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        names = list(compiled.positiontup) if compiled.positional else list(binds)
        given, rest = self._names(rows), [name for name in names if not binds[name].required]
        if compiled.positional and names != given + rest:
            raise AssertionError("the rows' values must come first and in order, then what the statement brings along")
        return _Ready(
            sql=str(compiled),
            names=None if compiled.positional else (*given, *rest),
            converts=tuple(converter(type_, dialect) for type_ in self._columns.values()),
            fixed=tuple(_fixed(binds[name], dialect) for name in rest),
        )

    def _names(self, rows: int) -> list[str]:
        return [f"r{row}_{name}" for row in range(rows) for name in self._columns]


def _execute(driver: Any, sql: str, given: Any) -> int:
    """How many rows it touched. SQLite's driver does not count for a statement that begins with WITH."""
    if isinstance(driver, sqlite3.Connection):
        before = driver.total_changes
        driver.execute(sql, given)
        return driver.total_changes - before
    touched: int = driver.execute(sql, given).rowcount
    return touched


def as_sqlalchemy(failure: Exception, sql: str, connection: Connection) -> BaseException:
    """The same exception that SQLAlchemy would have raised, without the rows: they hold what residents wrote."""
    dialect = connection.dialect
    lost = dialect.is_disconnect(failure, connection.connection.dbapi_connection, None)  # type: ignore[arg-type]
    if lost:
        connection.invalidate(failure)
    return DBAPIError.instance(
        sql,
        None,
        failure,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=lost,
        dialect=dialect,
    )


def _parameter(name: str, row: int, type_: TypeEngine[Any]) -> sa.BindParameter[Any]:
    return sa.bindparam(f"r{row}_{name}", type_=type_)


def _typed(name: str, row: int, type_: TypeEngine[Any]) -> Any:
    """A parameter that says its type: PostgreSQL cannot tell what an untyped NULL in VALUES was meant for."""
    found = _parameter(name, row, type_)
    return sa.cast(found, type_) if isinstance(type_, sa.LargeBinary) else found


def converter(type_: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    if isinstance(type_, sa.LargeBinary):
        return None  # both drivers take bytes as they are
    if isinstance(type_, Instant):
        return text_of if dialect.name == "sqlite" else None
    return type_.dialect_impl(dialect).bind_processor(dialect)


def _fixed(bind: Any, dialect: Dialect) -> Any:
    convert = converter(bind.type, dialect)
    return bind.value if convert is None or bind.value is None else convert(bind.value)


def _runs(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    start = 0
    for length in _RUNS:
        while len(rows) - start >= length:
            yield rows[start : start + length]
            start += length
