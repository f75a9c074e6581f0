"""What a council fills in to say how its REST system speaks: addresses, keys, calls, and how answers are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from connectors.rest.samples import SETTINGS

#: What stands for our own reference where a product gives none.
OURS: Final = "our_reference"

Address = Annotated[str, Field(pattern=r"^https?://\S+$")]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Format(StrEnum):
    """How an answer is read. `any`: not at all."""

    JSON = "json"
    XML = "xml"
    ANY = "any"


class Body(StrEnum):
    JSON = "json"
    FORM = "form"
    XML = "xml"
    NONE = "none"


def _path(text: str) -> str:
    """An address below `url`, with `{fields}` in it."""
    if text and not text.startswith("/"):
        raise ValueError("a path begins with `/`; it is added to `url`")
    if set("{}") & set(re.sub(r"\{[^{}]+\}", "", text)):
        raise ValueError("write `{our_reference}`, `{reference}` or `{field}`, each in one pair of braces")
    if "#" in text or re.search(r"\s", text):
        raise ValueError("a path holds no space and no `#`")
    return text


Template = Annotated[str, AfterValidator(_path)]


def _pattern(text: str) -> str:
    try:
        compiled = re.compile(text)
    except re.error as error:
        raise ValueError(f"this is no regular expression ({error})") from None
    if compiled.groups != 1:
        raise ValueError("put the part that counts into one pair of brackets: `cases/([0-9]+)`")
    return text


class Where(Part):
    """Where a value stands in an answer: at a place of its body, or in a header; cut out by a pattern where it must."""

    at: Annotated[str | None, Field(description="JSON pointer (`/data/id`) or XML path (`Case/Id`, `Case/@id`)")] = None
    header: Annotated[str | None, Field(description="A header of the answer: Location")] = None
    pattern: Annotated[
        Annotated[str, AfterValidator(_pattern)] | None,
        Field(description="One bracket around what counts: `/cases/([^/?]+)`; alone, it is looked for in the text"),
    ] = None

    @property
    def ours(self) -> bool:
        """Whether there is none to be read, and our own reference stands for it."""
        return self.at == OURS

    @model_validator(mode="after")
    def _one(self) -> Where:
        if self.at is not None and self.header is not None:
            raise ValueError("a value stands `at` a place of the body or in a `header`, not in both")
        if self.at is None and self.header is None and self.pattern is None:
            raise ValueError("say where it stands: `at`, `header` or `pattern`")
        return self


def _place(stated: Any) -> Any:
    return {"at": stated} if isinstance(stated, str) else stated


Place = Annotated[Where, BeforeValidator(_place)]


def _list(stated: Any) -> Any:
    return stated if isinstance(stated, list) else [stated]


Value = str | int | float | bool


class Rule(Part):
    """Which answers are meant: by their status, by a value in their body, or by both."""

    status: Annotated[list[Annotated[int, Field(ge=200, le=599)]], BeforeValidator(_list)] = []
    at: Annotated[str | None, Field(description="Where a value stands; without `is`, that there is one")] = None
    values: Annotated[
        list[Value] | None, BeforeValidator(_list), Field(alias="is", description="One value, or a list of them")
    ] = None

    @model_validator(mode="after")
    def _something(self) -> Rule:
        if not self.status and self.at is None:
            raise ValueError("an answer is known by its `status`, or by what stands `at` a place")
        if self.values is not None and self.at is None:
            raise ValueError("`is` needs `at`: where that value stands")
        return self


class Duplicate(Rule):
    """Answers that say "already there", and where they name the case that is there."""

    reference: Annotated[
        Place | None, Field(description="The number of the case that is there; without it, it is looked up")
    ] = None
    our_reference: Annotated[
        Place | None, Field(description="Where that case's own reference of ours stands: it proves whose case it is")
    ] = None


Rules = Annotated[list[Rule], BeforeValidator(_list)]


class Xml(Part):
    """How a record becomes XML: `@name` is an attribute, `#text` the text beside it, a list repeats its element."""

    root: Annotated[str, Field(min_length=1, description="The root element's name")]
    namespace: str | None = None


class Call(Part):
    """One call: how it is made, and how its answer is read."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"] = "POST"
    path: Annotated[Template, Field(description="Below `url`; a field that stands here is not sent in the body again")]
    answers: Annotated[Format | None, Field(description="json, xml or any; as `answers` of the whole, if left out")] = (
        None
    )
    ok: Annotated[Rules, Field(description="If given, nothing else is a success")] = []
    refused: Annotated[Rules, Field(description="It read the record and said no")] = []
    busy: Annotated[Rules, Field(description="It did nothing, and is to be asked again")] = []
    misconfigured: Annotated[Rules, Field(description="It does not know our key")] = []


class Writing(Call):
    """A call that carries a record."""

    body: Body = Body.JSON
    wrap: Annotated[
        str | None,
        Field(min_length=1, description="Names around the record, outermost first: `data/case`; `[]` a list"),
    ] = None
    xml: Annotated[Xml | None, Field(description="Needed with `body: xml`")] = None


class Create(Writing):
    """The call that makes the case."""

    reference: Annotated[
        Place,
        Field(description="Where the case's number stands; `our_reference` where the product gives none of its own"),
    ]
    duplicate: Annotated[list[Duplicate], BeforeValidator(_list)] = []


class Attach(Call):
    """The call that adds a file to a case."""

    body: Literal["multipart", "json"] = "multipart"
    field: Annotated[str, Field(min_length=1, description="The part that holds the file")] = "file"
    fields: Annotated[
        Mapping[str, str], Field(description="More parts; `{name}`, `{media_type}`, `{size}`, `{our_reference}`")
    ] = {}
    record: Annotated[
        Mapping[str, Any] | None, Field(alias="json", description="With `body: json`: a tree, the file as `{base64}`")
    ] = None


class Lookup(Part):
    """How to ask for the case under our reference, and how to read what is found."""

    method: Literal["GET", "POST"] = "GET"
    path: Template
    query: Annotated[
        Mapping[str, Any] | None, Field(alias="json", description="With POST: a tree to send, `{our_reference}` in it")
    ] = None
    answers: Format | None = None
    items: Annotated[
        str, Field(alias="list", description="Where the list of cases stands; one object is a list of one")
    ]
    reference: Annotated[Place, Field(description="The case's number, from the item down")]
    our_reference: Annotated[Place, Field(description="Our reference, from the item down")]
    none: Annotated[Rules, Field(description="Answers that say that there is none: `{status: 404}`")] = []


class Bearer(Part):
    token: SecretStr


class Basic(Part):
    username: str
    password: SecretStr


class KeyHeader(Part):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]
    value: SecretStr


class OAuth2(Part):
    """Client credentials (RFC 6749, 4.4)."""

    token_url: Address
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: SecretStr
    scope: str | None = None
    client_auth: Annotated[Literal["basic", "body"], Field(description="Where id and secret are sent")] = "basic"
    parameters: Annotated[Mapping[str, str], Field(description="More of the token request: audience, resource")] = {}


class Auth(Part):
    """How the product knows us: one of the first three, and a header of its own beside or alone."""

    bearer: Bearer | None = None
    basic: Basic | None = None
    oauth2: OAuth2 | None = None
    header: KeyHeader | None = None

    @model_validator(mode="after")
    def _one(self) -> Auth:
        if sum(each is not None for each in (self.bearer, self.basic, self.oauth2)) > 1:
            raise ValueError("`bearer`, `basic` and `oauth2` use the same header; keep one of them")
        return self


def _check(stated: Any) -> Any:
    return {"path": stated} if isinstance(stated, str) else stated


class Check(Part):
    """A read that proves address and key."""

    path: Template


class RestSettings(Part):
    """How one council's REST system speaks."""

    model_config = ConfigDict(json_schema_extra={"examples": SETTINGS})

    url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$", description="Base address; every `path` is added to it")]
    auth: Auth = Auth()
    headers: Annotated[Mapping[str, str], Field(description="Sent with every call")] = {}
    answers: Annotated[Format, Field(description="How answers are read: json, xml or any")] = Format.JSON
    idempotency_header: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9-]+$", description="Only where the product promises that a repeated key is one case"
        ),
    ] = None
    create: Create
    update: Writing | None = None
    cancel: Writing | None = None
    attach: Attach | None = None
    lookup: Lookup | None = None
    check: Annotated[
        Check | None, BeforeValidator(_check), Field(description="A path to read that changes nothing")
    ] = None
