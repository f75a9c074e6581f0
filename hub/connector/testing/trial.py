"""One connector against its own back office: makes calls, and says what came of each."""

from __future__ import annotations

import asyncio
import copy
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from hub.connector.door import Connector, Delivery, Operation
from hub.connector.evidence import Exchange, http_evidence
from hub.connector.http import Http
from hub.connector.testing.running import Running
from hub.errors import DeliveryFailure
from hub.model import Receipt

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

Say = Callable[[str], None]

#: The deadline of every call but those that are meant to run into it: a busy machine is not the connector's fault.
PATIENCE = timedelta(seconds=10)


class KitFault(Exception):
    """The kit cannot try this connector; the text says what its author must declare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one create: a receipt or what was raised, the rows it left, and how long it took."""

    receipt: Receipt | None
    raised: BaseException | None
    rows: list[dict[str, Any]]
    delivery: Delivery
    #: Rows in the ledger at the moment `sending` was committed; None if it never was.
    rows_when_sending: int | None
    took: timedelta
    ticks: int  #: how often the event loop got a turn meanwhile, at most every 10 ms

    def __str__(self) -> str:
        said = f"{type(self.raised).__name__} {self.raised}" if self.raised else str(self.receipt)
        return f"{said} and {len(self.rows)} row{'s' * (len(self.rows) != 1)}"


@dataclass(slots=True, kw_only=True)
class Trial:
    """A connector class, its back office in a process of its own, and a sample record."""

    connector_class: type[Connector]
    running: Running
    settings: Mapping[str, Any]
    record: Mapping[str, Any]
    operation: str
    deadline: timedelta
    evidence: list[Exchange] = field(default_factory=list)
    failures: list[DeliveryFailure] = field(default_factory=list)
    made: int = 0

    @property
    def declared(self) -> Operation:
        return self.connector_class.operations[self.operation]

    def new_reference(self) -> str:
        """A reference of ours that no create of this trial has had."""
        self.made += 1
        tail, left = "", self.made
        for _ in range(4):
            left, digit = divmod(left, len(_ALPHABET))
            tail = _ALPHABET[digit] + tail
        return f"KTST-{tail}"

    def secrets(self) -> list[str]:
        return list(_secret_values(self._settings(self.running.url)))

    @asynccontextmanager
    async def connector(self, *, url: str | None = None, deadline: timedelta = PATIENCE) -> AsyncIterator[Connector]:
        """A connector as the hub makes one, with nothing signed in or cached."""
        settings = self._settings(url or self.running.url)
        http = Http(timeout=deadline, connect_timeout=deadline, secrets=_secret_values(settings))
        try:
            yield self.connector_class(settings, http)
        finally:
            await http.close()

    async def create(
        self, connector: Connector, *, our_reference: str | None = None, keep_rows: bool = False
    ) -> Outcome:
        """One create on the sample record, on an empty ledger unless it is to keep its rows."""
        ours = our_reference or self.new_reference()
        if not keep_rows:
            await asyncio.to_thread(self.running.forget)
        seen: list[int] = []

        async def sending() -> None:
            seen.append(len(await self.rows()))

        delivery = Delivery(
            our_reference=ours,
            reference=ours[:9],
            operation=self.operation,
            received_at=datetime.now(UTC),
            on_sending=sending,
        )
        receipt, raised, took, ticks = await self._attempt(connector, delivery)
        if isinstance(raised, DeliveryFailure):
            self.failures.append(raised)
        return Outcome(
            receipt=receipt,
            raised=raised,
            rows=await self.rows(),
            delivery=delivery,
            rows_when_sending=seen[0] if seen else None,
            took=took,
            ticks=ticks,
        )

    async def rows(self) -> list[dict[str, Any]]:
        return await asyncio.to_thread(self.running.ledger)

    async def behave(self, mode: str, **how: Any) -> None:
        await asyncio.to_thread(self.running.behave, "ok")
        await asyncio.to_thread(lambda: self.running.behave(mode, **how))

    def sample(self, our_reference: str) -> BaseModel:
        """The sample record with our reference in it."""
        return self.declared.record.model_validate(_filled(self.record, our_reference=our_reference))

    async def _attempt(
        self, connector: Connector, delivery: Delivery
    ) -> tuple[Receipt | None, BaseException | None, timedelta, int]:
        record, ticker = self.sample(delivery.our_reference), _Ticker()
        receipt: Receipt | None = None
        raised: BaseException | None = None
        started = time.monotonic()
        with http_evidence() as log:
            try:
                async with ticker, asyncio.timeout(PATIENCE.total_seconds() * 3):
                    receipt = await connector.create(record, delivery)
            except Exception as error:  # whatever escapes is what the kit is here to see
                raised = error
        self.evidence.extend(log)
        return receipt, raised, timedelta(seconds=time.monotonic() - started), ticker.ticks

    def _settings(self, url: str) -> BaseModel:
        moved = _moved(self.settings, to=url)
        return self.connector_class.Settings.model_validate(moved)


class _Ticker:
    """Counts the turns that the event loop gives while something else is awaited."""

    def __init__(self) -> None:
        self.ticks = 0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._count())

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _count(self) -> None:
        while True:
            await asyncio.sleep(0.01)
            self.ticks += 1


def example(model: type[BaseModel], *, what: str) -> Mapping[str, Any]:
    """The first example that a pydantic model carries in its `json_schema_extra`."""
    extra = model.model_config.get("json_schema_extra")
    examples = extra.get("examples") if isinstance(extra, Mapping) else None
    if not isinstance(examples, list) or not examples or not isinstance(examples[0], Mapping):
        raise KitFault(
            f"{model.__name__} carries no example; give its model_config json_schema_extra={{'examples': [{{…}}]}} "
            f"with {what}"
        )
    return copy.deepcopy(dict(examples[0]))


def nobody_listens() -> str:
    """An address on this machine where nothing answers."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{sock.getsockname()[1]}"


def _moved(value: Any, *, to: str) -> Any:
    """Settings with every http address moved to the pretend back office, its path kept."""
    match value:
        case Mapping():
            return {name: _moved(inner, to=to) for name, inner in value.items()}
        case str() if value.startswith(("http://", "https://")):
            parts = urlsplit(value)
            return to + parts.path + (f"?{parts.query}" if parts.query else "")
        case _:
            return value


def _filled(value: Any, *, our_reference: str) -> Any:
    match value:
        case Mapping():
            return {name: _filled(inner, our_reference=our_reference) for name, inner in value.items()}
        case list():
            return [_filled(inner, our_reference=our_reference) for inner in value]
        case str():
            return value.replace("{our_reference}", our_reference)
        case _:
            return value


def _secret_values(model: BaseModel) -> Iterator[str]:
    for name in type(model).model_fields:
        match getattr(model, name):
            case SecretStr() as secret:
                yield secret.get_secret_value()
            case BaseModel() as inner:
                yield from _secret_values(inner)
            case _:
                pass
