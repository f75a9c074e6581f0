"""Bank holidays against the published lists, and due dates against a slow count."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.calendar import Region, bank_holidays, due_by, easter, foi_due, is_working_day, sar_due
from hub.standard import SERVICES

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


@pytest.mark.parametrize(
    ("received", "due", "why"),
    [
        ("2026-03-10", "2026-04-10", "the same day of the next month"),
        ("2026-03-14", "2026-04-14", "received on a Saturday: the day counts all the same"),
        ("2026-01-31", "2026-03-02", "February has no 31st: its last day, a Saturday, so the Monday after"),
        ("2027-01-29", "2027-03-01", "28 February 2027 is a Sunday"),
        ("2028-01-31", "2028-02-29", "a leap year"),
        ("2026-12-11", "2027-01-11", "over the new year"),
        ("2026-11-25", "2026-12-29", "Christmas, a weekend, and the day for Boxing Day"),
        ("2026-03-03", "2026-04-07", "Good Friday to Easter Monday"),
    ],
)
def test_a_subject_access_request_is_due_in_a_month(received: str, due: str, why: str) -> None:
    assert sar_due(date.fromisoformat(received), gss="E07000999") == date.fromisoformat(due), why


@pytest.mark.parametrize(
    ("gss", "due"), [("S12000036", "2026-08-04"), ("N09000003", "2026-08-03"), ("W06000015", "2026-08-03")]
)
def test_only_the_holidays_of_its_own_country_move_a_month(gss: str, due: str) -> None:
    assert sar_due(date(2026, 7, 3), gss=gss) == date.fromisoformat(due)


@given(st.dates(date(2024, 1, 1), date(2040, 1, 1)))
def test_a_month_ends_on_a_working_day_at_most_a_week_late(received: date) -> None:
    due = sar_due(received, gss="E07000999")
    assert is_working_day(due, regions=[Region.ENGLAND_AND_WALES])
    assert 28 <= (due - received).days <= 31 + 4


def test_each_service_with_a_day_in_law_is_given_its_own() -> None:
    given_by = {service: due_by(service, received=date(2026, 1, 15), gss="E07000999") for service in SERVICES}
    assert {service: day.isoformat() for service, day in given_by.items() if day} == {
        "foi-request": "2026-02-12",
        "subject-access-request": "2026-02-16",
    }


def test_only_some_services_have_a_day_in_law() -> None:
    assert due_by("missed-bin", received=date(2026, 11, 23), gss="E07000999") is None
