"""When a destination is closed, in London, also when the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.windows import BadWindow, Window, closed_until, never_opens, why_closed


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def until(window: str, instant: str) -> str | None:
    end = closed_until([Window.parse(each) for each in window.split("; ")], at(instant))
    return None if end is None else end.isoformat()


@pytest.mark.parametrize(
    ("window", "instant", "opens"),
    [
        ("Sun 02:00-05:00", "2026-01-18T01:59:59Z", None),
        ("Sun 02:00-05:00", "2026-01-18T02:00:00Z", "2026-01-18T05:00:00+00:00"),
        ("Sun 02:00-05:00", "2026-01-18T04:59:59Z", "2026-01-18T05:00:00+00:00"),
        ("Sun 02:00-05:00", "2026-01-18T05:00:00Z", None),
        ("Sun 02:00-05:00", "2026-01-19T03:00:00Z", None),
        ("Sunday 02:00-05:00", "2026-07-19T01:30:00Z", "2026-07-19T04:00:00+00:00"),
        ("daily 22:00-06:00", "2026-01-18T23:00:00Z", "2026-01-19T06:00:00+00:00"),
        ("daily 22:00-06:00", "2026-01-18T03:00:00Z", "2026-01-18T06:00:00+00:00"),
        ("Fri 22:00-06:00", "2026-01-17T05:00:00Z", "2026-01-17T06:00:00+00:00"),
        ("Fri 22:00-06:00", "2026-01-16T05:00:00Z", None),
        ("Mon-Fri 00:00-08:00", "2026-01-14T03:00:00Z", "2026-01-14T08:00:00+00:00"),
        ("Sat,Sun 00:00-24:00", "2026-01-17T12:00:00Z", "2026-01-19T00:00:00+00:00"),
        ("Sat 00:00-24:00; Sun 00:00-12:00", "2026-01-17T12:00:00Z", "2026-01-18T12:00:00+00:00"),
        ("Fri-Mon 01:00-02:00", "2026-01-18T01:30:00Z", "2026-01-18T02:00:00+00:00"),
    ],
)
def test_a_window_closes_and_opens(window: str, instant: str, opens: str | None) -> None:
    assert until(window, instant) == opens


@pytest.mark.parametrize(
    ("window", "instant", "opens"),
    [
        pytest.param("Sun 00:30-02:30", "2026-03-29T00:45:00Z", "2026-03-29T01:30:00+00:00", id="an hour is skipped"),
        pytest.param("Sun 01:15-01:45", "2026-03-29T00:59:00Z", "2026-03-29T01:45:00+00:00", id="inside the skipped"),
        pytest.param("Sun 00:30-01:30", "2026-10-25T00:10:00Z", "2026-10-25T01:30:00+00:00", id="an hour comes twice"),
        pytest.param("Sun 00:30-01:30", "2026-10-25T01:10:00Z", "2026-10-25T01:30:00+00:00", id="its second time"),
        pytest.param("Sun 00:00-03:00", "2026-10-25T00:30:00Z", "2026-10-25T03:00:00+00:00", id="around both"),
    ],
)
def test_when_the_clocks_change_a_window_is_never_too_short(window: str, instant: str, opens: str) -> None:
    assert until(window, instant) == opens


@pytest.mark.parametrize(
    "text",
    [
        "", "Sun", "02:00-05:00", "Sun 2-5", "Sun 02:00", "Sun 25:00-26:00", "Sun 02:60-03:00", "Sun 05:00-05:00",
        "Snu 02:00-05:00", "Sun- 02:00-05:00", "Sun 24:00-02:00", "Sun 24:30-02:00", "Sun 02:00-05:00 daily",
    ],
)  # fmt: skip
def test_a_bad_window_is_refused(text: str) -> None:
    with pytest.raises(BadWindow):
        Window.parse(text)


def test_windows_that_leave_no_moment_open_are_known() -> None:
    assert never_opens([Window.parse("daily 00:00-24:00")])
    assert never_opens([Window.parse("daily 06:00-18:00"), Window.parse("daily 18:00-06:00")])
    assert not never_opens([Window.parse("daily 00:00-23:59")])
    assert not never_opens([])


def test_the_reason_is_told_while_it_is_closed() -> None:
    windows = [Window.parse("Sun 02:00-05:00", reason="weekly restart")]
    assert why_closed(windows, at("2026-01-18T03:00:00Z")) == "weekly restart"
    assert why_closed(windows, at("2026-01-18T06:00:00Z")) == ""


@given(
    minute=st.integers(0, 366 * 24 * 60),
    days=st.sampled_from(["daily", "Sun", "Mon-Fri", "Sat,Sun"]),
    start=st.integers(0, 95),
    length=st.integers(1, 90),
)
def test_when_it_opens_it_is_open(minute: int, days: str, start: int, length: int) -> None:
    end = (start + length) % 96
    text = f"{days} {start // 4:02d}:{start % 4 * 15:02d}-{end // 4:02d}:{end % 4 * 15:02d}"
    instant = datetime.fromtimestamp(1_767_225_600 + minute * 60, tz=UTC)
    window = Window.parse(text)
    opens = closed_until([window], instant)
    if opens is not None:
        assert opens > instant
        assert closed_until([window], opens) is None
