"""Cases in Jadu CXM (REST: an API key, a sign-in token that expires, one flat form per case type)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import ClassVar, Unpack
from urllib.parse import quote

from pydantic import BaseModel

from connectors.jadu.gazetteer import Gazetteer
from connectors.jadu.records import CreateCase
from connectors.jadu.session import Session
from connectors.jadu.settings import JaduSettings
from hub.connector import (
    Answer,
    Attachment,
    Delivery,
    Health,
    Http,
    Misconfigured,
    Operation,
    Parts,
    Receipt,
    Refused,
    ReplaySafety,
    Unavailable,
)

__all__ = ["CreateCase", "Jadu", "JaduSettings"]


class Jadu:
    """CRM cases: sign in, find the street where a form asks for one, create."""

    name: ClassVar[str] = "jadu"
    simulator: ClassVar[str] = "connectors.jadu.simulator:app"
    Settings: ClassVar[type[BaseModel]] = JaduSettings
    operations: ClassVar[Mapping[str, Operation]] = {
        "CreateCase": Operation(CreateCase, replay_safety=ReplaySafety.UNSAFE)
    }

    def __init__(self, settings: JaduSettings, http: Http) -> None:
        self._http = http
        self._session = Session(settings, http)
        self._gazetteer = Gazetteer(settings.gazetteer, http) if settings.gazetteer else None

    async def create(self, record: CreateCase, delivery: Delivery) -> Receipt:
        """Create the case. Jadu files the same reference twice, so an unclear create is a person's."""
        fields = record.form() | await self._street(record)
        answer = await self._write(delivery, f"{quote(record.case_type, safe='')}/case/create", json=fields)
        said = answer.json()
        reference = said.get("reference") if isinstance(said, Mapping) else None
        if not isinstance(reference, str | int) or not str(reference):
            raise answer.puzzling("jadu_no_reference")
        await delivery.took(str(reference))
        return Receipt(reference=str(reference))

    async def attach(self, attachment: Attachment, receipt: Receipt, delivery: Delivery) -> None:
        """Add a file to the case. What Jadu says of it is not used, but it must be JSON."""
        named = json.dumps({"name": attachment.name}, ensure_ascii=False)
        path = f"case/{quote(receipt.reference or '', safe='')}/attach"
        answer = await self._write(delivery, path, multipart=[("json", named), ("file", attachment)])
        answer.json()

    async def check(self) -> Health:
        """Sign in afresh: proves address, key, user name and password, changes nothing."""
        try:
            await self._session.renew()
        except (Misconfigured, Refused, Unavailable) as failure:
            return Health(ok=False, detail=str(failure))
        return Health(ok=True)

    async def _street(self, record: CreateCase) -> dict[str, str]:
        """The form's street fields from the gazetteer, where the council has one and the record says where to look."""
        if self._gazetteer is None or record.near is None:
            return {}
        return await self._gazetteer.fields(record.near)

    async def _write(self, delivery: Delivery, path: str, **body: Unpack[Parts]) -> Answer:
        token = await self._session.token()
        url = self._session.base + path
        body["headers"] = self._session.headers(token)
        answer = await self._http.write(delivery, "POST", url, accept={401}, **body)
        if answer.status != 401:
            return answer
        # An expired token: Jadu did nothing. Sign in again, once; a second 401 is about our key.
        delivery.not_taken()
        body["headers"] = self._session.headers(await self._session.token(instead_of=token))
        return await self._http.write(delivery, "POST", url, **body)
