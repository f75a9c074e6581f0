"""Group commit: many thoughts, one fsync."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hub.errors import StoreUnavailable
from hub.store.patience import Patience, store_is_away
from hub.store.thoughts import Thought
from hub.store.threads import bearable

log = structlog.get_logger()

BATCH = 64
LINGER = 0.002  #: seconds a busy writer waits for company; an idle one does not wait at all
BUSY = 4  #: a batch of this many says that waiting pays
ROOM = 4_000  #: thoughts that may wait; more is answered with 503
_READ_BACK_PAUSE = 0.25


class _GivenUp(Exception):
    """Somebody was told that his thought is not kept, so it must not be."""


@dataclass(frozen=True, slots=True)
class _Away:
    """The result of one that was given up. An exception would hold on to its frames, and they to what was written."""

    words: str


_BEHIND = _Away("The store is behind; try again shortly.")
_SILENT = _Away("The store did not say in time whether it was kept; repeat it with the same Idempotency-Key.")


@dataclass(slots=True)
class _Waiting:
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    thought: Thought | None = None
    alone: Callable[[Connection], Any] | None = None
    taken: bool = False  #: set by the writer's thread before it looks at `gone`
    gone: bool = False  #: set by the loop before it looks at `taken`

    def take(self) -> bool:
        """By the writer's thread: whether this is to be written."""
        self.taken = True
        return not self.gone

    def give_up(self, grace: float) -> None:
        """By the loop: whoever waits has waited long enough. One that is being written has `grace` left."""
        if self.future.done():
            return
        if self.taken and grace:
            self.loop.call_later(grace, self.give_up, 0.0)
            return
        self.gone = True
        if not self.taken:
            self.thought = self.alone = None  # a thousand bodies must not wait with their ids
        self.future.set_result(_SILENT if self.taken else _BEHIND)


class Writer:
    """One thread that writes thoughts down in batches, durable before `write` returns.

    `alone` is for short transactions on SQLite, where this thread is the only
    one that may write: they share the commit of the batch, each behind a
    savepoint, since a commit costs more than what is in it.

    The thread is the hub's heart: nothing that is raised in it ends it.
    """

    def __init__(self, engine: Engine, *, patience: Patience) -> None:
        self._engine = engine
        self._patience = patience
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._beginning = threading.Lock()
        self._in_hand: list[_Waiting] = []
        self._stopped = False
        self.batches = 0
        self.thoughts = 0
        self._thread = self._begin()

    async def write(self, thought: Thought) -> Any:
        """The thought's result, once it is durable. Raises what it raised, or in good time StoreUnavailable.

        Whatever is raised, nothing was kept; only where the store fell silent
        over the COMMIT itself can nobody say so.
        """
        return await self._hand_over(thought=thought, alone=None, wait=self._patience.taken_up)

    async def alone(self, work: Callable[[Connection], Any]) -> Any:
        return await self._hand_over(thought=None, alone=work, wait=self._patience.alone)

    async def _hand_over(
        self, *, thought: Thought | None, alone: Callable[[Connection], Any] | None, wait: timedelta
    ) -> Any:
        if self._stopped:
            raise StoreUnavailable("The hub is stopping; try again shortly.")
        if self._queue.qsize() >= ROOM:
            raise StoreUnavailable(_BEHIND.words)
        if not self._thread.is_alive():
            self._revive()
        loop = asyncio.get_running_loop()
        waiting = _Waiting(loop=loop, future=loop.create_future(), thought=thought, alone=alone)
        self._queue.put(waiting)
        grace = self._patience.written.total_seconds()
        timer = loop.call_later(wait.total_seconds(), waiting.give_up, grace)
        try:
            result = await waiting.future
        finally:
            timer.cancel()
        if isinstance(result, _Away):
            raise StoreUnavailable(result.words)
        return result

    def stop(self) -> None:
        """Write what waits, then end. Blocks until the thread is gone."""
        self._stopped = True
        self._queue.put(None)
        self._thread.join(timeout=30)

    def _begin(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        thread.start()
        return thread

    def _revive(self) -> None:
        with self._beginning:
            if not self._thread.is_alive() and not self._stopped:
                log.error("store.writer_revived")
                self._thread = self._begin()

    def _run(self) -> None:
        busy = False
        while True:
            try:
                first = self._queue.get()
                if first is None:
                    return
                batch = self._gather(first, linger=busy)
                self._in_hand = [item for item in batch if item is not None]
                busy = len(self._in_hand) >= BUSY
                self._write(self._in_hand)
                if batch[-1] is None:
                    return
            except BaseException as failure:  # whoever waits behind this one must not wait for ever
                log.exception("store.writer_stumbled")
                self._answer(self._in_hand, [_named(failure)] * len(self._in_hand))

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

    def _write(self, given: list[_Waiting]) -> None:
        waiting = [one for one in given if one.take()]
        if not waiting:
            return
        self.batches += 1
        self.thoughts += len(waiting)
        try:
            results = self._commit(waiting)
        except _GivenUp:
            self._write(waiting)
            return
        except BaseException as failure:
            if len(waiting) > 1 and not store_is_away(failure):
                # One of them cannot be written; its neighbours must not suffer for it.
                for one in waiting:
                    self._write([one])
                return
            results = [_named(failure) for _ in waiting]
        self._answer(waiting, results)

    def _commit(self, waiting: list[_Waiting]) -> list[Any]:
        """Everything in one transaction: thoughts by kind, then each short transaction behind a savepoint."""
        for again in (True, False):
            with self._engine.connect() as connection:
                try:
                    transaction = connection.begin()
                    results = self._fill(connection, waiting)
                except DBAPIError as failure:
                    if store_is_away(failure):
                        connection.invalidate()
                    if again and failure.connection_invalidated:
                        continue  # the connection was lost before COMMIT was said, so nothing is kept: once more
                    raise
                if any(one.gone for one in waiting):
                    raise _GivenUp
                try:
                    transaction.commit()
                except DBAPIError as failure:
                    connection.invalidate()
                    if not store_is_away(failure) or not self._read_back(waiting, results):
                        raise
                return results
        raise StoreUnavailable

    def _fill(self, connection: Connection, waiting: list[_Waiting]) -> list[Any]:
        results: list[Any] = [None] * len(waiting)
        thoughts = [(index, one.thought) for index, one in enumerate(waiting) if one.thought is not None]
        thoughts.sort(key=lambda pair: pair[1].rank)
        for kind, pairs in groupby(thoughts, key=lambda pair: type(pair[1])):
            some = list(pairs)
            written = kind.write_all(connection, [thought for _, thought in some])
            for (index, _), result in zip(some, written, strict=True):
                results[index] = result
        shared = len(waiting) > 1
        for index, one in enumerate(waiting):
            if one.alone is not None:
                results[index] = _behind_savepoint(connection, one.alone) if shared else one.alone(connection)
        return results

    def _read_back(self, waiting: list[_Waiting], results: list[Any]) -> bool:
        """After a COMMIT without an answer: did it land?

        A batch is one transaction, so it landed if everything that it wrote is
        there. One alone does not prove it: a mark may have been made before.
        """
        wrote = [
            one.thought
            for one, result in zip(waiting, results, strict=True)
            if one.thought is not None and not isinstance(result, BaseException) and not _is_repeat(result)
        ]
        until = time.monotonic() + self._patience.read_back.total_seconds()
        while wrote and time.monotonic() < until and not all(one.gone for one in waiting):
            try:
                with self._engine.connect() as connection:
                    return all(thought.landed(connection) for thought in wrote)
            except (DBAPIError, PoolTimeout):
                time.sleep(_READ_BACK_PAUSE)
        return False


def _is_repeat(result: Any) -> bool:
    """An answer that was given before: nothing was written for it."""
    return bool(getattr(result, "replayed", False))


def _behind_savepoint(connection: Connection, work: Callable[[Connection], Any]) -> Any:
    """What `work` gave or raised; what it wrote is undone if it raised."""
    try:
        with connection.begin_nested():
            return work(connection)
    except Exception as failure:
        if store_is_away(failure):
            raise
        return failure


def _resolve(answers: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, result in answers:
        if future.done():
            continue
        if isinstance(result, BaseException):
            future.set_exception(_named(result))
        else:
            future.set_result(result)


def _named(failure: BaseException) -> Exception:
    """The same failure, as somebody who waits for an answer may be given it."""
    if store_is_away(failure):
        away = StoreUnavailable()
        away.__cause__ = failure
        return away
    return bearable(failure, place="the writer's thread")
