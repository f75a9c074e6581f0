"""The kit's own connector: a plain REST register of cases that never makes one twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from hub.connector.answers import Answer
from hub.connector.door import Delivery, Health, Operation
from hub.connector.http import Http
from hub.errors import Misconfigured, Refused, Unavailable
from hub.model import Receipt, ReplaySafety


class ScriptableSettings(BaseModel):
    """Where the register is, and its key if it has one."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"url": "https://register.example", "api_key": "conformance-key"}]},
    )

    url: Annotated[str, Field(pattern=r"^https?://\S+$", description="Base address; the hub adds `/cases`")]
    api_key: Annotated[SecretStr | None, Field(description="X-Api-Key, by reference")] = None


class CreateCase(BaseModel):
    """A case of whatever fields a mapping gives it."""

    model_config = ConfigDict(
        extra="allow", frozen=True, json_schema_extra={"examples": [{"title": "A bin was missed", "priority": 2}]}
    )
    __pydantic_extra__: dict[str, Any]

    title: Annotated[str | None, Field(description="A line for people")] = None


class Scriptable:
    """A generic REST back office that keys its cases on our reference. It also says what it has under one."""

    name: ClassVar[str] = "scriptable"
    simulator: ClassVar[str] = "hub.connector.testing.scriptable_simulator:app"
    Settings: ClassVar[type[BaseModel]] = ScriptableSettings
    operations: ClassVar[Mapping[str, Operation]] = {
        "CreateCase": Operation(CreateCase, replay_safety=ReplaySafety.IDEMPOTENT)
    }

    def __init__(self, settings: ScriptableSettings, http: Http) -> None:
        self._http = http
        self._url = settings.url.rstrip("/") + "/cases"
        self._headers = {"X-Api-Key": settings.api_key.get_secret_value()} if settings.api_key else {}

    async def create(self, record: CreateCase, delivery: Delivery) -> Receipt:
        """Make the case under our reference, or meet the one that is there."""
        body = {**record.model_dump(exclude_none=True), "our_reference": delivery.our_reference}
        answer = await self._http.write(delivery, "POST", self._url, json=body, headers=self._headers)
        reference = _reference(answer.json(), answer)
        await delivery.took(reference)
        return Receipt(reference=reference)

    async def find(self, our_reference: str) -> Receipt | None:
        """The case under our reference, or None."""
        answer = await self._ask(our_reference)
        said = answer.json()
        items = said.get("items") if isinstance(said, Mapping) else None
        if not isinstance(items, list):
            raise answer.puzzling("scriptable_no_items")
        return Receipt(reference=_reference(items[0], answer)) if items else None

    async def check(self) -> Health:
        """Look for a case that cannot be there."""
        try:
            await self._ask("-")
        except (Misconfigured, Refused, Unavailable) as failure:
            return Health(ok=False, detail=str(failure))
        return Health(ok=True)

    async def _ask(self, our_reference: str) -> Answer:
        params = {"our_reference": our_reference}
        return await self._http.read("GET", self._url, params=params, headers=self._headers)


def _reference(said: object, answer: Answer) -> str:
    reference = said.get("reference") if isinstance(said, Mapping) else None
    if not isinstance(reference, str) or not reference:
        raise answer.puzzling("scriptable_no_reference")
    return reference
