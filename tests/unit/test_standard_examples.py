"""Examples are tests: the good are taken, the bad refused, by the models and by the published schema alike."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from hub.errors import Invalid
from hub.standard import SERVICES, Example, Service, read, read_data

LATER = date(2031, 8, 4)


def cases(kind: str) -> list[Any]:
    return [
        pytest.param(service, example, id=f"{service.code}-{kind}-{number}")
        for service in SERVICES.values()
        for number, example in enumerate(getattr(service, kind), start=1)
    ]


def schema(service: Service, example: Example) -> Draft202012Validator:
    return Draft202012Validator(service.schema(example.version), format_checker=FormatChecker())


def raw(example: Example) -> bytes:
    return json.dumps(example.body).encode()


@pytest.mark.parametrize(("service", "example"), cases("good"))
def test_a_good_example_is_taken_with_the_warnings_it_names(service: Service, example: Example) -> None:
    taken = read(raw(example), today=example.today)
    assert tuple(warning.pointer for warning in taken.warnings) == example.pointers
    assert taken.service is service


@pytest.mark.parametrize(("service", "example"), cases("good"))
def test_the_schema_takes_a_good_example(service: Service, example: Example) -> None:
    schema(service, example).validate(dict(example.body))


@pytest.mark.parametrize(("service", "example"), cases("bad"))
def test_a_bad_example_is_refused_where_it_says(service: Service, example: Example) -> None:
    with pytest.raises(Invalid) as refused:
        read(raw(example), today=example.today)
    assert {pointer for pointer, _ in refused.value.faults} == set(example.pointers)


@pytest.mark.parametrize(("service", "example"), cases("bad"))
def test_the_schema_refuses_a_bad_example(service: Service, example: Example) -> None:
    assert not schema(service, example).is_valid(dict(example.body))


@pytest.mark.parametrize("service", SERVICES.values(), ids=lambda service: service.code)
def test_every_version_of_a_service_shows_three_good_and_three_bad(service: Service) -> None:
    for version in service.versions:
        good, bad = service.examples(version, today=LATER)
        assert (len(good), len(bad)) == (3, 3)
        assert all(example.today == LATER and example.why for example in good + bad)
        assert all(example.body["version"] == version for example in good + bad)


@pytest.mark.parametrize(("service", "example"), cases("good"))
def test_an_example_means_the_same_when_it_is_shifted_to_the_present(service: Service, example: Example) -> None:
    taken = read(raw(example.shifted(today=LATER)), today=LATER)
    assert tuple(warning.pointer for warning in taken.warnings) == example.pointers


def test_shifting_moves_dates_and_times_and_nothing_else() -> None:
    body = {"on": "2026-03-09", "at": ["2026-03-09T10:30:00Z"], "never": "2026-02-30", "text": "on 2026-03-09", "n": 1}
    moved = Example(why="", today=date(2026, 3, 10), body=body).shifted(today=date(2026, 3, 10) + timedelta(days=365))
    assert moved.body == body | {"on": "2027-03-09", "at": ["2027-03-09T10:30:00Z"]}


@pytest.mark.parametrize(("service", "example"), cases("good"))
def test_what_was_read_is_plain_json_without_nulls(service: Service, example: Example) -> None:
    data = read(raw(example), today=example.today).data
    told = json.dumps(data)
    assert json.loads(told) == data
    assert "null" not in told


@pytest.mark.parametrize(("service", "example"), cases("good"))
def test_data_that_is_parsed_already_reads_the_same(service: Service, example: Example) -> None:
    parsed = read_data(dict(example.body), today=example.today)
    assert parsed == read(raw(example), today=example.today)


@pytest.mark.parametrize(
    ("code", "number", "ids"),
    [
        ("missed-bin", 1, (524,)),
        ("missed-bin", 2, (524, 1423)),
        ("foi-request", 1, (722,)),
        ("foi-request", 2, (879,)),
        ("complaint", 2, (353,)),
        ("complaint", 3, (1536,)),
    ],
)
def test_a_submission_is_known_to_the_local_government_service_list(
    code: str, number: int, ids: tuple[int, ...]
) -> None:
    example = SERVICES[code].good[number - 1]
    assert SERVICES[code].lgsl_of(read(raw(example), today=example.today).data) == ids
    assert set(ids) <= set(SERVICES[code].lgsl)
