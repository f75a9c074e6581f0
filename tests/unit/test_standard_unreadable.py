"""Bytes that are not JSON, or that two readers could read in two ways."""

from __future__ import annotations

import math
from datetime import date

import pytest

from hub.standard import Unreadable, parse, read, read_data

TODAY = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b" \n", "empty", id="only space"),
        pytest.param(b"[]", "not a JSON object", id="a list"),
        pytest.param(b"null", "not a JSON object", id="null"),
        pytest.param(b'{"a":"\xff"}', "at byte 6", id="not UTF-8"),
        pytest.param('{"a":1}'.encode("utf-16"), "at byte 0", id="UTF-16"),
        pytest.param(b'{"a":1,}', "line 1, column 8 (character 7)", id="a comma too many"),
        pytest.param(b"{'a':1}", "double quotes", id="single quotes"),
        pytest.param(b'{"a":1} {"a":1}', "extra data", id="two objects"),
        pytest.param(b'{"a":"\x01"}', "invalid control character at line 1", id="a raw control character"),
        pytest.param(b'{"a":"\x00"}', "character 6", id="a raw NUL"),
        pytest.param(b'{"NaN":"Infinity","a":NaN}', "character 22", id="NaN"),
        pytest.param(b'{"a":-Infinity}', "character 5", id="Infinity"),
        pytest.param(b'{"a":1,"a":1}', "`a` stands twice", id="a key twice"),
        pytest.param(b'{"b":{"Alex Example":1,"Alex Example":2}}', "A field stands twice", id="a name as a key twice"),
        pytest.param(b'{"a":"\\ud83d"}', "surrogate pair stands at #/a", id="half a character"),
        pytest.param(b'{"\\ud83d":1}', "surrogate pair stands at #", id="half a character in a key"),
        pytest.param(b'{"a":' + b"9" * 5000 + b"}", "too many digits", id="a number without end"),
        pytest.param(b'{"a":"[[","b":' + b"[" * 40 + b"]" * 40 + b"}", "character 45", id="too deep"),
        pytest.param(b"[" * 1_000_000, "32 levels", id="a million levels"),
    ],
)
def test_it_is_refused_saying_where(raw: bytes, told: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(raw, today=TODAY)
    assert told in str(refused.value)


def test_an_object_with_a_thousand_fields_is_of_no_contract() -> None:
    raw = b"{" + b",".join(b'"k%d":1' % number for number in range(1001)) + b"}"
    with pytest.raises(Unreadable, match="more than 1000 fields"):
        read(raw, today=TODAY)


def test_no_cause_carries_the_body() -> None:
    with pytest.raises(Unreadable) as refused:
        read(b'{"full_name": "Alex Example", ', today=TODAY)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


def test_thirty_two_levels_are_not_too_deep() -> None:
    assert parse(b"[" * 32 + b"]" * 32)


def test_brackets_inside_text_are_no_levels() -> None:
    assert parse(b'{"a":"' + b'[{\\"' * 50 + b'"}')


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse(b'\xef\xbb\xbf{"a":1}') == {"a": 1}


@pytest.mark.parametrize("value", [{1, 2}, math.nan, TODAY], ids=["a set", "NaN", "a date"])
def test_data_that_json_cannot_say_is_unreadable(value: object) -> None:
    with pytest.raises(Unreadable, match="JSON cannot say"):
        read_data({"service": "missed-bin", "description": value}, today=TODAY)


@pytest.mark.parametrize("item", [[], "text", 1, None], ids=repr)
def test_an_item_of_a_batch_that_is_no_object_is_unreadable(item: object) -> None:
    with pytest.raises(Unreadable, match="not a JSON object"):
        read_data(item, today=TODAY)
