"""The kit's own connectors: one register of cases, and a connector for each way that it may treat a repeat."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import ClassVar, Final

from pydantic import BaseModel

from hub.connector.door import Attachment, Delivery, Health, Operation, StatusChange
from hub.connector.http import Http
from hub.connector.testing.scriptable_register import CreateCase, Register, ScriptableSettings
from hub.model import Receipt, ReplaySafety

__all__ = [
    "ALL",
    "CreateCase",
    "Scriptable",
    "ScriptableListing",
    "ScriptableLookup",
    "ScriptableNumber",
    "ScriptableRejects",
    "ScriptableSettings",
    "ScriptableUnsafe",
]

_SIMULATOR: Final = "hub.connector.testing.scriptable_simulator"
_SETTLE: Final = timedelta(seconds=1)


def _creates(safety: ReplaySafety, *, settle: timedelta | None = None) -> Mapping[str, Operation]:
    return {"CreateCase": Operation(CreateCase, replay_safety=safety, settle=settle)}


class _Filing:
    """What all of them do. Each adds the verbs that its class needs, and no other."""

    Settings: ClassVar[type[BaseModel]] = ScriptableSettings

    def __init__(self, settings: ScriptableSettings, http: Http) -> None:
        self._register = Register(settings, http)

    async def create(self, record: CreateCase, delivery: Delivery) -> Receipt:
        return await self._register.create(record, delivery)

    async def check(self) -> Health:
        return await self._register.check()


class Scriptable(_Filing):
    """A generic REST back office that keys its cases on our reference. It also says what it has under one."""

    name: ClassVar[str] = "scriptable"
    simulator: ClassVar[str] = f"{_SIMULATOR}:app"
    operations: ClassVar[Mapping[str, Operation]] = _creates(ReplaySafety.IDEMPOTENT)

    async def find(self, our_reference: str) -> Receipt | None:
        return await self._register.find(our_reference)

    async def attach(self, attachment: Attachment, receipt: Receipt, delivery: Delivery) -> None:
        await self._register.attach(attachment, receipt, delivery)


class ScriptableRejects(_Filing):
    """A generic REST back office that refuses our reference when it has it already, and says which case that is."""

    name: ClassVar[str] = "scriptable-rejects"
    simulator: ClassVar[str] = f"{_SIMULATOR}:rejects"
    operations: ClassVar[Mapping[str, Operation]] = _creates(ReplaySafety.REJECTS_DUPLICATES)

    async def create(self, record: CreateCase, delivery: Delivery) -> Receipt:
        return await self._register.create_or_meet(record, delivery)


class ScriptableLookup(_Filing):
    """A generic REST back office that files our reference twice, and can be asked for it."""

    name: ClassVar[str] = "scriptable-lookup"
    simulator: ClassVar[str] = f"{_SIMULATOR}:plain"
    operations: ClassVar[Mapping[str, Operation]] = _creates(ReplaySafety.LOOKUP, settle=_SETTLE)

    async def find(self, our_reference: str) -> Receipt | None:
        return await self._register.find(our_reference)

    async def attach(self, attachment: Attachment, receipt: Receipt, delivery: Delivery) -> None:
        await self._register.attach(attachment, receipt, delivery)


class ScriptableListing(_Filing):
    """A generic REST back office that files our reference twice, and lists what was made with it."""

    name: ClassVar[str] = "scriptable-listing"
    simulator: ClassVar[str] = f"{_SIMULATOR}:plain"
    operations: ClassVar[Mapping[str, Operation]] = _creates(ReplaySafety.LISTING, settle=_SETTLE)

    async def changes(self, since: datetime) -> AsyncIterator[StatusChange]:
        async for change in self._register.changes(since):
            yield change


class ScriptableUnsafe(_Filing):
    """A generic REST back office that files our reference twice, and tells nobody. Most real ones are like this."""

    name: ClassVar[str] = "scriptable-unsafe"
    simulator: ClassVar[str] = f"{_SIMULATOR}:plain"
    operations: ClassVar[Mapping[str, Operation]] = _creates(ReplaySafety.UNSAFE)


class ScriptableNumber(_Filing):
    """A generic REST back office that keys its cases on our reference, and gives their numbers later."""

    name: ClassVar[str] = "scriptable-number"
    simulator: ClassVar[str] = f"{_SIMULATOR}:numbers"
    operations: ClassVar[Mapping[str, Operation]] = _creates(ReplaySafety.IDEMPOTENT)

    async def create(self, record: CreateCase, delivery: Delivery) -> Receipt:
        return await self._register.create_for_token(record, delivery)

    async def number(self, token: str, delivery: Delivery) -> Receipt:
        return await self._register.number(token)


ALL = (Scriptable, ScriptableRejects, ScriptableLookup, ScriptableListing, ScriptableUnsafe, ScriptableNumber)
