"""When a destination is closed: weekly windows in London time, safe when the clocks change."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from hub.core.dates import LONDON

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FORM: Final = re.compile(r"(?P<days>[A-Za-z,\- ]+?)\s+(?P<from>\d{2}:\d{2})\s*-\s*(?P<to>\d{2}:\d{2})")
_WEEK: Final = timedelta(days=8)


class BadWindow(ValueError):
    """A window reads `Sun 02:00-05:00`, `Mon-Fri 22:00-06:00` or `daily 01:00-02:00`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Closed on these days (0 is Monday) between two times of day, in minutes; over midnight where `to` is less."""

    days: frozenset[int]
    start: int
    end: int
    reason: str = ""

    @classmethod
    def parse(cls, text: str, *, reason: str = "") -> Window:
        """Read `Sun 02:00-05:00`. Raises BadWindow."""
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise BadWindow(BadWindow.__doc__)
        start, end = _minutes(found["from"]), _minutes(found["to"])
        if start == end or start == 24 * 60:
            raise BadWindow("a window begins and ends at different times; a whole day is 00:00-24:00")
        return cls(days=_days(found["days"]), start=start, end=end, reason=reason)

    def around(self, instant: datetime) -> datetime | None:
        """When the closure that holds at this instant ends; None when open."""
        today = instant.astimezone(LONDON).date()
        for back in (1, 0):
            day = today - timedelta(days=back)
            if day.weekday() not in self.days:
                continue
            last = day + timedelta(days=1) if self.end <= self.start else day
            opens, closes = _at(day.toordinal(), self.start), _at(last.toordinal(), self.end)
            # An hour that the clocks repeat or skip belongs to the closure: closed too long is only late.
            if min(opens) <= instant < max(closes):
                return max(closes)
        return None


def closed_until(windows: Iterable[Window], instant: datetime) -> datetime | None:
    """When the destination opens again (UTC); None when it is open. Windows that touch count as one."""
    known = tuple(windows)
    until = instant
    while True:
        ends = [end for window in known if (end := window.around(until)) is not None]
        if not ends:
            break
        until = max(ends)
        if until - instant > _WEEK:
            break
    return None if until == instant else until.astimezone(UTC)


def why_closed(windows: Iterable[Window], instant: datetime) -> str:
    """The reason of the window that holds at this instant."""
    return next((window.reason for window in windows if window.around(instant) is not None), "")


def never_opens(windows: Iterable[Window]) -> bool:
    """Whether the windows leave no moment of the week."""
    # Monday of an ordinary week: no clock changes in it.
    monday = datetime(2026, 1, 12, tzinfo=UTC)
    until = closed_until(windows, monday)
    return until is not None and until - monday > timedelta(days=7)


def _minutes(text: str) -> int:
    hours, minutes = (int(part) for part in text.split(":"))
    if hours > 24 or minutes > 59 or (hours == 24 and minutes):
        raise BadWindow("times of day run from 00:00 to 24:00")
    return hours * 60 + minutes


def _days(text: str) -> frozenset[int]:
    if text.strip().lower() in ("daily", "every day"):
        return frozenset(range(7))
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = (word.strip().lower() for word in part.partition("-"))
        begin = _day(first)
        stop = _day(last) if dash else begin
        days.update((begin + step) % 7 for step in range((stop - begin) % 7 + 1))
    return frozenset(days)


def _day(word: str) -> int:
    if word[:3] not in _DAYS or not word.isalpha() or len(word) > 9:
        raise BadWindow(f"`{word}` is not a day; use Mon, Tue, Wed, Thu, Fri, Sat, Sun or daily")
    return _DAYS.index(word[:3])


def _at(ordinal: int, minutes: int) -> tuple[datetime, datetime]:
    """The instants that a wall clock in London shows this time at: two when the clocks go back."""
    midnight = datetime.fromordinal(ordinal + minutes // (24 * 60))
    wall = (midnight + timedelta(minutes=minutes % (24 * 60))).replace(tzinfo=LONDON)
    return wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)
