"""What a command prints: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

_WIDE = 400  #: columns where nobody looks at the width: a table cut to 80 would lose ids on its way into a file


def line(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def note(text: str) -> None:
    """A remark beside the result."""
    sys.stderr.write(f"{text}\n")


def failure(text: str) -> None:
    """Why it did not work, in one line that says what to do."""
    note(f"hub: {' '.join(text.split())}")


def as_json(data: Any) -> None:
    """One line, so that a reader may take it line by line."""
    line(json.dumps(data, ensure_ascii=False))


def items(found: Iterable[Mapping[str, Any]], *, following: str | None = None) -> None:
    """A list as every list of the hub is written."""
    as_json({"items": list(found), "next": following})


def console() -> Console:
    return Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False, soft_wrap=False)


def table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], *, empty: str) -> None:
    """Rows for people: `columns` gives each heading the key it shows."""
    if not rows:
        note(empty)
        return
    shown = Table(box=None, header_style="bold", pad_edge=False)
    for heading in columns:
        shown.add_column(heading, overflow="fold")
    for row in rows:
        shown.add_row(*(_cell(row.get(key)) for key in columns.values()))
    console().print(shown)


def facts(about: Mapping[str, Any]) -> None:
    """One thing for people: a line for each fact."""
    shown = Table(box=None, show_header=False, pad_edge=False)
    shown.add_column(style="bold")
    shown.add_column(overflow="fold")
    for name, value in about.items():
        shown.add_row(name.replace("_", " "), _cell(value))
    console().print(shown)


def page(found: Mapping[str, Any], columns: Mapping[str, str], *, json_out: bool, empty: str) -> None:
    """A page of a list, as JSON or for people."""
    if json_out:
        items(found["items"], following=found["next"])
        return
    table(found["items"], columns, empty=empty)
    if found["next"]:
        note(f"There are more: --cursor {found['next']}")


def progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def _cell(value: Any) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case {"text": str(text)}:
            return text
        case dict():
            return ", ".join(f"{name} {_cell(inner)}" for name, inner in value.items())
        case list() | tuple() | set() | frozenset():
            return ", ".join(_cell(inner) for inner in value) or "–"
        case _:
            return str(value).replace("[", r"\[")
