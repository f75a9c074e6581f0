"""A CSV file is read back as it was written, and no cell of it is a formula."""

from __future__ import annotations

import csv
import io

import pytest

from hub.connector import Cell, csv_file


def cell(value: Cell, **how: bool) -> str:
    _, row = csv.reader(io.StringIO(csv_file(["a"], [{"a": value}], **how).decode(), newline=""))
    return row[0] if row else ""


@pytest.mark.parametrize(
    "text",
    ["=1+1", "@SUM(A1)", "+HYPERLINK(1)", "-2+3+cmd|' /C calc'!A0", "\t=1", "\r=1", "  =1", "＝1", "+44=1", "\n=1"],
)
def test_what_begins_like_a_formula_has_an_apostrophe_before_it(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["+44 7700 900123", "-1.25", "+447700900123", "a=1", "O'Neill", "", "-", "12 (b)"])
def test_numbers_telephones_and_plain_words_stay_as_they_are(text: str) -> None:
    assert cell(text).lstrip("'") == text and (text == "-" or cell(text) == text)


@pytest.mark.parametrize(
    ("value", "written"), [(None, ""), (True, "true"), (False, "false"), (-0.1278, "-0.1278"), (7, "7")]
)
def test_values_are_written_plainly(value: Cell, written: str) -> None:
    assert cell(value) == written


@pytest.mark.parametrize("text", ['say "no"', "one,two", "one\r\ntwo", "one;two", "ë 漢 🗑", "\ud800"])
def test_what_is_read_back_is_what_was_written(text: str) -> None:
    assert cell(text) == text.encode("utf-8", "replace").decode()


def test_a_program_may_have_it_as_it_was_typed() -> None:
    assert cell("=1+1", spreadsheet_safe=False) == "=1+1"


def test_columns_stand_in_their_order_and_what_a_row_lacks_is_empty() -> None:
    made = csv_file(["b", "a"], [{"a": 1}, {"b": "x", "a": None}], separator=";", byte_order_mark=True)
    assert made == b"\xef\xbb\xbfb;a\r\n;1\r\nx;\r\n"
