"""What the hub adds to a submission: `hub.*` as routes and mappings see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol


class Known(Protocol):
    """Whatever knows a delivery and its submission."""

    @property
    def our_reference(self) -> str: ...
    @property
    def reference(self) -> str: ...
    @property
    def front_end_reference(self) -> str | None: ...
    @property
    def council(self) -> str: ...
    @property
    def received_at(self) -> datetime: ...
    @property
    def due_by(self) -> date | None: ...
    @property
    def warnings(self) -> Sequence[Mapping[str, str]]: ...


def about(known: Known) -> dict[str, Any]:
    """Plain data; what is not known is absent, never null."""
    return facts(
        our_reference=known.our_reference,
        reference=known.reference,
        received_at=known.received_at,
        council=known.council,
        warnings=known.warnings,
        front_end_reference=known.front_end_reference,
        due_by=known.due_by,
    )


def facts(
    *,
    our_reference: str,
    reference: str,
    received_at: datetime,
    council: str,
    warnings: Sequence[Mapping[str, str]],
    front_end_reference: str | None,
    due_by: date | None,
) -> dict[str, Any]:
    """The same, of a submission that is being taken."""
    found: dict[str, Any] = {
        "our_reference": our_reference,
        "reference": reference,
        "received_at": received_at.isoformat().replace("+00:00", "Z"),
        "council": council,
        "warnings": [dict(warning) for warning in warnings],
    }
    if front_end_reference is not None:
        found["front_end_reference"] = front_end_reference
    if due_by is not None:
        found["due_by"] = due_by.isoformat()
    return found
