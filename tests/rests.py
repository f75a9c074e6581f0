"""A REST product that nobody knows, for tests: declared by settings, and pretended by the generic back office."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connectors.rest import Rest
from connectors.rest.simulator import RestBackOffice
from hub.connector import Http, Receipt, StepKind
from hub.connector.testing import BackOffice, Call, Reply, Sent, Tap, serving, tapped
from tests.offices import delivery

#: The least that a council can say.
LEAST: dict[str, Any] = {"url": "http://crm.example", "create": {"path": "/cases", "reference": "/data/id"}}


class Canned(RestBackOffice):
    """Answers every call with one reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply

    def answer(self, call: Call) -> Reply:
        return self.reply


@dataclass
class Spoken:
    """One connector on the wire."""

    connector: Any
    kind: type[Rest]
    tap: Tap

    async def create(self, record: Mapping[str, Any], ours: str = "ABCD-EFGH") -> Receipt:
        made = self.kind.operations["create"].record.model_validate(record)
        receipt: Receipt = await self.connector.create(made, delivery("create", our_reference=ours))
        return receipt

    async def tell(self, verb: str, record: Mapping[str, Any], reference: str | None) -> Receipt:
        made = self.kind.operations[verb].record.model_validate(record)
        step = delivery(verb, our_reference="ABCD-EFGH-u1", kind=StepKind(verb))
        receipt: Receipt = await getattr(self.connector, verb)(made, Receipt(reference=reference), step)
        return receipt

    @property
    def sent(self) -> list[Sent]:
        return self.tap.sent()


@asynccontextmanager
async def spoken(office: BackOffice | None = None, **settings: Any) -> AsyncIterator[Spoken]:
    """The product with these settings (`url` is the back office), and what is said to it."""
    stated = json.loads(json.dumps({**LEAST, **settings}))
    async with serving(office or RestBackOffice()) as address, tapped(address.url) as tap:
        moved = json.loads(json.dumps(stated).replace("http://crm.example", tap.url))
        http = Http(timeout=timedelta(seconds=5))
        kind = Rest.configured(moved)
        try:
            yield Spoken(kind(kind.Settings.model_validate(moved), http), kind, tap)
        finally:
            await http.close()
