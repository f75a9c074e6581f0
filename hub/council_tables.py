"""What a route's `with` gives its mapping: tables (in YAML or CSV) and plain values."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.core.findings import Finding, Place, instead
from hub.core.tables import OnMissing, Table
from hub.core.tree import Path, Places

_CSV_KEYS: Final = ("csv", "key", "value", "as", "on_missing", "default")
_TABLE_KEYS: Final = ("table", "on_missing", "default")


@dataclass(slots=True, kw_only=True)
class TableReader:
    """Reads the tables of one council's file."""

    files: Mapping[str, str]
    folder: str
    places: Places
    findings: list[Finding] = field(default_factory=list)

    def read(self, name: str, value: Any, path: Path) -> Any:
        """The table or value; None where it cannot be read (which has been noted)."""
        match value:
            case {"csv": _}:
                return self._csv(name, value, path)
            case {"table": dict()}:
                self._known(value, _TABLE_KEYS, path)
                rows = value["table"]
                return self._table(name, rows, self._lines(rows, (*path, "table")), value, path)
            case dict():
                return self._table(name, value, self._lines(value, path), {}, path)
            case None:
                self.find(path, "wrong_type", f"`{name}` is empty", "give it a value or a table")
                return None
            case _:
                return value

    def _table(
        self, name: str, rows: Mapping[str, Any], lines: Mapping[str, int], stated: Mapping[str, Any], path: Path
    ) -> Table:
        word = stated.get("on_missing", OnMissing.REFUSE)
        if word not in tuple(OnMissing):
            remedy = "write `refuse` or `default`"
            self.find((*path, "on_missing"), "wrong_enum", f"`on_missing` is not `{word}`", remedy)
            word = OnMissing.REFUSE
        on_missing = OnMissing(word)
        if on_missing is OnMissing.DEFAULT and "default" not in stated:
            self.find((*path, "on_missing"), "missing_key", "`on_missing: default` without a default", "add `default:`")
        if on_missing is OnMissing.REFUSE and "default" in stated:
            message = "a `default` that is never used"
            self.find((*path, "default"), "unknown_key", message, "add `on_missing: default`, or leave it out")
        return Table(
            name=name,
            rows=rows,
            lines=lines,
            on_missing=on_missing,
            default=stated.get("default"),
            file=self.places.of(path).file,
        )

    def _lines(self, rows: Mapping[str, Any], path: Path) -> dict[str, int]:
        return {key: self.places.key((*path, key)).line for key in rows}

    def _known(self, value: Mapping[str, Any], known: tuple[str, ...], path: Path) -> None:
        for key in value:
            if key not in known:
                place = self.places.key((*path, key))
                self.findings.append(Finding.at(place, "unknown_key", f"a table has no `{key}`", instead(key, known)))

    def _csv(self, name: str, value: Mapping[str, Any], path: Path) -> Table | None:
        self._known(value, _CSV_KEYS, path)
        file = f"{self.folder}/{value['csv']}"
        if not isinstance(value["csv"], str) or ".." in file or file not in self.files or not file.endswith(".csv"):
            there = [each.partition("/")[2] for each in self.files if each.startswith(f"{self.folder}/")]
            tables = [each for each in there if each.endswith(".csv")]
            remedy = instead(str(value["csv"]), tables) if tables else "put the CSV file beside council.yaml"
            self.find((*path, "csv"), "missing_table", f"there is no table `{value['csv']}` in this folder", remedy)
            return None
        rows, columns = self._rows(file)
        if not columns:
            message = "a table without a heading"
            self.findings.append(Finding.at(Place(file=file), "bad_table", message, "name its columns"))
            return None
        key = self._column(value, "key", columns, path, columns[0])
        chosen = self._column(value, "value", columns, path, None)
        if key is None or (chosen is None and "value" in value):
            return None
        made, lines = self._keyed(file, rows, key)
        picked = {code: self._cell(row, chosen, value, file, lines[code]) for code, row in made.items()}
        table = self._table(name, picked, lines, value, path)
        return Table(name=name, rows=picked, lines=lines, on_missing=table.on_missing, default=table.default, file=file)

    def _rows(self, file: str) -> tuple[list[tuple[int, dict[str, str]]], list[str]]:
        reader = csv.DictReader(io.StringIO(self.files[file]), skipinitialspace=True, strict=True)
        rows: list[tuple[int, dict[str, str]]] = []
        try:
            columns = [column.strip() for column in reader.fieldnames or []]
            reader.fieldnames = columns
            for row in reader:
                if None in row or None in row.values():
                    self._row(file, reader.line_num, "bad_table", "a row with too many or too few columns")
                    continue
                rows.append((reader.line_num, {column: cell.strip() for column, cell in row.items()}))
        except csv.Error:
            self._row(file, reader.line_num, "bad_table", "this is not a CSV file")
            return [], []
        return rows, columns

    def _keyed(
        self, file: str, rows: list[tuple[int, dict[str, str]]], key: str
    ) -> tuple[dict[str, dict[str, str]], dict[str, int]]:
        made: dict[str, dict[str, str]] = {}
        lines: dict[str, int] = {}
        for line, row in rows:
            code = row[key]
            if code in made:
                self._row(file, line, "duplicate_key", f"`{code}` stands twice (first on line {lines[code]})")
                continue
            made[code], lines[code] = row, line
        return made, lines

    def _column(
        self, value: Mapping[str, Any], which: str, columns: list[str], path: Path, otherwise: str | None
    ) -> str | None:
        wanted: Any = value.get(which, otherwise)
        if wanted is None or wanted in columns:
            return None if wanted is None else str(wanted)
        message = f"the table has no column `{wanted}`"
        self.find((*path, which), "missing_column", message, instead(str(wanted), columns))
        return None

    def _cell(self, row: dict[str, str], column: str | None, stated: Mapping[str, Any], file: str, line: int) -> Any:
        if column is None:
            return row
        text = row[column]
        match stated.get("as", "text"):
            case "text":
                return text
            case "number" if text.lstrip("-").isdigit() and text.isascii():
                return int(text)
            case "number":
                self._row(file, line, "wrong_type", f"column `{column}` holds no whole number here")
                return None
            case other:
                message = f"`as` is not `{other}`"
                self._row(file, line, "wrong_enum", message)
                return None

    def _row(self, file: str, line: int, code: str, message: str) -> None:
        self.findings.append(Finding.at(Place(file=file, line=line), code, message, "mend this row"))

    def find(self, path: Path, code: str, message: str, remedy: str) -> None:
        self.findings.append(Finding.at(self.places.of(path), code, message, remedy))
