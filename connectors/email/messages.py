"""E-mails: built whole, in ASCII wherever that is possible, nothing of a resident's unguarded in a header."""

# `connectors.email` and the `email` of the standard library never meet: every import in this house is absolute.
from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from hashlib import sha256
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from connectors.email.settings import EmailSettings, address
from hub.connector import Cell, Delivery, Refused, csv_file

_LONGEST_SUBJECT: Final = 200
_BREAKS: Final = re.compile(r"[\s\x00-\x20\x7f-\x9f\u2028\u2029]+")
_NO_TEXT: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_DOT: Final = re.compile(rb"(?m)^\.")
_MEDIA_TYPE: Final = re.compile(r"(application|audio|image|text|video)/([A-Za-z0-9.+-]{1,80})")


class Message(BaseModel):
    """One e-mail."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "subject": "Request for information",
                    "body": "How many bins were missed last year?\n.\n..\nFred Smith",
                    "reply_to": "fred@example.com",
                    "data": {"reference": "{our_reference}", "subject": "Missed bins"},
                }
            ]
        },
    )

    subject: Annotated[str, Field(min_length=1, description="One line; `[ref …]` is added where ours is not in it")]
    body: Annotated[str, Field(min_length=1, description="The text, plain")]
    reply_to: Annotated[
        str | None, AfterValidator(lambda text: text and address(text)), Field(description="The resident's address")
    ] = None
    data: Annotated[dict[str, Any] | None, Field(description="Attached as JSON or CSV, as `data_as` says")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What is attached."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An e-mail ready to leave. `utf8` says that only a server with SMTPUTF8 can take it."""

    message_id: str
    content: bytes
    upload: bytes  #: the same as DATA carries it: dots stuffed, the last line ended
    utf8: bool
    shown: str  #: for evidence: the headers and the text, files by name and size


def write(message: Message, settings: EmailSettings, delivery: Delivery, *, case: str, files: list[File]) -> Written:
    """The e-mail for this step: the same Message-ID in every attempt. Raises Refused where it cannot be written."""
    try:
        attached = [*_data(message, settings, delivery), *files]
        return _written(message, settings, delivery, case=case, files=attached)
    except (ValueError, TypeError, LookupError, RecursionError):
        pass
    text = "The record cannot be written as an e-mail; mend the mapping or the data, then replay."
    raise Refused(text, code="unsendable")


def _written(message: Message, settings: EmailSettings, delivery: Delivery, *, case: str, files: list[File]) -> Written:
    utf8 = not (message.reply_to or "").isascii()
    made = EmailMessage(policy=SMTPUTF8 if utf8 else SMTP)
    made["From"] = _addressed(settings.sender, name=settings.sender_name or "")
    made["To"] = [_addressed(each) for each in settings.to]
    if message.reply_to:
        made["Reply-To"] = _addressed(message.reply_to)
    made["Subject"] = _subject(message.subject, delivery.our_reference)
    made["Date"] = format_datetime(datetime.now(UTC))
    made["Message-ID"] = name = _name(delivery, settings, files)
    first = f"<{case}.create@{settings.our_domain}>"
    if first != name:
        made["In-Reply-To"] = made["References"] = first
    made["Auto-Submitted"] = "auto-generated"  # an out-of-office reply would go to nobody
    head = "".join(f"{key}: {value}\n" for key, value in made.items())
    body = _NO_TEXT.sub("", _text(message.body))
    made.set_content(body, cte="quoted-printable")
    for file in files:
        main, sub = _media_type(file.media_type)
        made.add_attachment(file.content, maintype=main, subtype=sub, filename=_line(file.name) or "file")
    shown = "".join(f"\n‹{file.name}, {file.media_type}, {len(file.content)} bytes›" for file in files)
    content = made.as_bytes()
    if not utf8 and not content.isascii():
        raise ValueError("a header that needs more than ASCII")
    upload = _DOT.sub(b"..", content if content.endswith(b"\r\n") else content + b"\r\n")
    return Written(message_id=name, content=content, upload=upload, utf8=utf8, shown=f"{head}\n{body}{shown}")


def _addressed(text: str, *, name: str = "") -> Address:
    user, _, domain = text.rpartition("@")
    return Address(name, user, domain)


def _name(delivery: Delivery, settings: EmailSettings, files: list[File]) -> str:
    """Stable, so that whoever gets it twice can tell: by step, and for a file by the file."""
    step = f"{delivery.our_reference}.{delivery.operation}"
    if delivery.operation == "attach":
        step += f".{sha256(files[0].name.encode('utf-8', 'replace') + files[0].content).hexdigest()[:12]}"
    return f"<{step}@{settings.our_domain}>"


def _subject(text: str, ours: str) -> str:
    line = _line(text)[:_LONGEST_SUBJECT]
    return line if ours in line else f"{line} [ref {ours}]"


def _data(message: Message, settings: EmailSettings, delivery: Delivery) -> list[File]:
    if message.data is None:
        return []
    name = f"{delivery.our_reference}.{settings.data_as}"
    if settings.data_as == "csv":
        content = csv_file(list(message.data), [{key: _cell(value) for key, value in message.data.items()}])
        return [File(name=name, media_type="text/csv", content=content)]
    content = json.dumps(message.data, ensure_ascii=False, indent=2, default=str).encode("utf-8", "replace")
    return [File(name=name, media_type="application/json", content=content)]


def _cell(value: Any) -> Cell:
    """A cell; what is no cell by itself stands in it as JSON."""
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, Mapping | list) else value


def _media_type(text: str) -> tuple[str, str]:
    found = _MEDIA_TYPE.fullmatch(text)
    return (found[1], found[2]) if found else ("application", "octet-stream")


def _line(text: str) -> str:
    """One line: whatever would break a header is a space."""
    return _BREAKS.sub(" ", _text(text)).strip()


def _text(text: str) -> str:
    """Text that UTF-8 can write."""
    return text.encode("utf-8", "replace").decode()
