"""What a pretend back office committed, in the order it did."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

#: Our reference as the hub makes it, with the marks of a split (-1) and of a deliberate second case (-r2).
OUR_REFERENCE = re.compile(r"\b[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}(?:-\d{1,2})?(?:-r\d{1,2})?\b")
_MARKED = re.compile(r"\[ref ([^\]\s]{1,40})\]")


class Ledger:
    """Rows of what was committed. Lives in the back office's own process, where no hub can write."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self._by_reference: dict[str, dict[str, Any]] = {}

    def add(
        self, *, reference: str, our_reference: str | None, operation: str, record: Any, **more: Any
    ) -> dict[str, Any]:
        row = {
            "reference": reference,
            "our_reference": our_reference,
            "operation": operation,
            "record": record,
            "received_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            **more,
        }
        self.items.append(row)
        self._by_reference.setdefault(reference, row)
        return row

    def clear(self) -> int:
        """Forget every row; says how many there were."""
        gone = len(self.items)
        self.items = []
        self._by_reference = {}
        return gone

    def under(self, reference: str) -> dict[str, Any] | None:
        """The first row that the back office filed under this reference of its own."""
        return self._by_reference.get(reference)


def our_reference_in(value: Any) -> str | None:
    """Our reference in what a product was sent: one marked `[ref …]` anywhere, else a whole text that is one."""
    whole = None
    for text in _texts(value):
        if marked := _MARKED.search(text):
            return marked[1]
        if whole is None and OUR_REFERENCE.fullmatch(text.strip()):
            whole = text.strip()
    return whole


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for inner in value.values():
                yield from _texts(inner)
        case list() | tuple():
            for inner in value:
                yield from _texts(inner)
        case _:
            return
