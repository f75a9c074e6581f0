"""Rows as a CSV file that a spreadsheet shows and never runs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

Cell = str | int | float | bool | None

#: What a spreadsheet takes for the beginning of a formula, as it is typed and in full width.
_FORMULA: Final = re.compile(r"[\s\0]*[=+\-@＝＋－＠]|[\t\r\n]")
#: A number or a telephone number computes nothing, whatever its sign; marked, no machine could read it.
_NUMBER: Final = re.compile(r"[+-]?[0-9][0-9 .,()]*")


def csv_file(
    columns: Sequence[str],
    rows: Iterable[Mapping[str, Cell]],
    *,
    separator: str = ",",
    spreadsheet_safe: bool = True,
    byte_order_mark: bool = False,
) -> bytes:
    """A header and these rows (RFC 4180, UTF-8, lines end with CRLF); a column that a row lacks is empty.

    A resident's text that begins like a formula gets an apostrophe before it,
    so that no clerk's spreadsheet runs it. Numbers and telephone numbers stay
    as they are, and `spreadsheet_safe=False` is for files that only a program
    reads.
    """
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column), safe=spreadsheet_safe) for column in columns])
    return text.getvalue().encode("utf-8-sig" if byte_order_mark else "utf-8", "replace")


def _cell(value: Cell, *, safe: bool) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str() if safe and _FORMULA.match(value) and not _NUMBER.fullmatch(value):
            return f"'{value}"
        case _:
            return str(value)
