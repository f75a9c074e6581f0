"""Values of a plain tree as XML Schema writes them, and those that it cannot."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from hub.connector.scalars import Unfit, lexical

WRITTEN: list[tuple[str, Any, str]] = [
    ("string", "Müller ", "Müller "),
    ("string", 12, "12"),
    ("string", True, "true"),
    ("string", 0.1, "0.1"),
    ("string", 1e-7, "0.0000001"),
    ("string", b"\x00\xff", "AP8="),
    ("token", "A", "A"),
    ("boolean", True, "true"),
    ("boolean", "False", "false"),
    ("boolean", 1, "1"),
    ("int", "007", "7"),
    ("int", 3.0, "3"),
    ("int", Decimal("4"), "4"),
    ("unsignedByte", 255, "255"),
    ("integer", 10**30, "1" + "0" * 30),
    ("decimal", "1E2", "100"),
    ("decimal", 510000.25, "510000.25"),
    ("double", 1e30, "1e+30"),
    ("double", "-INF", "-INF"),
    ("float", "0.50", "0.50"),
    ("date", "2026-01-31", "2026-01-31"),
    ("date", "2026-01-31Z", "2026-01-31Z"),
    ("date", "2026-01-31T09:00:00+00:00", "2026-01-31"),
    ("date", date(2026, 1, 31), "2026-01-31"),
    ("dateTime", "2026-01-31", "2026-01-31T00:00:00"),
    ("dateTime", "2026-01-31 09:00", "2026-01-31T09:00:00"),
    ("dateTime", "2026-01-31T09:00:00.5+01:00", "2026-01-31T09:00:00.500000+01:00"),
    ("dateTime", "2026-01-31T09:00:00+0000", "2026-01-31T09:00:00Z"),
    ("dateTime", datetime(2026, 1, 31, 9, tzinfo=UTC), "2026-01-31T09:00:00Z"),
    ("dateTime", date(2026, 1, 31), "2026-01-31T00:00:00"),
    ("time", "09:00", "09:00:00"),
    ("time", time(9, 30), "09:30:00"),
    ("base64Binary", b"hello", "aGVsbG8="),
    ("base64Binary", "aGVs\nbG8=", "aGVsbG8="),
    ("hexBinary", b"\x0a", "0A"),
    ("hexBinary", "0a", "0a"),
    ("duration", "P1DT2H", "P1DT2H"),
    ("gYear", 2026, "2026"),
]


@pytest.mark.parametrize(("kind", "value", "text"), WRITTEN)
def test_a_value_is_written_as_its_type_has_it(kind: str, value: Any, text: str) -> None:
    assert lexical(kind, value) == text


UNFIT: list[tuple[str, Any]] = [
    ("boolean", "yes"),
    ("boolean", 2),
    ("int", "12a"),
    ("int", 1.5),
    ("int", True),
    ("int", 2**31),
    ("int", ""),
    ("positiveInteger", 0),
    ("negativeInteger", 0),
    ("unsignedLong", -1),
    ("decimal", "ten"),
    ("decimal", True),
    ("decimal", float("nan")),
    ("decimal", "1E99"),
    ("double", "1_000"),
    ("double", float("inf")),
    ("date", "31/01/2026"),
    ("date", "2026-02-30"),
    ("dateTime", "20260131T090000"),
    ("dateTime", "2026-W05-1"),
    ("dateTime", "tomorrow"),
    ("time", "0900"),
    ("time", "25:00"),
    ("base64Binary", "héllo"),
    ("base64Binary", "abc"),
    ("hexBinary", "0"),
    ("duration", "P"),
    ("gMonth", "1"),
]


@pytest.mark.parametrize(("kind", "value"), UNFIT)
def test_a_value_that_its_type_cannot_hold_is_refused_without_being_quoted(kind: str, value: Any) -> None:
    with pytest.raises(Unfit, match=r"^must be ") as raised:
        lexical(kind, value)
    assert not isinstance(value, str) or len(value) < 3 or value not in str(raised.value)
