"""A caller for ASGI apps: requests as bytes, without a server and without a client library."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Caller:
    """Calls an app as a server would; `headers` go with every request."""

    app: ASGIApp
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, target: str, **headers: str) -> Answer:
        return await self.call("GET", target, headers=headers)

    async def post(self, target: str, body: Any = b"", **headers: str) -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.call("POST", target, raw, headers=headers)

    async def call(
        self,
        method: str,
        target: str,
        *chunks: bytes,
        headers: Mapping[str, str] | Sequence[tuple[bytes, bytes]] = (),
        hang_up: bool = False,
    ) -> Answer:
        path, _, query = target.partition("?")
        pairs = headers.items() if isinstance(headers, Mapping) else ()
        raw = [
            (name.replace("_", "-").lower().encode(), value.encode()) for name, value in (*self.headers.items(), *pairs)
        ]
        raw += [] if isinstance(headers, Mapping) else list(headers)
        coming: list[Message] = [
            {"type": "http.request", "body": chunk, "more_body": hang_up or index < len(chunks) - 1}
            for index, chunk in enumerate(chunks or (b"",))
        ]
        sent: list[Message] = []

        async def receive() -> Message:
            return coming.pop(0) if coming else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
            "headers": raw, "client": ("127.0.0.1", 1), "server": ("hub", 80), "state": {},
        }  # fmt: skip
        await self.app(scope, receive, send)
        if not sent:
            return Answer(0, {}, b"")
        return Answer(
            sent[0]["status"],
            {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]},
            b"".join(message.get("body", b"") for message in sent[1:]),
        )
