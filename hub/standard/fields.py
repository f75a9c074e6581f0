"""The shared field types: what they take, and in what form it is kept."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, TypeVar, cast

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core import core_schema as cs

T = TypeVar("T")

# [0-9], never \d: to some engines \d is every digit of Unicode.
DATE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
TIMESTAMP = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
UPRN = "^[0-9]{1,12}$"
USRN = "^[0-9]{1,8}$"
EMAIL = r"^[^@\s]+@[^@\s]+$"
COUNCIL = "^[A-Za-z0-9]+([-_][A-Za-z0-9]+)*$"
CUSTODIAN = "^[0-9]{1,4}$"
URL = r"^https?://[^\s/]+\S*$"
FILE_NAME = r"^[^/\\]+$"
MEDIA_TYPE = r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(;.*)?$"
LANGUAGE = "^(en|cy)(-GB)?$"
CLOCK = "^([01][0-9]|2[0-3]):[0-5][0-9]$"

#: What to do when a text does not match one of the patterns above.
REMEDIES = {
    DATE: "Send a real date as YYYY-MM-DD.",
    TIMESTAMP: "Send a date and time with its zone, as 2026-03-09T10:30:00Z.",
    UPRN: "Send the UPRN as 1 to 12 digits in a string.",
    USRN: "Send the USRN as up to 8 digits in a string.",
    EMAIL: "Send an email address with one @ and no spaces.",
    COUNCIL: "Send the council's slug (as northborough) or its GSS code (as E07000999).",
    CUSTODIAN: "Send the local custodian code as up to 4 digits in a string.",
    URL: "Send a whole address that begins with https:// or http://.",
    FILE_NAME: "Send the file's name alone, without a folder.",
    MEDIA_TYPE: "Send a media type, as image/jpeg.",
    LANGUAGE: "Send `en` or `cy`.",
    CLOCK: "Send a time of day as HH:MM, from 00:00 to 23:59.",
}

_POSTCODE = re.compile(r"(GIR0AA|[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2})")
_NOT_ALPHANUMERIC = re.compile(r"[^A-Za-z0-9]+")
#: Decoded bytes of a file that travels inside the submission.
LARGEST_INLINE = 1024 * 1024


#: For the schema: control characters are taken out, space is trimmed, and what is nothing but those says nothing.
#: Not `\S`: some readers of patterns count U+001C to U+001F as space, and others do not.
SOME_WORDS = r"[^\s\x00-\x1f\x7f-\x9f]"


@dataclass(frozen=True, slots=True)
class Text:
    """A string of at most `most` characters as it was sent and at least one once trimmed.

    With a pattern, which knows its own length, it is trimmed first.
    """

    most: int
    pattern: str | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        if self.pattern:
            return cs.str_schema(strict=True, strip_whitespace=True, max_length=self.most, pattern=self.pattern)
        as_sent = cs.str_schema(strict=True, max_length=self.most)
        return cs.chain_schema([as_sent, cs.str_schema(strict=True, strip_whitespace=True, min_length=1)])

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        if self.pattern:
            return handler(schema)
        return {"type": "string", "minLength": 1, "maxLength": self.most, "pattern": SOME_WORDS}


@dataclass(frozen=True, slots=True)
class _Absent:
    """The field may be left out; null is a fault, and an empty free text counts as left out."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner: Any = handler(source)
        if inner["type"] == "nullable":
            inner = inner["schema"]
        text = inner["schema"] if inner["type"] == "function-after" else inner
        if text["type"] == "chain":
            del text["steps"][-1]["min_length"]
            inner = cs.no_info_after_validator_function(_words_or_nothing, inner)
        return cast("CoreSchema", inner)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        made = handler(schema)
        if made.get("pattern") != SOME_WORDS:
            return made
        return {word: value for word, value in made.items() if word not in ("pattern", "minLength")}


def _words_or_nothing(text: str) -> str | None:
    return text or None


Maybe = Annotated[T | None, _Absent()]


@dataclass(frozen=True, slots=True)
class Exactly:
    """One whole number and no other; not `true`, not `1.0`."""

    number: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return cs.int_schema(strict=True, ge=self.number, le=self.number)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"const": self.number, "type": "integer"}


@dataclass(frozen=True, slots=True)
class Between:
    """A number from `least` to `most`, carried as it was sent: 458300 does not become 458300.0."""

    least: int
    most: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return cs.no_info_plain_validator_function(
            self._check, serialization=cs.plain_serializer_function_ser_schema(_as_it_is)
        )

    def _check(self, value: Any) -> Any:
        if type(value) not in (int, float) or not self.least <= value <= self.most:
            raise PydanticCustomError("between", f"Send a number from {self.least} to {self.most}.")
        return value

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "number", "minimum": self.least, "maximum": self.most}


def _as_it_is(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class _Moment:
    """A date or a timestamp: first of the pattern, then real, so that no number passes for one."""

    pattern: str
    format: str
    read: Callable[[str], Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return cs.no_info_after_validator_function(
            self._real,
            cs.str_schema(strict=True, strip_whitespace=True, pattern=self.pattern),
            serialization=cs.plain_serializer_function_ser_schema(_iso, when_used="json-unless-none"),
        )

    def _real(self, text: str) -> Any:
        try:
            return self.read(text.upper())
        except ValueError:
            raise PydanticCustomError("unreal", REMEDIES[self.pattern]) from None

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "format": self.format, "pattern": self.pattern}


def _iso(moment: date) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _without_leading_zeros(digits: str) -> str:
    return digits.lstrip("0") or "0"


def _tidy_postcode(typed: str) -> str:
    """`sw1a1aa` → `SW1A 1AA`; what is not recognisable stays as typed."""
    letters = _NOT_ALPHANUMERIC.sub("", typed).upper()
    return f"{letters[:-3]} {letters[-3:]}" if _POSTCODE.fullmatch(letters) else typed


def is_postcode(tidy: str) -> bool:
    return _POSTCODE.fullmatch(tidy.replace(" ", "")) is not None


def _registration(typed: str) -> str:
    return "".join(typed.split()).upper()


def _language(sent: str) -> str:
    return sent[:2]


def _base64(text: str) -> str:
    try:
        size = len(binascii.a2b_base64(text, strict_mode=True))
    except (binascii.Error, ValueError):
        raise PydanticCustomError("base64", "Send the file as base64 without line breaks.") from None
    if size > LARGEST_INLINE:
        raise PydanticCustomError("too_large", TOO_LARGE)
    return text


TOO_LARGE = "Send a file over 1 MiB to POST /v1/attachments and give its `id` here."

Str20 = Annotated[str, Text(20)]
Str40 = Annotated[str, Text(40)]
Str50 = Annotated[str, Text(50)]
Str64 = Annotated[str, Text(64)]
Str80 = Annotated[str, Text(80)]
Str100 = Annotated[str, Text(100)]
Str120 = Annotated[str, Text(120)]
Str200 = Annotated[str, Text(200)]
Str300 = Annotated[str, Text(300)]
Str500 = Annotated[str, Text(500)]
Str1000 = Annotated[str, Text(1000)]
Str2000 = Annotated[str, Text(2000)]
Str4000 = Annotated[str, Text(4000)]
Str5000 = Annotated[str, Text(5000)]
Str10000 = Annotated[str, Text(10000)]
Str20000 = Annotated[str, Text(20000)]

Day = Annotated[date, _Moment(DATE, "date", date.fromisoformat)]
Timestamp = Annotated[datetime, _Moment(TIMESTAMP, "date-time", datetime.fromisoformat)]
Uprn = Annotated[str, Text(12, UPRN), AfterValidator(_without_leading_zeros)]
Usrn = Annotated[str, Text(8, USRN), AfterValidator(_without_leading_zeros)]
Email = Annotated[str, Text(254, EMAIL)]
Phone = Annotated[str, Text(30)]
Postcode = Annotated[str, Text(20), AfterValidator(_tidy_postcode)]
CouncilId = Annotated[str, Text(80, COUNCIL)]
CustodianCode = Annotated[str, Text(4, CUSTODIAN)]
Registration = Annotated[str, Text(10), AfterValidator(_registration)]
Clock = Annotated[str, Text(5, CLOCK)]
Url = Annotated[str, Text(2000, URL)]
FileName = Annotated[str, Text(200, FILE_NAME)]
MediaType = Annotated[str, Text(120, MEDIA_TYPE)]
Language = Annotated[
    str,
    Text(5, LANGUAGE),
    AfterValidator(_language),
    WithJsonSchema({"type": "string", "enum": ["en", "cy", "en-GB", "cy-GB"]}),
]
Base64 = Annotated[str, Text(-(-LARGEST_INLINE // 3) * 4), AfterValidator(_base64)]
