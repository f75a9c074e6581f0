"""The closed set of filters."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core import grid
from hub.core.tables import OnMissing
from hub.errors import MappingFault
from tests.folders import compiled, table, value


@pytest.mark.parametrize(
    ("expression", "typed", "result"),
    [
        ("{{ v | date }}", "2026-03-09", "09/03/2026"),
        ("{{ v | date('%-d %B %Y') }}", "2026-03-09", "9 March 2026"),
        ("{{ v | date('%a %A %b %y %m %-m') }}", "2026-03-09", "Mon Monday Mar 26 03 3"),
        ("{{ v | date('100%%') }}", "2026-03-09", "100%"),
        ("{{ v | date }}", "2026-06-30T23:30:00Z", "01/07/2026"),
        ("{{ v | datetime }}", "2026-06-30T23:30:00Z", "01/07/2026 00:30"),
        ("{{ v | datetime('%Y-%m-%dT%H:%M:%S%:z') }}", "2026-06-30T23:30:00Z", "2026-07-01T00:30:00+01:00"),
        ("{{ v | datetime('%H%M%S%z') }}", "2026-01-30T23:30:00.5+02:00", "213000+0000"),
        ("{{ v | datetime('%I:%M %p') }}", "2026-01-30T13:05:00Z", "01:05 PM"),
        ("{{ v | datetime }}", "2026-06-30", "30/06/2026 00:00"),
        ("{{ v | shorten(5) }}", "12345", "12345"),
        ("{{ v | shorten(5) }}", "1234567", "12..."),
        ("{{ v | shorten(length=3) }}", "1234567", "123"),
        ("{{ v | phone }}", "07700 900123", "07700900123"),
        ("{{ v | phone }}", "+44 (0)7700 900-123", "07700900123"),
        ("{{ v | phone }}", "0044 7700 900123", "07700900123"),
        ("{{ v | phone('e164') }}", "07700 900123", "+447700900123"),
        ("{{ v | phone }}", "+33 1 23 45 67 89", "+33123456789"),
        ("{{ v | phone }}", "ask at no. 4", "ask at no. 4"),
        ("{{ v | phone }}", "900123", "900123"),
        ("{{ v | postcode }}", "sw1a1aa", "SW1A 1AA"),
        ("{{ v | postcode }}", " nb1-2cd ", "NB1 2CD"),
        ("{{ v | postcode }}", "not  known", "NOT KNOWN"),
        ("{{ v | yes_no }}", True, "Yes"),
        ("{{ v | yes_no('Y', 'N') }}", False, "N"),
        ("{{ v | yes_no(no=0, yes=1) }}", True, 1),
        ("{{ v | join_lines }}", ["a", "", "b "], "a\nb"),
        ("{{ v | join_lines(', ') }}", ["a", 2], "a, 2"),
        ("{{ v | join_lines(', ') }}", {"lines": ["1 High St", "Flat"], "postcode": "NB1"}, "1 High St, Flat, NB1"),
        ("{{ v | join_lines(', ') }}", "one answer", "one answer"),
        ("{{ v | first_name }}", {"first_name": "Alex", "last_name": "Example"}, "Alex"),
        ("{{ v | last_name }}", {"first_name": "Alex", "last_name": "Example"}, "Example"),
        ("{{ v | first_name }}", {"full_name": " Alex  van der Example"}, "Alex"),
        ("{{ v | last_name }}", {"full_name": "Alex  van der Example"}, "van der Example"),
        ("{{ v | last_name }}", {"full_name": "Cher"}, "Cher"),
        ("{{ v | first_name | default('-') }}", {"full_name": "Cher"}, "-"),
        ("{{ v | last_name | default('-') }}", {"anonymous": True}, "-"),
        ("{{ v | first_name }}", "Alex Example", "Alex"),
        ("{{ v | easting }}", {"easting": 429157.4}, 429157.4),
        ("{{ v | easting | default(0) }}", {"usrn": "1"}, 0),
        ("{{ v | required }}", "a", "a"),
        ("{{ v | required('say which') }}", 0, 0),
    ],
)
def test_a_filter_makes(expression: str, typed: Any, result: Any) -> None:
    assert value(expression, v=typed) == result


@pytest.mark.parametrize(
    ("expression", "typed", "says"),
    [
        ("{{ v | date }}", "9 March", "not a date"),
        ("{{ v | date }}", 20260309, "not a date"),
        ("{{ v | datetime }}", "noon", "not a time"),
        ("{{ v | datetime }}", "9999-12-31T23:59:59-12:00", "outside the calendar"),
        ("{{ v | yes_no }}", "yes", "works on true or false"),
        ("{{ v | join_lines }}", 5, "works on a list"),
        ("{{ v | easting }}", "a", "works on a location"),
        ("{{ v | easting }}", {"lat": 40.4, "long": -3.7}, "not on the National Grid"),
        ("{{ v | first_name }}", 7, "a name is read from"),
        ("{{ v | shorten(3) }}", [1], "a list inside a text"),
        ("{{ v | required('tell us') }}", "", "tell us"),
        ("{{ gone | required('tell us') }}", "", "`gone` is not in this submission: tell us"),
    ],
)
def test_a_filter_refuses(expression: str, typed: Any, says: str) -> None:
    with pytest.raises(MappingFault) as raised:
        value(expression, v=typed)
    assert says in str(raised.value)


@pytest.mark.parametrize(
    ("latitude", "longitude", "east", "north"),
    [
        pytest.param(52.658007833, 1.716073973, 651409.804, 313177.450, id="Caister water tower"),
        pytest.param(49.922263937, -6.299777520, 91492.146, 11318.804, id="St Mary's, Scilly"),
        pytest.param(51.489365650, -0.119925572, 530624.974, 178388.464, id="London"),
        pytest.param(53.800215196, -1.663791682, 422242.186, 433818.701, id="Leeds"),
    ],
)
def test_a_pin_becomes_a_grid_reference_good_to_six_metres(
    latitude: float, longitude: float, east: float, north: float
) -> None:
    # Ordnance Survey's OSTN15 test points; the Helmert shift of its guide is good to about 5 m.
    easting, northing = grid.to_grid(latitude, longitude)
    assert abs(easting - east) < 6
    assert abs(northing - north) < 6
    assert value("{{ location | northing }}", location={"lat": latitude, "long": longitude}) == northing


def test_a_code_is_looked_up() -> None:
    assert value("{{ v | lookup(codes) }}", v="food", codes=table({"food": 85})) == 85


@pytest.mark.parametrize(("code", "key"), [(7, "7"), (True, "true"), (False, "false"), ("7", "7")])
def test_keys_are_compared_as_text(code: Any, key: str) -> None:
    assert value("{{ v | lookup(codes) }}", v=code, codes=table({key: "found"})) == "found"


def test_a_code_without_an_entry_is_refused_and_not_quoted() -> None:
    with pytest.raises(MappingFault, match="table `codes` has no entry for this code") as raised:
        value("{{ v | lookup(codes) }}", v="marker", codes=table({"food": 85}))
    assert raised.value.code == "no_entry"
    assert "marker" not in str(raised.value)


def test_a_table_may_have_a_default() -> None:
    codes = table({"food": 85}, on_missing=OnMissing.DEFAULT, default=99)
    assert value("{{ v | lookup(codes) }}", v="glass", codes=codes) == 99


def test_an_absent_code_is_not_looked_up() -> None:
    assert value("{{ gone | lookup(codes) | default('none') }}", codes=table({})) == "none"


def test_a_row_of_several_columns_is_reached_by_key() -> None:
    codes = table({"food": {"id": "85", "team": "East"}})
    assert value("{{ (v | lookup(codes)).team }}", v="food", codes=codes) == "East"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("lokup", "lookup"), ("datetim", "datetime"), ("first-name", "first_name"), ("truncate", "shorten")],
)
def test_a_misspelt_filter_is_refused_naming_the_nearest(typed: str, meant: str) -> None:
    finding = compiled(f'x: "{{{{ v | {typed.replace("-", "_")}x }}}}"').findings[0]
    assert finding.code == "unknown_filter"
    assert meant in finding.remedy


@pytest.mark.parametrize(
    "expression",
    [
        "{{ v | shorten }}",
        "{{ v | shorten('5') }}",
        "{{ v | shorten(0) }}",
        "{{ v | shorten(5, 6) }}",
        "{{ v | shorten(width=5) }}",
        "{{ v | date(5) }}",
        "{{ v | date('%Q') }}",
        "{{ v | phone('letters') }}",
        "{{ v | default }}",
        "{{ v | default(1, true) }}",
        "{{ v | postcode(1) }}",
    ],
)
def test_arguments_that_do_not_fit_are_refused_at_load(expression: str) -> None:
    assert compiled(f'x: "{expression}"').findings[0].code == "wrong_arguments"
