"""Files for tests, and forms that carry them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from tests.asgi import Answer, Caller

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF a photo of a bin"
PDF = b"%PDF-1.7\n1 0 obj\n"
FORM = {"content_type": "multipart/form-data; boundary=XX"}


def part(content: bytes, *, field: str = "file", filename: str | None = "bin.jpg", media_type: str = "") -> bytes:
    named = b"" if filename is None else b'; filename="%s"' % filename.encode()
    kind = b"" if not media_type else b"Content-Type: %s\r\n" % media_type.encode()
    return b'--XX\r\nContent-Disposition: form-data; name="%s"%s\r\n%s\r\n%s\r\n' % (
        field.encode(),
        named,
        kind,
        content,
    )


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--XX--\r\n"


async def upload(caller: Caller, content: bytes = JPEG, **named: Any) -> Answer:
    return await caller.post("/v1/attachments", form(part(content, **named)), **FORM)


async def uploaded(caller: Caller, content: bytes = JPEG, **named: Any) -> dict[str, str]:
    """The upload as a submission names it."""
    answer = await upload(caller, content, **named)
    assert answer.status == 201, answer.body
    return {"id": answer.json()["id"]}


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
