"""Publishes submissions over HTTP: several at once, each until it is taken or refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp

from hub.errors import SettingsError

AT_ONCE = 8
TRIES = 6
_PATIENCE = aiohttp.ClientTimeout(total=60, connect=10)
_AGAIN = frozenset({409, 429, 503})
_LONGEST = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What the hub said to one submission: `status` is HTTP's, `said` its JSON."""

    index: int
    status: int
    said: dict[str, Any]
    replayed: bool = False

    @property
    def ok(self) -> bool:
        return self.status == 202


async def publish(submissions: Sequence[Any], *, url: str, key: str, keys: Sequence[str]) -> AsyncIterator[Published]:
    """Publish each under its idempotency key, and yield the answers as they come.

    What the hub asks to be sent again (429, 503, 409) is sent again, with the
    same key: it can never become two. Raises SettingsError where nothing answers.
    """
    queue = asyncio.Queue[int]()
    for index in range(len(submissions)):
        queue.put_nowait(index)
    answers = asyncio.Queue[Published | Exception]()
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(timeout=_PATIENCE, headers=headers) as session:

        async def worker() -> None:
            while not queue.empty():
                index = queue.get_nowait()
                try:
                    answers.put_nowait(await _send(session, url, index, submissions[index], keys[index]))
                except (aiohttp.ClientError, TimeoutError, ValueError) as failure:
                    answers.put_nowait(failure)

        workers = [asyncio.create_task(worker()) for _ in range(min(AT_ONCE, len(submissions)))]
        try:
            for _ in submissions:
                answer = await answers.get()
                if isinstance(answer, Exception):
                    raise SettingsError(
                        f"Nothing that speaks like a hub answers at {url} ({type(answer).__name__}); start it with "
                        "`hub run`, or mend --url. What was taken is safe: the same file may be sent again."
                    ) from answer
                yield answer
        finally:
            for task in workers:
                task.cancel()
            await asyncio.gather(*workers, return_exceptions=True)


async def _send(session: aiohttp.ClientSession, url: str, index: int, body: Any, key: str) -> Published:
    for left in reversed(range(TRIES)):
        async with session.post(
            f"{url}/v1/submissions",
            data=body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode(),
            headers={"Content-Type": "application/json", "Idempotency-Key": key},
            allow_redirects=False,
        ) as answer:
            said = json.loads(await answer.read())
            if answer.status not in _AGAIN or not left:
                return Published(
                    index=index,
                    status=answer.status,
                    said=said,
                    replayed=answer.headers.get("Idempotent-Replayed") == "true",
                )
            wait = _wait(answer.headers.get("Retry-After"))
        await asyncio.sleep(wait.total_seconds())
    raise AssertionError("the last try always returns")


def _wait(said: str | None) -> timedelta:
    asked = timedelta(seconds=float(said)) if said and said.isdigit() else timedelta(seconds=1)
    return min(max(asked, timedelta(seconds=0.2)), _LONGEST)
