"""Group commit: many thoughts, one fsync."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from hub.errors import StoreUnavailable
from hub.store.thoughts import Thought

BATCH = 64
LINGER = 0.002  #: seconds a busy writer waits for company; an idle one does not wait at all
BUSY = 4  #: a batch of this many says that waiting pays
ROOM = 4_000  #: thoughts that may wait; more is answered with 503
_READ_BACKS = 40
_READ_BACK_PAUSE = 0.25


@dataclass(slots=True)
class _Waiting:
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    thought: Thought | None = None
    alone: Callable[[Connection], Any] | None = None


class Writer:
    """One thread that writes thoughts down in batches, durable before `write` returns.

    `alone` is for short transactions on SQLite, where this thread is the only
    one that may write: they share the commit of the batch, each behind a
    savepoint, since a commit costs more than what is in it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._stopped = False
        self.batches = 0
        self.thoughts = 0
        self._thread.start()

    async def write(self, thought: Thought) -> Any:
        """The thought's result, once it is durable. Raises what it raised, or StoreUnavailable."""
        return await self._hand_over(thought=thought, alone=None)

    async def alone(self, work: Callable[[Connection], Any]) -> Any:
        return await self._hand_over(thought=None, alone=work)

    async def _hand_over(self, *, thought: Thought | None, alone: Callable[[Connection], Any] | None) -> Any:
        if self._stopped:
            raise StoreUnavailable("The hub is stopping; try again shortly.")
        if self._queue.qsize() >= ROOM:
            raise StoreUnavailable("The store is behind; try again shortly.")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(loop=loop, future=loop.create_future(), thought=thought, alone=alone)
        self._queue.put(waiting)
        return await waiting.future

    def stop(self) -> None:
        """Write what waits, then end. Blocks until the thread is gone."""
        self._stopped = True
        self._queue.put(None)
        self._thread.join(timeout=30)

    def _run(self) -> None:
        busy = False
        while True:
            first = self._queue.get()
            if first is None:
                return
            batch = self._gather(first, linger=busy)
            waiting = [item for item in batch if item is not None]
            busy = len(waiting) >= BUSY
            self._write(waiting)
            if batch[-1] is None:
                return

    def _gather(self, first: _Waiting, *, linger: bool) -> list[_Waiting | None]:
        batch: list[_Waiting | None] = [first]
        until = time.monotonic() + LINGER
        while len(batch) < BATCH and batch[-1] is not None:
            try:
                if linger and (left := until - time.monotonic()) > 0:
                    batch.append(self._queue.get(timeout=left))
                else:
                    batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return batch

    def _answer(self, items: list[_Waiting], results: list[Any]) -> None:
        # One hop into the loop for the whole batch: a hop each costs more than the write.
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
        for item, result in zip(items, results, strict=True):
            by_loop.setdefault(item.loop, []).append((item.future, result))
        for loop, answers in by_loop.items():
            try:
                loop.call_soon_threadsafe(_resolve, answers)
            except RuntimeError:  # the loop is closed: nobody waits for this any more
                continue

    def _write(self, waiting: list[_Waiting]) -> None:
        self.batches += 1
        self.thoughts += len(waiting)
        try:
            results = self._commit(waiting)
        except Exception as failure:
            if len(waiting) > 1 and not _store_is_away(failure):
                # One of them cannot be written; its neighbours must not suffer for it.
                for one in waiting:
                    self._write([one])
                return
            results = [_named(failure) for _ in waiting]
        self._answer(waiting, results)

    def _commit(self, waiting: list[_Waiting]) -> list[Any]:
        """Everything in one transaction: thoughts by kind, then each short transaction behind a savepoint."""
        results: list[Any] = [None] * len(waiting)
        connection = self._engine.connect()
        try:
            transaction = connection.begin()
            self._think(connection, waiting, results)
            for index, one in enumerate(waiting):
                if one.alone is not None:
                    shared = len(waiting) > 1
                    results[index] = _behind_savepoint(connection, one.alone) if shared else one.alone(connection)
            try:
                transaction.commit()
            except DBAPIError as failure:
                connection.invalidate()
                first = next((one.thought for one in waiting if one.thought is not None), None)
                if first is None or not isinstance(failure, OperationalError) or not self._read_back(first):
                    raise
        finally:
            connection.close()
        return results

    def _think(self, connection: Connection, waiting: list[_Waiting], results: list[Any]) -> None:
        thoughts = [(index, one.thought) for index, one in enumerate(waiting) if one.thought is not None]
        thoughts.sort(key=lambda pair: pair[1].rank)
        for kind, pairs in groupby(thoughts, key=lambda pair: type(pair[1])):
            some = list(pairs)
            written = kind.write_all(connection, [thought for _, thought in some])
            for (index, _), result in zip(some, written, strict=True):
                results[index] = result

    def _read_back(self, thought: Thought) -> bool:
        """After a COMMIT without an answer: did it land? A batch is one transaction, so one thought speaks for all."""
        for _ in range(_READ_BACKS):
            try:
                with self._engine.connect() as connection:
                    return thought.landed(connection)
            except DBAPIError:
                time.sleep(_READ_BACK_PAUSE)
        return False


def _behind_savepoint(connection: Connection, work: Callable[[Connection], Any]) -> Any:
    """What `work` gave or raised; what it wrote is undone if it raised."""
    try:
        with connection.begin_nested():
            return work(connection)
    except Exception as failure:
        if _store_is_away(failure):
            raise
        return failure


def _resolve(answers: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, result in answers:
        if future.done():
            continue
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)


def _store_is_away(failure: BaseException) -> bool:
    """Whether trying the thoughts one by one would only fail as many times: disk full, connection lost, locked."""
    return isinstance(failure, OperationalError) or (isinstance(failure, DBAPIError) and failure.connection_invalidated)


def _named(failure: Exception) -> Exception:
    if _store_is_away(failure):
        named = StoreUnavailable()
        named.__cause__ = failure
        return named
    return failure
