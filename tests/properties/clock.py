"""Time that passes when a test says so: in the rows of a store, and in the event loops of its processes."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from hub.store import tables
from hub.store.columns import Instant, text_of
from hub.store.store import Store

T = TypeVar("T")

_MOVED = ("step", "attempt", "destination", "operation", "worker", "job")
_COLUMNS = {
    name: [column.name for column in tables.metadata.tables[name].c if isinstance(column.type, Instant)]
    for name in _MOVED
}
_SHIFTS = [
    f"UPDATE {table} SET " + ", ".join(f"{name} = earlier({name}, :by)" for name in names)
    for table, names in _COLUMNS.items()
]
_CIRCUITS = "UPDATE destination SET breaker_counts = earlier_in(breaker_counts, :by) WHERE breaker_counts IS NOT NULL"


def now() -> str:
    """This moment as SQLite keeps it."""
    return text_of(datetime.now(UTC))


def shift(store: Store, seconds: float) -> None:
    """Let time pass for every row: what was due in a minute is due so much sooner."""
    with store.writing.begin() as connection:
        driver: Any = connection.connection.driver_connection
        driver.create_function("earlier", 2, _earlier)
        driver.create_function("earlier_in", 2, _earlier_in)
        for statement in (*_SHIFTS, _CIRCUITS):
            driver.execute(statement, {"by": seconds})


def _earlier(text: str | None, seconds: float) -> str | None:
    return None if text is None else text_of(datetime.fromisoformat(text) - timedelta(seconds=seconds))


def _earlier_in(circuits: str, seconds: float) -> str:
    told: dict[str, dict[str, Any]] = json.loads(circuits)
    for circuit in told.values():
        for key in circuit.keys() & {"until", "probe_until"}:
            circuit[key] = (datetime.fromisoformat(circuit[key]) - timedelta(seconds=seconds)).isoformat()
    return json.dumps(told)


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 1_000.0
        self.set_exception_handler(lambda _loop, _context: None)  # a task of a killed process ends as it will

    def time(self) -> float:
        return self.at

    def go_on(self, seconds: float = 0.0) -> None:
        """Let so much time pass, then run until everything waits for something."""
        self.at += seconds
        for _ in range(10_000):
            self.call_soon(self.stop)
            self.run_forever()
            if not self._ready:  # type: ignore[attr-defined]
                return
        raise AssertionError("it never comes to rest")

    def end(self) -> None:
        """Nothing of it ever runs again."""
        for task in asyncio.all_tasks(self):
            task.cancel()
        self.go_on()
        self.close()


def finish(work: Coroutine[Any, Any, T]) -> T:
    """What it returns, for one that waits for nothing but the store."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    work.close()
    raise AssertionError("it waits for something")


def reader(path: str) -> sqlite3.Connection:
    """A look at a store from outside."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection
