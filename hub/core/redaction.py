"""What may be shown or logged?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def shape_of(errors: Iterable[Any]) -> list[str]:
    """Validation errors as field and rule, without the values that broke it.

    Takes pydantic's `errors()`. A mapping can be mended from "Uprn: string too
    long (max_length 12)"; nobody's address is needed for that.
    """
    told = []
    for error in errors:
        place = ".".join(str(part) for part in error["loc"]) or "the record"
        limits = {name: value for name, value in (error.get("ctx") or {}).items() if name in _SAFE and _plain(value)}
        bounds = f" ({', '.join(f'{name} {value}' for name, value in limits.items())})" if limits else ""
        told.append(f"{place}: {error['type'].replace('_', ' ')}{bounds}")
    return told


_SAFE = frozenset({"max_length", "min_length", "ge", "gt", "le", "lt", "expected", "pattern", "multiple_of"})


def _plain(value: object) -> bool:
    return isinstance(value, str | int | float)
