"""Dates and times as councils write them: Europe/London, a closed set of directives, English names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from hub.core.sandbox import Mishap

LONDON: Final = ZoneInfo("Europe/London")
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def _zone(at: datetime, *, colon: str) -> str:
    offset = at.utcoffset()
    minutes = 0 if offset is None else int(offset.total_seconds() // 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{colon}{abs(minutes) % 60:02d}"


# Written out because strftime takes padding widths (`%999999999d`) and the machine's language.
DIRECTIVES: Final[dict[str, Callable[[datetime], str]]] = {
    "%d": lambda at: f"{at.day:02d}",
    "%-d": lambda at: str(at.day),
    "%m": lambda at: f"{at.month:02d}",
    "%-m": lambda at: str(at.month),
    "%Y": lambda at: f"{at.year:04d}",
    "%y": lambda at: f"{at.year % 100:02d}",
    "%a": lambda at: _DAYS[at.weekday()][:3],
    "%A": lambda at: _DAYS[at.weekday()],
    "%b": lambda at: _MONTHS[at.month - 1][:3],
    "%B": lambda at: _MONTHS[at.month - 1],
    "%H": lambda at: f"{at.hour:02d}",
    "%I": lambda at: f"{at.hour % 12 or 12:02d}",
    "%p": lambda at: "AM" if at.hour < 12 else "PM",
    "%M": lambda at: f"{at.minute:02d}",
    "%S": lambda at: f"{at.second:02d}",
    "%f": lambda at: f"{at.microsecond:06d}",
    "%z": lambda at: _zone(at, colon=""),
    "%:z": lambda at: _zone(at, colon=":"),
    "%%": lambda _: "%",
}


def unknown_directive(pattern: str) -> str | None:
    """The first directive of the pattern that is not in the closed set."""
    return next((part for part in _parts(pattern) if part.startswith("%") and part not in DIRECTIVES), None)


def written(at: datetime, pattern: str) -> str:
    """The moment as the pattern says."""
    return "".join([part if writer is None else writer(at) for part, writer in _writers(pattern)])


def day_of(value: object) -> datetime:
    """Midnight of a date; the London day of an instant."""
    if isinstance(value, str) and len(value) > 10:
        return moment_of(value)
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        day = None
    if day is None:
        raise Mishap("type", "not a date; `date` reads YYYY-MM-DD or an RFC 3339 time")
    return datetime(day.year, day.month, day.day, tzinfo=LONDON)


def moment_of(value: object) -> datetime:
    """An instant in London time; a date alone is its midnight there."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None:
        raise Mishap("type", "not a time; `datetime` reads RFC 3339, as `2026-11-23T14:05:00Z`")
    try:
        return at.astimezone(LONDON) if at.tzinfo else at.replace(tzinfo=LONDON)
    except OverflowError:
        raise Mishap("type", "a time outside the calendar") from None


@lru_cache(maxsize=256)
def _writers(pattern: str) -> tuple[tuple[str, Callable[[datetime], str] | None], ...]:
    """The pattern taken apart: its literal text, and what writes each directive. Patterns are few and literal."""
    unknown = unknown_directive(pattern)
    if unknown is not None:
        raise Mishap("type", f"`{unknown}` is not a date directive; use one of {' '.join(DIRECTIVES)}")
    return tuple((part, DIRECTIVES.get(part) if part.startswith("%") else None) for part in _parts(pattern))


def _parts(pattern: str) -> list[str]:
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        width = 1
        if pattern[at] == "%":
            width = 3 if pattern[at + 1 : at + 2] in ("-", ":") else 2
        parts.append(pattern[at : at + width])
        at += width
    return parts
