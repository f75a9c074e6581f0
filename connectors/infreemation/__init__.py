"""Freedom of information requests in Infreemation (JSON over one POST, business errors on HTTP 200)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from hub.connector import (
    Answer,
    Delivery,
    Health,
    Http,
    Misconfigured,
    Operation,
    Receipt,
    Refused,
    ReplaySafety,
    Unavailable,
)

#: The product's error table by who can mend it. On failure `ref` is the code; on success it is the case.
_OUR_KEY = frozenset({"2", "10", "11"})
_OUR_DATA = frozenset({"3", "4", "5", "6", "7", "8", "9", "12"})


class InfreemationSettings(BaseModel):
    """What a council fills in. Infreemation also allows callers by IP address: ask them to list the hub's."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {"url": "https://api.infreemation.example/sandbox", "key": "conformance-key", "username": "hub"}
            ]
        },
    )

    url: Annotated[str, Field(pattern=r"^https?://\S+$", description="Base address; the hub adds `/foi/`")]
    key: Annotated[SecretStr, Field(description="API key, by reference: `env:NAME` or `file:/path`")]
    username: Annotated[str, Field(min_length=1, description="The user name that belongs to the key")]


class CreateRequest(BaseModel):
    """A request for information as Infreemation takes it."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "type": "FOI",
                    "requester": "Fred Smith",
                    "contact": "fred@example.com",
                    "contacttype": "email",
                    "subject": "Missed bins",
                    "body": "How many bins were missed last year?\n\n[ref {our_reference}]",
                }
            ]
        },
    )

    type: Annotated[Literal["FOI", "EIR"], Field(description="Which act the council decided it falls under")] = "FOI"
    requester: Annotated[str, Field(min_length=1, description="The requester's real name (FOIA section 8)")]
    contact: Annotated[str, Field(min_length=1, description="Where to reply: one address of the contact type")]
    contacttype: Annotated[Literal["email", "telephone", "address"], Field(description="What kind `contact` is")]
    body: Annotated[
        str, Field(min_length=1, description="The whole request; the product has no field for our reference")
    ]
    subject: Annotated[str | None, Field(min_length=1, description="A short title")] = None
    category: Annotated[str | None, Field(min_length=1, description="A category the council has set up")] = None


class Infreemation:
    """Freedom of information: one POST for everything, and `ref` is the case or the error code."""

    name: ClassVar[str] = "infreemation"
    simulator: ClassVar[str] = "connectors.infreemation.simulator:app"
    Settings: ClassVar[type[BaseModel]] = InfreemationSettings
    operations: ClassVar[Mapping[str, Operation]] = {
        "CreateRequest": Operation(CreateRequest, replay_safety=ReplaySafety.UNSAFE)
    }

    def __init__(self, settings: InfreemationSettings, http: Http) -> None:
        self._settings = settings
        self._http = http
        self._url = f"{settings.url.rstrip('/').removesuffix('/foi')}/foi/"

    async def create(self, record: CreateRequest, delivery: Delivery) -> Receipt:
        """File the request. The product keeps no reference of ours, so an unclear create is a person's."""
        body = self._body("create", record.model_dump(exclude_none=True))
        answer = await self._http.write(delivery, "POST", self._url, json=body)
        said = _said(answer)
        reference = _text(said.get("ref"))
        if said.get("status") != "OK" or reference in ("", "0"):
            raise answer.puzzling("infreemation_no_reference")
        await delivery.took(reference)
        return Receipt(reference=reference)

    async def check(self) -> Health:
        """Read the published log of one day long ago: proves address, key and allow-list, changes nothing."""
        body = self._body("published", {"startdate": "2000-01-01", "enddate": "2000-01-01"})
        try:
            _said(await self._http.read("POST", self._url, json=body))
        except (Misconfigured, Refused, Unavailable) as failure:
            return Health(ok=False, detail=str(failure))
        return Health(ok=True)

    def _body(self, rt: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        credentials = {"key": self._settings.key.get_secret_value(), "username": self._settings.username}
        return {"rt": rt, **fields, **credentials}


def _said(answer: Answer) -> Mapping[str, Any]:
    """The answer's object, or the failure that its error code means; a code that is not in the table is puzzling."""
    said = answer.json()
    if not isinstance(said, Mapping):
        raise answer.puzzling("infreemation_not_an_object")
    if said.get("status") != "ERROR":
        return said
    code, reasons = _text(said.get("ref")), (_text(said.get("error")),)
    if code in _OUR_KEY:
        text = "Infreemation does not know our key or has suspended the account; mend the settings, then resume."
        raise Misconfigured(text, code=f"infreemation_{code}", reasons=reasons)
    if code in _OUR_DATA:
        text = f"Infreemation refused the request (its error {code}); mend the data or the mapping, then replay."
        raise Refused(text, code=f"infreemation_{code}", reasons=reasons)
    raise answer.puzzling("infreemation_unknown_error")


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) else ""
