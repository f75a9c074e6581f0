"""Moments as people write them: absolute, or so long ago; a stored wish keeps only what they mean."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from hub.core.dates import LONDON

_AGO: Final = re.compile(r"(\d{1,6})\s*(s|m|h|d|w)")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAYS: Final = {"today": 0, "yesterday": 1}


def moment(text: str, *, now: datetime) -> datetime:
    """The instant that this means now: `2h`, `7d`, `today`, `yesterday`, or ISO 8601 (without a zone, London's).

    Raises ValueError that says what may be written.
    """
    said = text.strip().lower()
    if said == "now":
        return now.astimezone(UTC)
    if said in _DAYS:
        day = now.astimezone(LONDON).date() - timedelta(days=_DAYS[said])
        return datetime(day.year, day.month, day.day, tzinfo=LONDON).astimezone(UTC)
    try:
        if found := _AGO.fullmatch(said):
            return now.astimezone(UTC) - timedelta(**{_UNITS[found[2]]: int(found[1])})
        at = datetime.fromisoformat(text.strip())
        return (at if at.tzinfo else at.replace(tzinfo=LONDON)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("Send a time as 2026-11-23T09:30:00Z, or so long ago as 2h or 7d, or today.") from None
