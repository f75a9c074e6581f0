"""Bank holidays and statutory due dates, worked out from the rules; today is handed in."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

FOI_DAYS = 20  #: working days after the date of receipt (FOIA 2000 s10; EIR 2004 reg 5; FOISA 2002 s10)
_DAY = timedelta(days=1)


class Region(StrEnum):
    """Whose bank holidays; named as GOV.UK names its lists."""

    ENGLAND_AND_WALES = "england-and-wales"
    SCOTLAND = "scotland"
    NORTHERN_IRELAND = "northern-ireland"


def due_by(service: str, *, received: date, gss: str) -> date | None:
    """When the law wants an answer, for a service that has such a day; `received` is the London date of receipt."""
    match service:
        case "foi-request":
            return foi_due(received, gss=gss)
        case "subject-access-request":
            return sar_due(received, gss=gss)
        case _:
            return None


def foi_due(received: date, *, gss: str) -> date:
    """The 20th working day after the date of receipt, which itself is day 0 whatever day it is.

    A bank holiday in any part of the UK is no working day under FOIA s10(6);
    Scottish authorities (GSS codes in S) count Scottish ones only.
    """
    regions = (Region.SCOTLAND,) if gss.startswith("S") else tuple(Region)
    day, left = received, FOI_DAYS
    while left:
        day += _DAY
        left -= is_working_day(day, regions=regions)
    return day


def sar_due(received: date, *, gss: str) -> date:
    """One month from the day of receipt, whatever day that is: the same day of the next month, or its last day where it
    has no such day; where that is no working day, the next one.

    UK GDPR art. 12(3) (knowledge, not read again), counted as the Information Commissioner tells small organisations
    (ico.org.uk, "I need to complete a SAR"). A council may stop the clock to be sure who asks, and may take two months
    more for a complex request; neither is the hub's to know.
    """
    year, month = received.year + received.month // 12, received.month % 12 + 1
    day = date(year, month, min(received.day, calendar.monthrange(year, month)[1]))
    while not is_working_day(day, regions=(_region(gss),)):
        day += _DAY
    return day


def _region(gss: str) -> Region:
    """Where a council is, by the first letter of its GSS code."""
    return {"S": Region.SCOTLAND, "N": Region.NORTHERN_IRELAND}.get(gss[:1], Region.ENGLAND_AND_WALES)


def is_working_day(day: date, *, regions: Iterable[Region]) -> bool:
    return day.weekday() < 5 and not any(day in bank_holidays(day.year, region) for region in regions)


@lru_cache(maxsize=64)
def bank_holidays(year: int, region: Region) -> frozenset[date]:
    """The standing bank holidays of a year, substitute days included; one-off ones by proclamation are not known."""
    sunday = easter(year)
    good_friday, easter_monday = sunday - 2 * _DAY, sunday + _DAY
    may, spring = _first_monday(year, 5), _last_monday(year, 5)
    new_year, christmas = [date(year, 1, 1)], [date(year, 12, 25), date(year, 12, 26)]
    match region:
        case Region.ENGLAND_AND_WALES:
            fixed, moving = [*new_year, *christmas], {easter_monday, _last_monday(year, 8)}
        case Region.SCOTLAND:
            fixed = [*new_year, date(year, 1, 2), date(year, 11, 30), *christmas]
            moving = {_first_monday(year, 8)}
        case Region.NORTHERN_IRELAND:
            fixed = [*new_year, date(year, 3, 17), date(year, 7, 12), *christmas]
            moving = {easter_monday, _last_monday(year, 8)}
    return frozenset(_with_substitutes(fixed) | moving | {good_friday, may, spring})


def _with_substitutes(days: list[date]) -> set[date]:
    """The days, and for each on a weekend the next weekday that no other of them takes."""
    taken = set(days)
    for day in days:
        substitute = day
        while substitute.weekday() >= 5 or (substitute in taken and day.weekday() >= 5):
            substitute += _DAY
        taken.add(substitute)
    return taken


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous algorithm, Meeus, Astronomical Algorithms, ch. 8)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 19 * weekday) // 433
    month = (h + weekday - 7 * m + 90) // 25
    day = (h + weekday - 7 * m + 33 * month + 19) % 32
    return date(year, month, day)


def _first_monday(year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + (7 - first.weekday()) % 7 * _DAY


def _last_monday(year: int, month: int) -> date:
    last = date(year, month + 1, 1) - _DAY
    return last - last.weekday() * _DAY
