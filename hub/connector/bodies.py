"""What is put into a request: JSON, a form, bytes, or files that stream."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict
from urllib.parse import urlencode

from aiohttp import ClientConnectionResetError, payload
from aiohttp.abc import AbstractStreamWriter

from hub.connector.door import Attachment
from hub.errors import Refused

CHUNK = 64 * 1024

Field = str | bytes | Attachment


class Parts(TypedDict, total=False):
    """What a request may carry; at most one of json, content, form and multipart."""

    headers: Mapping[str, str]
    params: Mapping[str, str | int] | Sequence[tuple[str, str]]
    json: Any
    content: bytes | str
    form: Mapping[str, str] | Sequence[tuple[str, str]]
    multipart: Mapping[str, Field] | Sequence[tuple[str, Field]]
    auth: tuple[str, str]  #: HTTP Basic: user, password


class Parcel(payload.Payload):
    """A request body that knows whether any byte of it was handed to the network.

    While `left` is false the back office cannot have the request: that is the
    one fact that makes a lost connection Unavailable and not Unclear.
    """

    _autoclose = True

    def __init__(self, pieces: Sequence[bytes | Attachment], *, media_type: str) -> None:
        super().__init__(pieces, content_type=media_type)
        self._pieces = pieces
        self._size = sum(piece.size if isinstance(piece, Attachment) else len(piece) for piece in pieces)
        self.left = False

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return self.shown().decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        for piece in self._pieces:
            if isinstance(piece, Attachment):
                await self._stream(piece, writer)
            else:
                for chunk in _slices(piece):
                    await self._hand_over(chunk, writer)

    async def _stream(self, attachment: Attachment, writer: AbstractStreamWriter) -> None:
        sent = 0
        async for chunk in attachment.chunks():
            sent += len(chunk)
            if sent <= attachment.size:
                await self._hand_over(chunk, writer)
        if sent != attachment.size:
            # Content-Length is out already: a body of another length would be read into the next request.
            raise ValueError(f"an attachment of {attachment.size} bytes streamed {sent}")

    async def _hand_over(self, chunk: bytes, writer: AbstractStreamWriter) -> None:
        if not self.left and (writer.transport is None or writer.transport.is_closing()):
            raise ClientConnectionResetError("the pooled connection was closed before anything left")
        self.left = True
        await writer.write(chunk)

    def shown(self) -> bytes:
        """The body as evidence shows it: files by name and size."""
        return b"".join(
            f"‹{piece.name}, {piece.media_type}, {piece.size} bytes›".encode()
            if isinstance(piece, Attachment)
            else piece
            for piece in self._pieces
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """The headers and body of one request, ready to leave."""

    headers: dict[str, str]
    parcel: Parcel | None


def pack(parts: Parts, *, empty: bool = False) -> Packed:
    """Make the body; an empty one, if `empty` and there is none.

    Raises Refused where the record cannot be written down: nothing has been sent by then.
    """
    bodies = [name for name in ("json", "content", "form", "multipart") if name in parts]
    if len(bodies) > 1:
        raise TypeError(f"a request has one body, not {' and '.join(bodies)}")
    headers = dict(parts.get("headers") or {})
    if "auth" in parts:
        user, password = parts["auth"]
        headers["Authorization"] = "Basic " + b64encode(f"{user}:{password}".encode()).decode()
    if any(breaker in value for value in headers.values() for breaker in "\r\n\0"):
        raise _unsendable("a header")
    try:
        parcel = _parcel(parts)
    except (ValueError, TypeError, RecursionError):
        raise _unsendable(bodies[0]) from None
    if parcel is None and empty:
        parcel = Parcel([b""], media_type="application/octet-stream")
    return Packed(headers=headers, parcel=parcel)


def _unsendable(what: str) -> Refused:
    text = f"The record cannot be written as {what}; mend the mapping or the data, then replay."
    return Refused(text, code="unsendable")


_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))  # `dumps` makes one a call


def _parcel(parts: Parts) -> Parcel | None:
    if "json" in parts:
        return Parcel([_JSON.encode(parts["json"]).encode()], media_type="application/json")
    if "content" in parts:
        content = parts["content"]
        if isinstance(content, str):
            return Parcel([content.encode()], media_type="text/plain; charset=utf-8")
        return Parcel([content], media_type="application/octet-stream")
    if "form" in parts:
        return Parcel([urlencode(parts["form"]).encode()], media_type="application/x-www-form-urlencoded")
    if "multipart" in parts:
        # Written here and not by the library, so that the length is known: ASMX and its kin refuse chunked requests.
        boundary = secrets.token_hex(16)
        fields = parts["multipart"]
        pairs = fields.items() if isinstance(fields, Mapping) else fields
        pieces = list(_multipart(pairs, boundary=boundary))
        return Parcel(pieces, media_type=f"multipart/form-data; boundary={boundary}")
    return None


def _multipart(fields: Iterable[tuple[str, Field]], *, boundary: str) -> Iterator[bytes | Attachment]:
    for name, value in fields:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"'
        if isinstance(value, Attachment):
            media_type = value.media_type.translate(_NO_BREAKS)
            head += f'; filename="{_quoted(value.name)}"\r\nContent-Type: {media_type}'
        yield f"{head}\r\n\r\n".encode()
        yield value.encode() if isinstance(value, str) else value
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


_NO_BREAKS = str.maketrans("", "", "\r\n\0")


def _quoted(name: str) -> str:
    """A field or file name as browsers write it (HTML Standard, multipart/form-data)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").replace("\0", "")


def _slices(body: bytes) -> Iterator[bytes]:
    if len(body) <= CHUNK:
        yield body
        return
    for start in range(0, len(body), CHUNK):
        yield body[start : start + CHUNK]
