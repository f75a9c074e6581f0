"""What a council fills in for a mailbox."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

_PORTS: Final = {"none": 25, "starttls": 587, "tls": 465}
_HOST: Final = r"^[A-Za-z0-9.:_-]+$"
#: One bare address. Stricter than what RFC 5322 allows, so that nothing in it can end a header or name a second one.
_ADDRESS: Final = re.compile(r"[^\s\x00-\x20\x7f<>()\[\],;:\\\"@]{1,64}@[^\s\x00-\x20\x7f<>()\[\],;:\\\"@]{1,253}")


def address(text: str) -> str:
    """The text, where it is one bare address."""
    if not _ADDRESS.fullmatch(text):
        raise ValueError("one address like name@council.example, without a name or brackets around it")
    return text


def _ascii_address(text: str) -> str:
    if not text.isascii():
        raise ValueError("an address of the council's own is written in ASCII; a domain as xn--…")
    return address(text)


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Address = Annotated[str, AfterValidator(_ascii_address)]


class EmailSettings(BaseModel):
    """A mail server that takes our e-mails, and the mailbox that they are for."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "host": "smtp.council.example",
                    "username": "council-hub",
                    "password": "conformance-password",
                    "sender": "hub@council.example",
                    "to": "foi@council.example",
                }
            ],
            "simulator": {"host": "{host}", "port": "{port}", "security": "none", "password_in_plain": "true"},
        },
    )

    host: Annotated[str, Field(pattern=_HOST, description="The mail server")]
    port: Annotated[int | None, Field(ge=1, le=65535, description="587 for starttls, 465 for tls, 25 for none")] = None
    security: Annotated[
        Literal["starttls", "tls", "none"], Field(description="`none` only where the server is on this machine")
    ] = "starttls"
    username: Annotated[str | None, Field(min_length=1, description="Where the server asks for one")] = None
    password: Annotated[SecretStr | None, Field(description="By reference: `env:NAME` or `file:/path`")] = None
    password_in_plain: Annotated[bool, Field(description="Let the password be read on its way (`security: none`)")] = (
        False
    )
    trust: Annotated[
        str | None, Field(pattern=r"^/", description="PEM file of a certificate authority of your own")
    ] = None
    sender: Annotated[Address, Field(description="The address that the e-mails come from")]
    sender_name: Annotated[
        str | None, Field(max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$", description="What stands before that address")
    ] = None
    to: Annotated[
        tuple[Address, ...], BeforeValidator(_several), Field(min_length=1, max_length=10, description="The mailbox")
    ]
    domain: Annotated[
        str | None, Field(pattern=r"^[A-Za-z0-9.-]+$", description="Of our Message-IDs; the sender's unless said")
    ] = None
    data_as: Annotated[Literal["json", "csv"], Field(description="What a record's `data` is attached as")] = "json"

    @model_validator(mode="after")
    def _whole_credentials(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("`username` and `password` go together")
        if self.password is not None and self.security == "none" and not self.password_in_plain:
            raise ValueError("`security: none` sends the password in plain; say starttls or tls")
        return self

    @property
    def at(self) -> tuple[str, int]:
        return self.host, self.port or _PORTS[self.security]

    @property
    def our_domain(self) -> str:
        return self.domain or self.sender.rpartition("@")[2]
