"""The only reader of the environment."""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from hub.errors import SettingsError
from hub.fuse import Charge

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _duration(value: object) -> object:
    if isinstance(value, str) and (found := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\s*", value)):
        return timedelta(seconds=float(found[1]) * _UNITS[found[2] or "s"])
    return value


def _shift(value: object) -> object:
    if isinstance(value, str) and value.strip()[:1] in ("+", "-"):
        amount = _duration(value.strip()[1:])
        return -amount if isinstance(amount, timedelta) and value.strip()[0] == "-" else amount
    return _duration(value)


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Shift = Annotated[timedelta, BeforeValidator(_shift)]

REHEARSAL = "hub_gameday"  #: how the name of a database begins that faults may be rehearsed on


class Settings(BaseModel):
    """Every setting, with its default. Each is read from `HUB_<NAME>`; any value may be `env:NAME` or `file:/path`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: str = Field(
        "sqlite:///var/hub.db", description="SQLite file, or postgresql+psycopg://… in production"
    )
    broker_url: str = Field("memory://", description="memory:// inside one process, or amqp://… in production")
    door_url: str | None = Field(
        None, description="amqp://… of the vhost where front ends publish to a queue; the broker's own when left out"
    )
    mappings: Path = Field(Path("mappings"), description="the folder of council files")
    blobs: Path | None = Field(
        None,
        description="the folder of attachments, sealed; one that all processes share. `blobs` beside an SQLite file, "
        "else var/blobs",
    )
    host: str = Field("127.0.0.1", description="address the front doors listen on")
    port: int = Field(8000, ge=0, le=65535, description="port the front doors listen on")
    admin_host: str | None = Field(None, description="address for ops API, console and metrics, if they are apart")
    admin_port: int | None = Field(None, ge=0, le=65535, description="port for them")
    encryption_keys: str | None = Field(None, description="comma separated id:base64 of 32 bytes; the first encrypts")
    hash_key: str | None = Field(None, description="base64 of 32 bytes; keys fingerprints and search, never rotated")
    public_url: str | None = Field(None, description="how front ends reach this hub; used in links")
    log_format: Literal["console", "json"] = Field("console", description="how log lines look")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="the least that is logged; debug has a line for every submission that was taken"
    )
    tick: Duration = Field(timedelta(seconds=1), description="how often due work is looked for without a bell")
    lease_margin: Duration = Field(timedelta(seconds=30), description="how long a lease outlasts the longest call")
    stop_notice: Duration = Field(
        timedelta(seconds=1), description="how long /health/ready says 503 before a stopping process closes its doors"
    )
    max_in_flight: int = Field(400, ge=1, le=10_000, description="calls one worker process makes at once")
    max_body: int = Field(12 * 1024 * 1024, ge=1024, description="bytes of a submission, attachments inline included")
    rate: float = Field(500, gt=0, description="submissions a second that one front end may publish, on average")
    trusted_networks: str = Field("", description="comma separated networks that outside addresses may point into")
    retention_content: Duration = Field(
        timedelta(days=90), description="how long what a resident wrote is kept once all of it is done"
    )
    retention_evidence: Duration = Field(
        timedelta(days=30), description="how long what was sent to a council's system, and its answer, is kept"
    )
    crash_point: str | None = Field(None, description="rehearsals only: where this process dies, as point or point:n")
    clock_skew: Shift = Field(timedelta(0), description="rehearsals only: how far off its clock is, such as -1h")

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Self:
        """The settings of this process. Raises SettingsError, which names what to mend and quotes no secret."""
        source = os.environ if environment is None else environment
        known = {f"HUB_{name.upper()}": name for name in cls.model_fields}
        values = {field: secret(source[name], source) for name, field in known.items() if source.get(name)}
        try:
            return cls.model_validate(values)
        except ValidationError as failure:
            faults = "; ".join(f"HUB_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in failure.errors())
            raise SettingsError(f"{faults}. See `hub run --help` and README.md, Settings.") from None

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql:", "postgresql+psycopg:")):
            raise ValueError("use sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME")
        return url

    @field_validator("crash_point", "clock_skew")
    @classmethod
    def _only_in_a_rehearsal(cls, value: str | timedelta | None, info: ValidationInfo) -> str | timedelta | None:
        if isinstance(value, str):
            Charge.read(value)
        if value and not _is_rehearsal(info.data.get("database_url", "")):
            raise ValueError(f"is for rehearsals, on a database whose name begins with {REHEARSAL}; unset it")
        return value

    @property
    def charge(self) -> Charge | None:
        """Where this process is to die, if it is."""
        return Charge.read(self.crash_point) if self.crash_point else None

    @property
    def sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    def keys(self) -> dict[str, bytes] | None:
        """The encryption keys by id, in order, or None when none are set."""
        if not self.encryption_keys:
            return None
        found: dict[str, bytes] = {}
        for part in self.encryption_keys.split(","):
            key_id, _, text = part.strip().partition(":")
            found[key_id] = _key(text, f"HUB_ENCRYPTION_KEYS, key {key_id!r}")
        return found

    def hash_key_bytes(self) -> bytes | None:
        return _key(self.hash_key, "HUB_HASH_KEY") if self.hash_key else None


def _is_rehearsal(database_url: str) -> bool:
    parts = urlsplit(database_url)
    if {"dbname", "service"} & set(parse_qs(parts.query)):
        return False  # another database than the path names
    return Path(parts.path).stem.startswith(REHEARSAL)


def _key(text: str, name: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32:
        raise SettingsError(f"{name} must be 32 bytes in base64; make one with `openssl rand -base64 32`.")
    return raw


def secret(reference: str, environment: Mapping[str, str] | None = None) -> str:
    """What a reference stands for: `env:NAME`, `file:/path`, or the text itself.

    Raises SettingsError naming the reference (never a value) when there is nothing there.
    """
    source = os.environ if environment is None else environment
    kind, _, name = reference.partition(":")
    if kind == "env":
        if name not in source:
            raise SettingsError(f"The environment has no {name}; set it, or change the reference.")
        return source[name]
    if kind == "file":
        try:
            return Path(name).read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as failure:
            raise SettingsError(f"{name} cannot be read ({failure.strerror}); make it readable for the hub.") from None
    return reference


def environment_value(name: str) -> str | None:
    """One variable that is not a setting of the hub itself: a caller's address or key for the command line."""
    return os.environ.get(name)


def child_environment(extra: Mapping[str, str], *, without: str = "HUB_") -> dict[str, str]:
    """This process's environment for a child, without its own settings, and with `extra`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(without)}
    return kept | dict(extra)
