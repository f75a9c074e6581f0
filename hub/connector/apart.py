"""Blocking work away from the event loop, in threads that hold up neither it nor the end of the process."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from hub.errors import Unavailable

Done = TypeVar("Done")

#: Threads that were given up and still hang, on a network share that went away for instance. Beyond these no new one.
_MOST_STUCK: Final = 8


class Apart:
    """Threads of one destination. A share that hangs holds up those who need it, and nobody else.

    Not the loop's own pool: names are looked up in that one, and a process
    does not end before all of its threads have.
    """

    def __init__(self, *, name: str) -> None:
        self._name = name
        self._stuck = 0

    async def run(self, work: Callable[[], Done]) -> Done:
        """Do this in a thread; what it returns or raises.

        Whoever is cancelled meanwhile leaves the thread to itself, and nobody
        hears what it did. Raises Unavailable while too many hang already.
        """
        if self._stuck >= _MOST_STUCK:
            text = "Work that was begun there before has never ended; the hub tries again on schedule."
            raise Unavailable(text, code="stuck")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Done] = loop.create_future()
        threading.Thread(target=self._body, args=(work, answer, loop), name=self._name, daemon=True).start()
        try:
            return await answer
        except asyncio.CancelledError:
            self._stuck += answer.cancelled()
            raise

    def _body(self, work: Callable[[], Done], answer: asyncio.Future[Done], loop: asyncio.AbstractEventLoop) -> None:
        failure: BaseException | None = None
        done: Done | None = None
        try:
            done = work()
        except BaseException as error:  # handed to whoever awaits it
            failure = error

        def tell() -> None:
            if answer.cancelled():
                self._stuck -= 1
            elif failure is not None:
                answer.set_exception(failure)
            else:
                answer.set_result(done)  # type: ignore[arg-type]  # it is what `work` returned

        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
            loop.call_soon_threadsafe(tell)
