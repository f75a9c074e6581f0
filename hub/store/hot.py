"""Statements of the hot path: many rows in one statement, compiled once, given to the driver as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

Row = Mapping[str, Any]

#: Rows are written in runs of these lengths, so that a handful of statements serves every number of rows.
_RUNS = (64, 32, 16, 8, 4, 2, 1)
_CHANGES = "SELECT changes()"


@dataclass(frozen=True, slots=True)
class _Parameter:
    row: int  #: which row of the run; -1 for a value that the statement brings along
    column: str
    name: str
    convert: Callable[[Any], Any] | None
    fixed: Any


@dataclass(frozen=True, slots=True)
class _Ready:
    sql: str
    positional: bool
    parameters: tuple[_Parameter, ...]


class Hot:
    """One statement over many rows; each row is a mapping from the names below, and what it lacks is NULL.

    One statement for a run of rows, because the driver lets go of the
    interpreter for each one: row by row, the writer waits for its turn a
    hundred times in a batch while the event loop is busy. And compiled once,
    because SQLAlchemy's handling of parameters costs more than the insert.
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
        touched = 0
        for some in _runs(rows):
            ready = self._for(connection.dialect, len(some))
            given: Any = {one.name: _value(one, some) for one in ready.parameters}
            if ready.positional:
                given = tuple([_value(one, some) for one in ready.parameters])
            done = connection.exec_driver_sql(ready.sql, given)
            # SQLite's driver does not count for a statement that begins with WITH.
            touched += done.rowcount if done.rowcount >= 0 else connection.exec_driver_sql(_CHANGES).scalar_one()
        return touched

    def _for(self, dialect: Dialect, rows: int) -> _Ready:
        known = self._ready.get((dialect.name, rows))
        if known is None:
            known = self._ready[(dialect.name, rows)] = self._compile(dialect, rows)
        return known

    def _compile(self, dialect: Dialect, rows: int) -> _Ready:
        compiled: Any = self._build(rows).compile(dialect=dialect)
        names = list(compiled.positiontup) if compiled.positional else list(compiled.binds)
        parameters = tuple(_of(compiled.binds[name], name, dialect) for name in names)
        return _Ready(sql=str(compiled), positional=bool(compiled.positional), parameters=parameters)


def _parameter(name: str, row: int, type_: TypeEngine[Any]) -> sa.BindParameter[Any]:
    return sa.bindparam(f"r{row}_{name}", type_=type_)


def _typed(name: str, row: int, type_: TypeEngine[Any]) -> Any:
    """A parameter that says its type: PostgreSQL cannot tell what an untyped NULL in VALUES was meant for."""
    found = _parameter(name, row, type_)
    return sa.cast(found, type_) if isinstance(type_, sa.LargeBinary) else found


def _of(bind: Any, name: str, dialect: Dialect) -> _Parameter:
    convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
    if bind.required:
        row, _, column = bind.key[1:].partition("_")
        return _Parameter(int(row), column, name, convert, None)
    fixed = convert(bind.value) if convert is not None and bind.value is not None else bind.value
    return _Parameter(-1, "", name, None, fixed)


def _value(one: _Parameter, rows: Sequence[Row]) -> Any:
    if one.row < 0:
        return one.fixed
    value = rows[one.row].get(one.column)
    return one.convert(value) if one.convert is not None and value is not None else value


def _runs(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    start = 0
    for length in _RUNS:
        while len(rows) - start >= length:
            yield rows[start : start + length]
            start += length
