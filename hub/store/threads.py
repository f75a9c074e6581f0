"""A few threads for what blocks, and a bounded number of those who wait for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

from hub.errors import StoreUnavailable

ROOM = 1_000  #: that may wait or be at work; more is answered with 503

T = TypeVar("T")


class Threads:
    """Runs work in threads of its own, away from the event loop."""

    def __init__(self, *, most: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=most, thread_name_prefix=name)
        self._room = threading.Semaphore(ROOM)

    async def run(self, work: Callable[[], T], *, patience: timedelta | None = None) -> T:
        """What `work` gives or raises; StoreUnavailable when that takes longer than `patience`.

        Work that nobody waits for any more is not begun; what has begun goes on.
        """
        if not self._room.acquire(blocking=False):
            raise StoreUnavailable("The store is behind; try again shortly.")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        try:
            self._pool.submit(self._turn, work, future, loop)
        except RuntimeError:  # the pool is closed
            self._room.release()
            raise StoreUnavailable("The hub is stopping; try again shortly.") from None
        timer = None
        if patience is not None:
            timer = loop.call_later(patience.total_seconds(), _too_late, future)
        try:
            return await future
        finally:
            if timer is not None:
                timer.cancel()

    def close(self) -> None:
        """Let what has begun come to its end. Blocks."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _turn(self, work: Callable[[], Any], future: asyncio.Future[Any], loop: asyncio.AbstractEventLoop) -> None:
        try:
            if future.done():
                return
            try:
                result, failure = work(), None
            except BaseException as raised:
                result, failure = None, bearable(raised, place="a thread of the store")
            loop.call_soon_threadsafe(_settle, future, result, failure)
        except RuntimeError:  # the loop is closed: nobody waits for this any more
            return
        finally:
            self._room.release()


def _settle(future: asyncio.Future[Any], result: Any, failure: Exception | None) -> None:
    if future.done():
        return
    if failure is None:
        future.set_result(result)
    else:
        future.set_exception(failure)


def _too_late(future: asyncio.Future[Any]) -> None:
    if not future.done():
        future.set_exception(StoreUnavailable("The store did not answer in time; try again shortly."))


def bearable(failure: BaseException, *, place: str) -> Exception:
    """The same failure, as somebody in an event loop may be given it."""
    # A future does not take a StopIteration, and what is no Exception would end the loop itself.
    if isinstance(failure, Exception) and not isinstance(failure, StopIteration):
        return failure
    named = RuntimeError(f"{type(failure).__name__} was raised in {place}")
    named.__cause__ = failure
    return named
