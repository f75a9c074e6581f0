"""Publish, upload, follow: for programs that are `async`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote
from uuid import uuid4

import aiohttp

from hub.client.answers import Accepted, Refused, Status, Upload
from hub.client.wire import Wire
from hub.standard import Envelope

Submission = Envelope | Mapping[str, Any]

_BATCH = 200  #: submissions in one request of `publish_many`; the hub takes 500
_LARGEST = 4 * 1024 * 1024  #: bytes of them


class AsyncHub:
    """One front end's way to one hub. Keeps its connections until it is closed.

    Every call is repeated while the hub is away or busy, for `patience` at
    most, and always under the same idempotency key: a repeat never makes a
    second submission. Raises Refused when the hub says no, and Unreachable
    when nothing answered in time.
    """

    def __init__(self, url: str, *, key: str, patience: timedelta = timedelta(seconds=60)) -> None:
        self._wire = Wire(url=url.rstrip("/"), key=key, patience=patience)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._wire.close()

    async def publish(self, submission: Submission, *, idempotency_key: str | None = None) -> Accepted:
        """Publish one: a model of `hub.standard`, or its JSON as a mapping. Durable when this returns.

        Give a key of your own (your case number, say) where your program may
        die and do the same again; else one is made for this call.
        """
        heard = await self._wire.call(
            "POST",
            "/v1/submissions",
            body=_json(plain(submission)),
            headers={"Idempotency-Key": idempotency_key or str(uuid4())},
        )
        return Accepted.read(heard.body, replayed=heard.headers.get("Idempotent-Replayed") == "true")

    async def publish_many(
        self, submissions: Iterable[Submission], *, keys: Sequence[str] | None = None
    ) -> AsyncIterator[tuple[int, Accepted | Refused]]:
        """Publish any number, some hundred to a request; yields each one's place and answer, in order.

        `keys` are their idempotency keys. One that is refused is yielded, and spoils no other.
        """
        numbered = (
            {**plain(each), "idempotency_key": keys[at] if keys else str(uuid4())}
            for at, each in enumerate(submissions)
        )
        at = 0
        for batch in _batches(numbered):
            for answer in await self._publish_batch(batch):
                yield at, answer
                at += 1

    async def _publish_batch(self, items: list[dict[str, Any]]) -> list[Accepted | Refused]:
        heard = await self._wire.call("POST", "/v1/submissions/batch", body=_json({"items": items}))
        return [await self._settled(item, said) for item, said in zip(items, heard.body["items"], strict=True)]

    async def _settled(self, item: dict[str, Any], said: Mapping[str, Any]) -> Accepted | Refused:
        """One item's answer; what the hub was too busy for is sent once more by itself, and patiently."""
        match said["http_status"]:
            case 202:
                return Accepted.read(said, replayed=said["replayed"])
            case 409 | 429 | 503:
                body = {name: value for name, value in item.items() if name != "idempotency_key"}
                try:
                    return await self.publish(body, idempotency_key=item["idempotency_key"])
                except Refused as refused:
                    return refused
            case status:
                return Refused(status=status, raw=said)

    async def upload(
        self, file: Path | str | bytes, *, name: str | None = None, media_type: str | None = None
    ) -> Upload:
        """Give the hub a file; its `id` is good in a submission for 24 hours. A path is read in pieces; a text is one.

        A repeat after a lost answer leaves a second copy, which the hub forgets after a day.
        """

        def form() -> aiohttp.FormData:
            made = aiohttp.FormData()
            path = None if isinstance(file, bytes) else Path(file)
            content = path.open("rb") if path else file
            called = name or (path.name if path else "file")
            made.add_field("file", content, filename=called, content_type=media_type or "application/octet-stream")
            return made

        heard = await self._wire.call("POST", "/v1/attachments", form=form)
        return Upload(id=heard.body["id"], raw=heard.body)

    async def status(self, submission: str) -> Status:
        """Where it is now, by id or reference."""
        heard = await self._wire.call("GET", f"/v1/submissions/{quote(submission, safe='')}")
        return Status.read(heard.body)

    async def follow(
        self, submission: str, *, every: timedelta = timedelta(seconds=2), within: timedelta | None = None
    ) -> AsyncIterator[Status]:
        """Yield its status now and at each change, until it is final. Raises TimeoutError after `within`."""
        until = asyncio.get_running_loop().time() + within.total_seconds() if within else None
        last = None
        while True:
            # Not around the yield: it would end whatever its caller awaits in between.
            async with asyncio.timeout_at(until):
                now = await self.status(submission)
            if now.raw != last:
                yield now
                last = now.raw
            if now.final:
                return
            async with asyncio.timeout_at(until):
                await asyncio.sleep(every.total_seconds())

    async def update(
        self, submission: str, update: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> Mapping[str, Any]:
        """Say more of a case: `{"kind": "comment", "text": …}`, `cancel` or `evidence`. Durable when this returns."""
        heard = await self._wire.call(
            "POST",
            f"/v1/submissions/{quote(submission, safe='')}/updates",
            body=_json(update),
            headers={"Idempotency-Key": idempotency_key or str(uuid4())},
        )
        said: Mapping[str, Any] = heard.body
        return said

    async def services(self) -> list[Mapping[str, Any]]:
        """Every service that there is, with its versions."""
        return [each async for each in self._pages("/v1/services")]

    async def schema(self, service: str, *, version: int | None = None) -> Mapping[str, Any]:
        """The contract of a service as JSON Schema (2020-12); the newest version unless one is named."""
        query = {} if version is None else {"version": str(version)}
        heard = await self._wire.call("GET", f"/v1/services/{quote(service, safe='')}/schema", query=query)
        said: Mapping[str, Any] = heard.body
        return said

    async def councils(self) -> list[Mapping[str, Any]]:
        """Every council, and which services it takes."""
        return [each async for each in self._pages("/v1/councils")]

    async def _pages(self, path: str) -> AsyncIterator[Mapping[str, Any]]:
        cursor = None
        while True:
            heard = await self._wire.call("GET", path, query={"cursor": cursor} if cursor else {})
            for item in heard.body["items"]:
                yield item
            cursor = heard.body["next"]
            if cursor is None:
                return


def plain(submission: Submission) -> dict[str, Any]:
    """The JSON of a submission: of a model, what was given to it."""
    if isinstance(submission, Envelope):
        return submission.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    return dict(submission)


def _json(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def _batches(items: Iterable[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    """In order, each small enough for one request."""
    batch: list[dict[str, Any]] = []
    size = 0
    for item in items:
        length = len(_json(item))
        if batch and (len(batch) == _BATCH or size + length > _LARGEST):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += length
    if batch:
        yield batch
