"""Publishes as front ends do: many at once, each under its key, until it is taken."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from hub.gameday.council import Place
from hub.gameday.network import RigFailed

AT_ONCE = 16
_PATIENCE = aiohttp.ClientTimeout(total=20, connect=5)
_PAUSE = 0.2  #: seconds before it is tried again, whatever Retry-After says: here nobody is spared


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One submission to be published."""

    place: Place
    body: dict[str, Any]

    @property
    def mark(self) -> str:
        """Its own name, which the hub stores in plain and takes as its idempotency key."""
        return str(self.body["front_end_reference"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One that was answered 202: from then on it counts."""

    letter: Letter
    reference: str
    sent_at: datetime  #: when it was sent for the first time


@dataclass(slots=True, kw_only=True)
class Publishing:
    """A stream of submissions, on a thread of its own; `taken` grows while it runs."""

    letters: Sequence[Letter]
    url: str
    key: str
    within: timedelta
    per_second: float | None = None
    taken: list[Taken] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)  #: answers that break a promise
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> Publishing:
        self._thread = threading.Thread(target=self._run, name="gameday-publisher", daemon=True)
        self._thread.start()
        return self

    def wait(self) -> None:
        """Until every one was taken. Raises RigFailed when the hub would not take them all."""
        self._ended.wait(self.within.total_seconds() + 30)
        missing = len(self.letters) - len(self.taken)
        if missing:
            answers = dict(self.statuses)
            raise RigFailed(
                f"The hub did not take {missing} of {len(self.letters)} in {self.within}; it said {answers}."
            )

    def reached(self, count: int, *, within: timedelta = timedelta(seconds=60)) -> None:
        """Wait until so many were taken."""
        until = time.monotonic() + within.total_seconds()
        while len(self.taken) < count and time.monotonic() < until and not self._ended.is_set():
            time.sleep(0.005)

    def _run(self) -> None:
        try:
            asyncio.run(self._publish())
        finally:
            self._ended.set()

    async def _publish(self) -> None:
        letters = iter(self.letters)
        started = time.monotonic()
        due = (started + at / self.per_second if self.per_second else 0.0 for at in range(len(self.letters)))
        until = started + self.within.total_seconds()
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        async with aiohttp.ClientSession(timeout=_PATIENCE, headers=headers) as session:

            async def worker() -> None:
                for letter in letters:
                    await asyncio.sleep(max(0.0, next(due) - time.monotonic()))
                    await self._insist(session, letter, until=until)

            await asyncio.gather(*[worker() for _ in range(AT_ONCE)])

    async def _insist(self, session: aiohttp.ClientSession, letter: Letter, *, until: float) -> None:
        raw = json.dumps(letter.body).encode()
        sent_at = datetime.now(UTC)
        while time.monotonic() < until:
            reference = await self._send(session, raw, key=letter.mark)
            if reference is not None:
                self.taken.append(Taken(letter=letter, reference=reference, sent_at=sent_at))
                return
            await asyncio.sleep(_PAUSE)

    async def _send(self, session: aiohttp.ClientSession, raw: bytes, *, key: str) -> str | None:
        try:
            async with session.post(f"{self.url}/v1/submissions", data=raw, headers={"Idempotency-Key": key}) as answer:
                said = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError):
            self.statuses[0] += 1
            return None
        self.statuses[answer.status] += 1
        if answer.status == 202:
            return str(json.loads(said)["reference"])
        if answer.status == 503 and "Retry-After" not in answer.headers:
            self.wrong.append("503 without Retry-After")
        elif answer.status not in (503, 429, 409):
            self.wrong.append(f"{answer.status}: {said[:200].decode('utf-8', 'replace')}")
        return None
