"""Keyset paging: a cursor is the last key of a page, and a list never counts itself."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hub.errors import Invalid

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    items: Sequence[T]
    next: str | None


def after(cursor: str) -> str:
    """The key that a cursor stands for. Raises Invalid for anything that this hub did not hand out."""
    try:
        return base64.urlsafe_b64decode(cursor.encode("ascii") + b"==").decode("ascii")
    except (UnicodeError, binascii.Error):
        raise Invalid([("#/cursor", "Use the `next` of the page before, unchanged.")]) from None


def cursor_of(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def cut(rows: Sequence[Any], limit: int, *, key: str = "id") -> tuple[Sequence[Any], str | None]:
    """A page of rows that were read with one to spare, and the cursor of the next page if there is one."""
    if len(rows) <= limit:
        return rows, None
    kept = rows[:limit]
    return kept, cursor_of(str(getattr(kept[-1], key)))
