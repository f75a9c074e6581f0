"""Bank holidays against the published lists, and due dates against a slow count."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.calendar import Region, bank_holidays, due_by, easter, foi_due

LISTS = {
    (2026, Region.ENGLAND_AND_WALES): "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28",
    (2026, Region.SCOTLAND): "01-01 01-02 04-03 05-04 05-25 08-03 11-30 12-25 12-28",
    (2026, Region.NORTHERN_IRELAND): "01-01 03-17 04-03 04-06 05-04 05-25 07-13 08-31 12-25 12-28",
    (2027, Region.ENGLAND_AND_WALES): "01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28",
    (2027, Region.SCOTLAND): "01-01 01-04 03-26 05-03 05-31 08-02 11-30 12-27 12-28",
    (2028, Region.ENGLAND_AND_WALES): "01-03 04-14 04-17 05-01 05-29 08-28 12-25 12-26",
    (2022, Region.SCOTLAND): "01-03 01-04 04-15 05-02 05-30 08-01 11-30 12-26 12-27",
    (2023, Region.SCOTLAND): "01-02 01-03 04-07 05-01 05-29 08-07 11-30 12-25 12-26",
}


@pytest.mark.parametrize(("year", "region"), LISTS)
def test_weekday_holidays_are_those_of_the_published_list(year: int, region: Region) -> None:
    found = {day for day in bank_holidays(year, region) if day.weekday() < 5}
    assert found == {date.fromisoformat(f"{year}-{day}") for day in LISTS[year, region].split()}


@pytest.mark.parametrize(("year", "month", "day"), [(2024, 3, 31), (2025, 4, 20), (2026, 4, 5), (2038, 4, 25)])
def test_easter(year: int, month: int, day: int) -> None:
    assert easter(year) == date(year, month, day)


def test_a_request_over_christmas_counts_no_holiday_of_any_part_of_the_uk() -> None:
    # From 23 November 2026: St Andrew's Day, Christmas Day and the day for Boxing Day are left out.
    assert foi_due(date(2026, 11, 23), gss="E07000999") == date(2026, 12, 22)
    assert foi_due(date(2026, 12, 21), gss="E07000999") == date(2027, 1, 22)


def test_a_scottish_authority_counts_scottish_holidays_only() -> None:
    assert foi_due(date(2026, 7, 1), gss="S12000036") == date(2026, 7, 29)
    assert foi_due(date(2026, 7, 1), gss="E07000999") == date(2026, 7, 30)


@given(st.dates(date(2024, 1, 1), date(2040, 1, 1)))
def test_the_due_date_is_the_twentieth_working_day(received: date) -> None:
    due = foi_due(received, gss="E07000999")
    days = [received + timedelta(days=n) for n in range(1, (due - received).days + 1)]
    holidays = {day for region in Region for year in (received.year, due.year) for day in bank_holidays(year, region)}
    working = [day for day in days if day.weekday() < 5 and day not in holidays]
    assert len(working) == 20 and working[-1] == due


def test_only_some_services_have_a_day_in_law() -> None:
    assert due_by("missed-bin", received=date(2026, 11, 23), gss="E07000999") is None
