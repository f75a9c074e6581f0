"""The calls of the kit's own register, from which each of its connectors takes those that its class needs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from hub.connector.answers import Answer
from hub.connector.door import Attachment, Delivery, Health, StatusChange
from hub.connector.http import Http
from hub.errors import Misconfigured, Refused, Unavailable
from hub.model import Receipt

_EXISTS: Final = "already exists"  #: the register's word for a repeat


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


class Register:
    """One register of cases, spoken to over one seam."""

    def __init__(self, settings: ScriptableSettings, http: Http) -> None:
        self.http = http
        self.url = settings.url.rstrip("/")
        self.headers = {"X-Api-Key": settings.api_key.get_secret_value()} if settings.api_key else {}

    async def create(self, record: CreateCase, delivery: Delivery) -> Receipt:
        """Make the case under our reference, and get its number at once."""
        answer = await self._file(record, delivery)
        return await self._took(_text(answer, "reference"), delivery)

    async def create_or_meet(self, record: CreateCase, delivery: Delivery) -> Receipt:
        """Make the case, or get the number of the one that the register says is there already."""
        answer = await self._file(record, delivery, accept={409})
        said = answer.json()
        if answer.status != 409:
            return await self._took(_text(answer, "reference"), delivery)
        if not isinstance(said, Mapping) or said.get("error") != _EXISTS:
            raise Refused(code="http_409", reasons=(answer.excerpt(),))
        reference = _text(answer, "reference")
        await delivery.took(reference)
        return Receipt(reference=reference, joined=said.get("our_reference") != delivery.our_reference)

    async def create_for_token(self, record: CreateCase, delivery: Delivery) -> Receipt:
        """Make the case, and get a token that its number is asked for with."""
        token = _text(await self._file(record, delivery), "token")
        await delivery.took(token)
        return Receipt(token=token)

    async def number(self, token: str) -> Receipt:
        url = f"{self.url}/tokens/{quote(token, safe='')}"
        answer = await self.http.read("GET", url, headers=self.headers, accept={404})
        if answer.status == 404:
            text = "The register has no number for the case yet; the hub asks again on schedule."
            raise Unavailable(text, code="scriptable_number_to_follow")
        return Receipt(reference=_text(answer, "reference"))

    async def find(self, our_reference: str) -> Receipt | None:
        """The first case under exactly our reference."""
        answer = await self._ask({"our_reference": our_reference})
        for item in _items(answer):
            if item.get("our_reference") == our_reference:
                return Receipt(reference=_word(item, "reference", answer))
        return None

    async def changes(self, since: datetime) -> AsyncIterator[StatusChange]:
        """Every case made since then, a page at a time."""
        cursor: str | None = "0"
        while cursor is not None:
            start = since.astimezone(UTC).isoformat().replace("+00:00", "Z")
            answer = await self._ask({"since": start, "cursor": cursor})
            for item in _items(answer):
                yield _change(item, answer)
            cursor = answer.json().get("next")

    async def attach(self, attachment: Attachment, receipt: Receipt, delivery: Delivery) -> None:
        if receipt.reference is None:
            raise Unavailable("The case has no number yet to attach to.", code="scriptable_number_to_follow")
        url = f"{self.url}/cases/{quote(receipt.reference, safe='')}/attachments"
        answer = await self.http.write(delivery, "POST", url, multipart={"file": attachment}, headers=self.headers)
        _text(answer, "attached")

    async def check(self) -> Health:
        """Look for a case that cannot be there."""
        try:
            await self._ask({"our_reference": "-"})
        except (Misconfigured, Refused, Unavailable) as failure:
            return Health(ok=False, detail=str(failure))
        return Health(ok=True)

    async def _file(self, record: CreateCase, delivery: Delivery, *, accept: Collection[int] = ()) -> Answer:
        body = {**record.model_dump(exclude_none=True), "our_reference": delivery.our_reference}
        return await self.http.write(
            delivery, "POST", f"{self.url}/cases", json=body, headers=self.headers, accept=accept
        )

    async def _took(self, reference: str, delivery: Delivery) -> Receipt:
        await delivery.took(reference)
        return Receipt(reference=reference)

    async def _ask(self, params: Mapping[str, str]) -> Answer:
        return await self.http.read("GET", f"{self.url}/cases", params=params, headers=self.headers)


def _items(answer: Answer) -> list[Mapping[str, Any]]:
    said = answer.json()
    items = said.get("items") if isinstance(said, Mapping) else None
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise answer.puzzling("scriptable_no_items")
    return items


def _change(item: Mapping[str, Any], answer: Answer) -> StatusChange:
    try:
        at = datetime.fromisoformat(_word(item, "at", answer))
    except ValueError:
        raise answer.puzzling("scriptable_no_at") from None
    return StatusChange(
        reference=_word(item, "reference", answer),
        our_reference=_word(item, "our_reference", answer),
        status=_word(item, "status", answer),
        at=at,
    )


def _text(answer: Answer, name: str) -> str:
    said = answer.json()
    if not isinstance(said, Mapping):
        raise answer.puzzling("scriptable_not_an_object")
    return _word(said, name, answer)


def _word(said: Mapping[str, Any], name: str, answer: Answer) -> str:
    word = said.get(name)
    if not isinstance(word, str) or not word:
        raise answer.puzzling(f"scriptable_no_{name}")
    return word
