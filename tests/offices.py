"""Pretend back offices in this event loop, and the calls that a connector or a stranger makes to them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from hub.connector import Connector, Delivery, Http, StepKind
from hub.connector.testing import BackOffice, Mode, Sent, serving, tapped


def delivery(operation: str, *, our_reference: str = "ABCD-EFGH", kind: StepKind = StepKind.CREATE) -> Delivery:
    at = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    return Delivery(
        our_reference=our_reference, reference=our_reference[:9], operation=operation, received_at=at, kind=kind
    )


@dataclass
class Said:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Stranger:
    """Someone with an HTTP client and no manners."""

    office: BackOffice
    url: str
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, **parts: Any) -> Said:
        async with self.session.request(method, self.url + path, **parts) as answer:
            return Said(answer.status, answer.headers, await answer.read())

    async def behave(self, mode: str, **how: Any) -> Said:
        return await self.ask("POST", "/_behaviour", json={"mode": mode, **how})


@asynccontextmanager
async def stranger(office: BackOffice, *, patience: float = 5) -> AsyncIterator[Stranger]:
    timeout = aiohttp.ClientTimeout(total=patience)
    async with serving(office) as address, aiohttp.ClientSession(timeout=timeout) as session:
        yield Stranger(office, address.url, session)


@asynccontextmanager
async def connected(kind: type[Connector], office: BackOffice, **settings: Any) -> AsyncIterator[Connector]:
    """A connector and the back office it speaks to."""
    async with serving(office) as address:
        http = Http(timeout=timedelta(seconds=5))
        try:
            yield kind(kind.Settings.model_validate({"url": address.url, **settings}), http)
        finally:
            await http.close()


async def on_the_wire(
    kind: type[Connector], office: BackOffice, *, settings: Mapping[str, Any], record: Mapping[str, Any]
) -> list[Sent]:
    """Every request of one create, as bytes off the socket. `{url}` in settings is the back office."""
    operation, declared = next(iter(kind.operations.items()))
    async with serving(office) as address, tapped(address.url) as tap:
        filled = json.loads(json.dumps(settings).replace("{url}", tap.url))
        http = Http(timeout=timedelta(seconds=5))
        try:
            connector = kind(kind.Settings.model_validate(filled), http)
            await connector.create(declared.record.model_validate(record), delivery(operation))
        finally:
            await http.close()
        return tap.sent()


def misbehave(office: BackOffice, mode: Mode, *, times: int | None = None, seconds: float | None = None) -> None:
    office.script.set(mode=mode, at=None, times=times, seconds=seconds)
