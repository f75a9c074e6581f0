"""Remarks on a submission that is taken all the same; those about time depend on the day handed in."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from hub.standard import SERVICES, read_data

TODAY = date(2026, 3, 10)
BIN = SERVICES["missed-bin"].good[0].body
FOI = SERVICES["foi-request"].good[0].body
COMPLAINT = SERVICES["complaint"].good[0].body


def pointers(body: object, *, today: date = TODAY) -> list[str]:
    return [warning.pointer for warning in read_data(body, today=today).warnings]


def changed(body: Any, **details: Any) -> dict[str, Any]:
    return {**body, "details": {**body["details"], **details}}


@pytest.mark.parametrize(
    ("day", "remarked"),
    [("2026-03-10", False), ("2026-03-11", True), ("2026-02-07", False), ("2026-02-06", True)],
    ids=["today", "tomorrow", "31 days ago", "32 days ago"],
)
def test_a_collection_day_is_within_the_last_31_days(day: str, remarked: bool) -> None:
    assert pointers(changed(BIN, collection_date=day)) == ["#/details/collection_date"] * remarked


def test_the_day_is_the_one_handed_in() -> None:
    body = changed(BIN, collection_date="2026-03-11")
    assert pointers(body, today=date(2026, 3, 11)) == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (changed(BIN, reason="other"), "#/details/reason"),
        (changed(BIN, containers=[{"waste_type": "other"}]), "#/details/containers/0/waste_type"),
        (changed(BIN, crew_reason_seen="bees"), "#/details/crew_reason_seen"),
        (changed(FOI, preferred_format="other"), "#/details/preferred_format"),
        (changed(FOI, date_from="2026-03-11"), "#/details/date_from"),
        (changed(COMPLAINT, happened_on="2026-03-11"), "#/details/happened_on"),
        ({**BIN, "submitted_at": "2026-03-12T00:00:00Z"}, "#/submitted_at"),
        ({**BIN, "contact": {"email": "alex@localhost"}}, "#/contact/email"),
        ({**BIN, "property": {"address": {"lines": ["1"], "postcode": "75008"}}}, "#/property/address/postcode"),
    ],
)
def test_it_is_taken_with_a_warning(body: dict[str, Any], pointer: str) -> None:
    assert pointers(body) == [pointer]


@pytest.mark.parametrize(
    "body",
    [
        changed(BIN, reason="other", reason_other="Fox"),
        changed(BIN, crew_reason_seen="not_presented"),
        changed(FOI, preferred_format="other", preferred_format_other="Audio"),
        {**BIN, "submitted_at": "2026-03-11T00:30:00+13:00"},
    ],
    ids=["words for other", "a known code", "a format in words", "already tomorrow in Auckland"],
)
def test_there_is_nothing_to_remark(body: dict[str, Any]) -> None:
    assert pointers(body) == []
