"""The same door for those who publish to a queue."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Protocol

import structlog
from pydantic_core import to_json
from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

from hub.broker.mailbox import Outcome, Post, Rejected, Returned, Taken
from hub.errors import Conflict, HubError, StoreUnavailable
from hub.intake.auth import Doorkeeper
from hub.intake.deps import Deps
from hub.intake.idempotency import key_of_text
from hub.intake.problems import Problem, Stop, of_error, stop
from hub.intake.submissions import accepted_body
from hub.intake.taking import Letter, service_in, take
from hub.intake.trace import trace_of
from hub.model import FrontEnd
from hub.store.accept import Accepted

log = structlog.get_logger()

_AGAIN = timedelta(seconds=2)  #: before a message that met a bug goes back: twenty of these are a minute


class Box(Protocol):
    """Where the outcome of each message is told."""

    def settle(self, outcome: Outcome) -> None: ...


class QueueDoor:
    """Takes messages in as POST takes bodies: the same contract, the same keys, the same answers.

    `hear` is called by the mailbox's thread; everything else happens in the
    loop that `open` was called in. While the store is away nothing is said of
    a message: it waits here, and in the queue behind it.
    """

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._doorkeeper = Doorkeeper(deps.store, monotonic=deps.monotonic)
        self._base = deps.public_url.rstrip("/")
        self._box: Box | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self, box: Box, loop: asyncio.AbstractEventLoop) -> None:
        self._box, self._loop = box, loop

    def hear(self, post: Post) -> None:
        """Any thread; does not block. A message heard when nobody listens any more stays in its queue."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has been closed: the process is ending
                self._loop.call_soon_threadsafe(self._begin, post)

    async def close(self) -> None:
        """Let go of what cannot be finished now: nothing was said of it, so it comes again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, post: Post) -> None:
        task = asyncio.get_running_loop().create_task(self._take_in(post))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take_in(self, post: Post) -> None:
        assert self._box is not None
        try:
            outcome: Outcome = await self._outcome(post)
        except Exception as failure:
            # A bug. Its text may quote the body, so only its kind is said; the queue counts the tries.
            log.error("queue_door.failed", error=type(failure).__name__, kept="in the queue, then among the rejected")
            await asyncio.sleep(_AGAIN.total_seconds())
            outcome = Returned(post=post)
        self._box.settle(outcome)

    async def _outcome(self, post: Post) -> Outcome:
        patiently = AsyncRetrying(
            retry=retry_if_exception_type(StoreUnavailable) | retry_if_exception_type(Conflict),
            wait=wait_random_exponential(multiplier=0.2, max=10),
        )
        try:
            accepted: Accepted = await patiently(self._take, post)
        except (Stop, HubError) as failure:
            problem = failure.problem if isinstance(failure, Stop) else of_error(failure)
            if problem is None:
                raise
            self._deps.metrics.submission(service_in(post.body), result=problem.code)
            return self._rejected(post, problem)
        self._deps.metrics.submission(accepted.service, result="replayed" if accepted.replayed else "accepted")
        return Taken(post=post, body=to_json(accepted_body(accepted, base=self._base)))

    async def _take(self, post: Post) -> Accepted:
        front_end = await self._front_end(post)
        if not post.message_id:
            raise stop(
                "idempotency-key-invalid",
                "A message without message_id could be taken twice; set one that is its own, best a UUID.",
            )
        key = key_of_text(post.message_id)
        if len(post.body) > self._deps.max_body:
            raise stop("too-large", f"The body is larger than {self._deps.max_body} bytes; upload attachments apart.")
        trace = trace_of(post.trace, request=self._deps.ids()).parent
        letter = Letter(front_end=front_end, raw=post.body, received_at=self._deps.clock(), key=key, trace=trace)
        return await take(letter, deps=self._deps)

    async def _front_end(self, post: Post) -> FrontEnd:
        """Whoever the broker says it is: `user_id` is checked by the broker against the connection's own user."""
        found = await self._doorkeeper.named(post.sender) if post.sender else None
        if found is None:
            raise stop(
                "unauthenticated",
                "Set the property user_id to your broker user, and let that user have the name of your front end "
                "(`hub front-ends list`).",
            )
        return found

    def _rejected(self, post: Post, problem: Problem) -> Rejected:
        told = problem.as_dict(base=self._base, instance="urn:message")
        return Rejected(
            post=post,
            problem=told["type"],
            body=to_json(told),
            faults=[{"pointer": pointer, "message": message} for pointer, message in problem.faults]
            or [{"pointer": "#", "message": told["detail"]}],
        )
