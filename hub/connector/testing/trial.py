"""One connector against its own back office: makes calls, and says what came of each."""

from __future__ import annotations

import asyncio
import copy
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from hub.connector.door import Attachment, Connector, Delivery, Operation
from hub.connector.evidence import Exchange, http_evidence
from hub.connector.http import Http
from hub.connector.testing.loop import file_work
from hub.connector.testing.office import Office
from hub.connector.testing.running import Running
from hub.errors import DeliveryFailure
from hub.model import Receipt, StepKind

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

Say = Callable[[str], None]
Said = TypeVar("Said")

#: The deadline of every call but those that are meant to run into it: a busy machine is not the connector's fault.
PATIENCE = timedelta(seconds=10)


#: Verbs whose operations, where they are named like this, are tried with that verb and never with a create.
LATER = ("update", "cancel", "attach")


class KitFault(Exception):
    """The kit cannot try this connector; the text says what its author must declare."""


class Died(Exception):
    """The hub ended at this moment: whoever was sending heard nothing more, and nothing more was written down."""


class NotShown(Exception):
    """This wire has no such fault, so there is nothing to ask; the text says what it lacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one step: a receipt or what was raised, the rows it left, and how long it took."""

    receipt: Receipt | None
    raised: BaseException | None
    rows: list[dict[str, Any]]
    delivery: Delivery
    #: Rows in the ledger at the moment `sending` was committed; None if it never was.
    rows_when_sending: int | None
    took: timedelta
    ticks: int  #: how often the event loop got a turn meanwhile, at most every 10 ms
    on_the_loop: tuple[str, ...] = ()  #: file work that held up the event loop

    def __str__(self) -> str:
        said = f"{type(self.raised).__name__} {self.raised}" if self.raised else str(self.receipt or "well")
        return f"{said} and {len(self.rows)} row{'s' * (len(self.rows) != 1)}"


@dataclass(slots=True, kw_only=True)
class Trial:
    """A connector class, its back office in a process of its own, and a sample record."""

    connector_class: type[Connector]
    office: Office  #: for what it says of its wire; the one that is tried runs in a process of its own
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

    @property
    def folder(self) -> str | None:
        """The folder that its back office watches, where that is its wire."""
        return urlsplit(self.running.url).path if self.running.url.startswith("file:") else None

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
        self,
        connector: Connector,
        *,
        our_reference: str | None = None,
        keep_rows: bool = False,
        dies_when_taken: bool = False,
    ) -> Outcome:
        """One create on the sample record, on an empty ledger unless it is to keep its rows."""
        ours = our_reference or self.new_reference()
        if not keep_rows:
            await asyncio.to_thread(self.running.forget)
        record = self.sample(ours)
        took = _died if dies_when_taken else None
        return await self._step(StepKind.CREATE, ours, lambda delivery: connector.create(record, delivery), took=took)

    async def attach(self, connector: Connector, case: str, *, our_reference: str) -> Outcome:
        """A small photo to the case of this number; the ledger keeps its rows."""
        made: Any = connector
        receipt = Receipt(reference=case)
        return await self._step(
            StepKind.ATTACH, our_reference, lambda delivery: made.attach(photo(), receipt, delivery)
        )

    async def follow_up(self, connector: Connector, verb: str, case: str, *, our_reference: str) -> Outcome:
        """An update or a cancellation of the case of this number; the ledger keeps its rows."""
        model = self.connector_class.operations[verb].record
        (first, *_) = examples(model, what="a record that the product takes")
        record, receipt = model.model_validate(_filled(first, our_reference=our_reference)), Receipt(reference=case)
        call = getattr(connector, verb)
        ours = f"{our_reference}-u1"  # a follow-up is a delivery of its own, with a reference of its own
        return await self._step(StepKind(verb), ours, lambda delivery: call(record, receipt, delivery))

    async def number(self, connector: Connector, token: str) -> Receipt | BaseException:
        """The number behind a token, or what was raised."""
        made: Any = connector
        delivery = self._delivery(StepKind.NUMBER, self.new_reference())
        try:
            receipt: Receipt = await self.ask(lambda: made.number(token, delivery))
        except Exception as error:
            return error
        return receipt

    async def ask(self, call: Callable[[], Awaitable[Said]]) -> Said:
        """Await this call of a connector, keeping its evidence and what it raised."""
        with http_evidence() as log:
            try:
                async with asyncio.timeout(PATIENCE.total_seconds() * 3):
                    return await call()
            except DeliveryFailure as failure:
                self.failures.append(failure)
                raise
            finally:
                self.evidence.extend(log)

    async def rows(self) -> list[dict[str, Any]]:
        return await asyncio.to_thread(self.running.ledger)

    def shows(self, mode: str) -> bool:
        """Whether its wire can show this fault at all: a folder answers nothing, so it never answers late."""
        return mode in self.office.modes

    async def behave(self, mode: str, **how: Any) -> None:
        if not self.shows(mode):
            raise NotShown(f"its wire cannot be {mode}")
        await asyncio.to_thread(self.running.behave, "ok")
        await asyncio.to_thread(lambda: self.running.behave(mode, **how))

    def sample(self, our_reference: str) -> BaseModel:
        """The sample record with our reference in it."""
        return self.declared.record.model_validate(_filled(self.record, our_reference=our_reference))

    def _delivery(self, kind: StepKind, ours: str) -> Delivery:
        return Delivery(
            our_reference=ours,
            reference=ours[:9],
            received_at=datetime.now(UTC),
            kind=kind,
            operation=kind.value if kind.value in self.connector_class.operations else self.operation,
        )

    async def _step(
        self,
        kind: StepKind,
        ours: str,
        call: Callable[[Delivery], Awaitable[Receipt | None]],
        *,
        took: Callable[[str], Awaitable[None]] | None = None,
    ) -> Outcome:
        seen: list[int] = []

        async def sending() -> None:
            seen.append(len(await self.rows()))

        delivery, ticker = self._delivery(kind, ours), _Ticker()
        delivery.on_sending = sending
        delivery.on_took = took or delivery.on_took
        receipt: Receipt | None = None
        raised: BaseException | None = None
        started = time.monotonic()
        try:
            with file_work(self.folder) as on_the_loop:
                async with ticker:
                    receipt = await self.ask(lambda: call(delivery))
        except Exception as error:  # whatever escapes is what the kit is here to see
            raised = error
        return Outcome(
            receipt=receipt,
            raised=raised,
            took=timedelta(seconds=time.monotonic() - started),
            rows=await self.rows(),
            delivery=delivery,
            rows_when_sending=seen[0] if seen else None,
            ticks=ticker.ticks,
            on_the_loop=tuple(on_the_loop),
        )

    def _settings(self, url: str) -> BaseModel:
        model = self.connector_class.Settings
        return model.model_validate(_moved(self.settings, to=url) | _at_the_simulator(model, url))


async def _died(_: str) -> None:
    raise Died


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


def configured(connector: type[Connector], settings: Mapping[str, Any]) -> type[Connector]:
    """The class that the hub would use with these settings."""
    configure: Callable[[Mapping[str, Any]], type[Connector]] | None = getattr(connector, "configured", None)
    return connector if configure is None else configure(settings)


def creates(connector: type[Connector]) -> list[str]:
    """The operations that make a case; one with a later verb's name belongs to that verb."""
    return [name for name in connector.operations if name not in LATER]


def has(connector: type[Connector], verb: str) -> bool:
    """Whether it has an optional verb; settings may have taken one away."""
    return callable(getattr(connector, verb, None))


def examples(model: type[BaseModel], *, what: str) -> list[Mapping[str, Any]]:
    """The examples that a pydantic model carries in its `json_schema_extra`. Raises KitFault where it has none."""
    extra = model.model_config.get("json_schema_extra")
    found = extra.get("examples") if isinstance(extra, Mapping) else None
    if not isinstance(found, list) or not found or not all(isinstance(each, Mapping) for each in found):
        raise KitFault(
            f"{model.__name__} carries no example; give its model_config json_schema_extra={{'examples': [{{…}}]}} "
            f"with {what}"
        )
    return copy.deepcopy([dict(each) for each in found if isinstance(each, Mapping)])


def photo() -> Attachment:
    """A file as the hub hands one over: streamed, more than one chunk of it."""
    pieces = [bytes([n % 251]) * 7_000 for n in range(3)]

    async def chunks() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return Attachment(name="by the gate.jpg", media_type="image/jpeg", size=sum(map(len, pieces)), chunks=chunks)


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


def _at_the_simulator(model: type[BaseModel], url: str) -> dict[str, str]:
    """Settings that lead to the pretend system where no http address does: `simulator` of the model's extra, with
    `{host}`, `{port}` and `{path}` of its address."""
    extra = model.model_config.get("json_schema_extra")
    wanted = extra.get("simulator") if isinstance(extra, Mapping) else None
    if not isinstance(wanted, Mapping):
        return {}
    parts = urlsplit(url)
    at = {"host": parts.hostname or "", "port": str(parts.port or ""), "path": parts.path}
    return {name: str(text).format(**at) for name, text in wanted.items()}


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
        yield from _secrets_in(getattr(model, name))


def _secrets_in(value: Any) -> Iterator[str]:
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case BaseModel():
            yield from _secret_values(value)
        case Mapping():
            for each in value.values():
                yield from _secrets_in(each)
        case list() | tuple():
            for each in value:
                yield from _secrets_in(each)
        case _:
            return
