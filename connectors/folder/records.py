"""What a file holds: a record as JSON, or as a row under the columns that a council declares."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, cast

from pydantic import BaseModel, ConfigDict, Field, create_model

from connectors.folder.settings import FolderSettings
from hub.connector import Cell, FreeRecord, Refused, csv_file


class Document(FreeRecord):
    """One JSON object: whatever fields the mapping gives it, in its order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "reference": "{our_reference}",
                    "uprn": "100012345678",
                    "containers": [{"type": "refuse", "quantity": 2}],
                    "notes": "=HYPERLINK(\"https://example.invalid\")",
                }
            ]
        }
    )  # fmt: skip


class Row(BaseModel):
    """A row of a CSV file; its fields are the council's columns."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    columns: ClassVar[Sequence[str]] = ()

    def cells(self) -> dict[str, Cell]:
        return cast("dict[str, Cell]", self.model_dump(by_alias=True))


def row_of(columns: Sequence[str]) -> type[Row]:
    """The record of a file with these columns, so that `hub check` knows them too."""
    fields: dict[str, Any] = {
        f"column_{at}": (Annotated[Cell, Field(alias=column, description="a column of the file")], None)
        for at, column in enumerate(columns)
    }
    example: dict[str, Any] = {
        column: "Left by the gate" if at else "{our_reference}" for at, column in enumerate(columns)
    }
    made = create_model("Row", __base__=Row, __module__=__name__, **fields)
    made.columns = tuple(columns)
    made.model_config["json_schema_extra"] = {"examples": [example]}
    return made


def as_bytes(record: Document | Row, settings: FolderSettings) -> bytes:
    """The content of the file, the same whenever the record is. Raises Refused where it cannot be written down."""
    if isinstance(record, Row):
        return csv_file(
            record.columns,
            [record.cells()],
            separator=settings.separator,
            spreadsheet_safe=settings.spreadsheet_safe,
            byte_order_mark=settings.byte_order_mark,
        )
    try:
        text = json.dumps(record.tree(), ensure_ascii=False, allow_nan=False, indent=2)
        return f"{text}\n".encode()
    except (ValueError, TypeError, RecursionError):
        pass
    text = "The record cannot be written as JSON; mend the mapping or the data, then replay."
    raise Refused(text, code="unsendable")
