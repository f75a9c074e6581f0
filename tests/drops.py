"""A folder connector on a folder of a test's own, and the attachments it is given."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from connectors.folder import Document, Folder
from hub.connector import Attachment, Delivery, Http, Receipt, StepKind
from tests.offices import delivery

CASE = Receipt(reference="ABCD-EFGH")


def folder(at: Path, *, timeout: float = 5.0, **settings: Any) -> Folder:
    """The connector as the hub makes it for these settings."""
    given = {"folder": str(at), **settings}
    made = Folder.configured(given)
    return made(Folder.Settings.model_validate(given), Http(timeout=timedelta(seconds=timeout)))  # type: ignore[return-value]


def document(**fields: Any) -> Document:
    return Document.model_validate(fields or {"uprn": "100012345678"})


def follow_up(operation: str = "update", *, ours: str = "ABCD-EFGH-u1") -> Delivery:
    return delivery(operation, our_reference=ours, kind=StepKind(operation))


def attaching() -> Delivery:
    return delivery("attach", kind=StepKind.ATTACH)


def file(name: str = "photo.jpg", content: bytes = b"jpeg") -> Attachment:
    async def chunks() -> AsyncIterator[bytes]:
        piece = len(content) // 3 + 1
        for start in range(0, len(content), piece):
            yield content[start : start + piece]

    return Attachment(name=name, media_type="image/jpeg", size=len(content), chunks=chunks)


def files(at: Path) -> dict[str, bytes]:
    """What another system sees there: every file but those whose names begin with a dot."""
    seen = (path for path in sorted(at.rglob("*")) if path.is_file())
    named = {path.relative_to(at).as_posix(): path for path in seen}
    return {name: path.read_bytes() for name, path in named.items() if "/." not in f"/{name}"}


def parts(at: Path) -> list[str]:
    return [path.name for path in (at / ".council-hub" / "parts").iterdir()]
