"""Bodies of this door: forms and multipart, with repeated keys, as FixMyStreet sends them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.requests import Request

from hub.core.form_fields import attributes
from hub.intake.limits import read_body
from hub.intake.multipart import Part, parts
from hub.intake.problems import Stop, stop
from hub.intake.taking import LARGE

KEY = "api_key"  #: the field that a front end's key comes in
MOST_FIELDS = 1_000
WITH_FILES = 3  #: how many times larger a form may be for its files, once its key is known
_UNNAMED = "file"
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that came with a form. Its name is personal: residents call photos after what they show."""

    part: str
    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a form said: every pair in its order, nothing folded; its files apart."""

    pairs: Sequence[tuple[str, str]] = field(repr=False)
    uploads: Sequence[Upload] = field(default=(), repr=False)

    def one(self, name: str) -> str:
        """The first that is not blank; "" where there is none."""
        return next((text for text in self.all(name) if text), "")

    def all(self, name: str) -> list[str]:
        """Every value of a field, trimmed."""
        return [value.strip() for key, value in self.pairs if key == name]

    def attribute(self, *codes: str) -> str:
        """The first attribute under one of these codes, in any case; "" where there is none."""
        return next((text for code, text in attributes(self.pairs) if code.lower() in codes), "")


def pack(sent: Sent, *, left_out: Sequence[Upload] = ()) -> dict[str, Any]:
    """The form as it is kept: without the key, its files by their digests, and which of them were not kept.

    In one order whatever order it came in (of one name as sent): Perl's hashes
    come in another with each try, and a repeat must look like a repeat.
    """
    fields = sorted((pair for pair in sent.pairs if pair[0] != KEY), key=lambda pair: pair[0])
    return {
        "fields": [list(pair) for pair in fields],
        "files": [[upload.part, upload.name, sha256(upload.content).hexdigest()] for upload in sent.uploads],
        "left_out": [upload.name for upload in left_out],
    }


async def read(request: Request, *, cap: int, trusted: bool, knows: Callable[[str], Awaitable[None]]) -> Sent:
    """The form of a request, files in memory.

    `knows` is told the key as soon as it is read and refuses a wrong one; until then (unless `trusted`:
    it is known already) files are held no further than a form without any. Raises Stop (400, 408, 413)
    and what `knows` raises.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _read_parts(request, cap=cap, trusted=trusted, knows=knows)
    body = await read_body(request.scope, request.receive, cap=cap)
    # Without a Content-Type it can still be seen to be a form.
    if kind != "application/x-www-form-urlencoded" and body.lstrip()[:1] in (b"{", b"[", b"<"):
        raise stop("bad-request", "Send a form: application/x-www-form-urlencoded or multipart/form-data.")
    sent = Sent(pairs=list(_pairs(body)) if len(body) < LARGE else await asyncio.to_thread(lambda: list(_pairs(body))))
    await knows(sent.one(KEY))
    return sent


async def _read_parts(request: Request, *, cap: int, trusted: bool, knows: Callable[[str], Awaitable[None]]) -> Sent:
    pairs: list[tuple[str, str]] = []
    uploads: list[Upload] = []
    known, held = trusted, 0
    async for part in parts(request.scope, request.receive, cap=cap * WITH_FILES):
        if len(pairs) + len(uploads) >= MOST_FIELDS:
            raise _too_many()
        content = bytearray()
        async for chunk in part.chunks():
            content += chunk
            held += len(chunk)
            if held > cap and not known:
                raise stop("too-large", "Send the api_key before the files, as a field or in the address.")
        if part.filename is None:
            pairs.append((part.field, _text(bytes(content))))
            if part.field == KEY and not known:
                await knows(pairs[-1][1].strip())
                known = True
        elif content:
            uploads.append(_upload(part, bytes(content)))
    if not known:
        await knows("")
    return Sent(pairs=pairs, uploads=uploads)


def _upload(part: Part, content: bytes) -> Upload:
    name = _file_name(part.filename or "", otherwise=part.field)
    return Upload(part=part.field, name=name, media_type=part.content_type, content=content)


def _pairs(body: bytes) -> Iterator[tuple[str, str]]:
    if body.count(b"&") >= MOST_FIELDS:
        raise _too_many()
    for piece in body.split(b"&"):
        if piece:
            name, _, value = piece.replace(b"+", b" ").partition(b"=")
            yield _text(unquote_to_bytes(name)), _text(unquote_to_bytes(value))


def _text(raw: bytes) -> str:
    """UTF-8; what is not was typed into something older, and a resident's report is worth more than its accents."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _too_many() -> Stop:
    return stop("too-large", f"The form has more than {MOST_FIELDS} fields; send fewer.")


def _file_name(told: str, *, otherwise: str) -> str:
    """The name alone: what stands before a slash is of the sender's machine."""
    for candidate in (told, otherwise):
        alone = re.split(r"[/\\]", candidate)[-1]
        if name := "".join(letter for letter in alone if letter.isprintable()).strip()[-_LONGEST_NAME:]:
            return name
    return _UNNAMED
