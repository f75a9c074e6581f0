"""The same for programs that are not `async`."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from hub.client.answers import Accepted, Refused, Status, Upload
from hub.client.asynchronous import AsyncHub, Submission

T = TypeVar("T")


class Hub:
    """AsyncHub with calls that block. One thread at a time; inside a running event loop use AsyncHub itself."""

    def __init__(self, url: str, *, key: str, patience: timedelta = timedelta(seconds=60)) -> None:
        self._hub = AsyncHub(url, key=key, patience=patience)
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._run(self._hub.close())
        self._runner.close()

    def publish(self, submission: Submission, *, idempotency_key: str | None = None) -> Accepted:
        """See AsyncHub.publish."""
        return self._run(self._hub.publish(submission, idempotency_key=idempotency_key))

    def publish_many(
        self, submissions: Iterable[Submission], *, keys: Sequence[str] | None = None
    ) -> Iterator[tuple[int, Accepted | Refused]]:
        """See AsyncHub.publish_many."""
        return self._each(self._hub.publish_many(submissions, keys=keys))

    def upload(self, file: Path | str | bytes, *, name: str | None = None, media_type: str | None = None) -> Upload:
        """See AsyncHub.upload."""
        return self._run(self._hub.upload(file, name=name, media_type=media_type))

    def status(self, submission: str) -> Status:
        """See AsyncHub.status."""
        return self._run(self._hub.status(submission))

    def follow(
        self, submission: str, *, every: timedelta = timedelta(seconds=2), within: timedelta | None = None
    ) -> Iterator[Status]:
        """See AsyncHub.follow. `within` counts from the first look."""
        until = None if within is None else self._time() + within.total_seconds()
        last = None
        while True:
            now = self.status(submission)
            if now.raw != last:
                yield now
                last = now.raw
            if now.final:
                return
            if until is not None and self._time() + every.total_seconds() > until:
                raise TimeoutError(f"{now.reference} was not final in time; it is {now.status}.")
            self._run(asyncio.sleep(every.total_seconds()))

    def update(
        self, submission: str, update: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> Mapping[str, Any]:
        """See AsyncHub.update."""
        return self._run(self._hub.update(submission, update, idempotency_key=idempotency_key))

    def services(self) -> list[Mapping[str, Any]]:
        """See AsyncHub.services."""
        return self._run(self._hub.services())

    def schema(self, service: str, *, version: int | None = None) -> Mapping[str, Any]:
        """See AsyncHub.schema."""
        return self._run(self._hub.schema(service, version=version))

    def councils(self) -> list[Mapping[str, Any]]:
        """See AsyncHub.councils."""
        return self._run(self._hub.councils())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def _time(self) -> float:
        return self._runner.get_loop().time()

    def _each(self, answers: Any) -> Iterator[Any]:
        async def following() -> Any:
            return await anext(answers)

        with suppress(StopAsyncIteration):
            while True:
                yield self._run(following())
