"""What a council fills in for a folder."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

_PLACEHOLDERS: Final = frozenset({"our_reference", "reference", "operation", "date"})
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9 ._-]*")
_EXAMPLE: Final[dict[str, Any]] = {
    "folder": "/srv/council/requests",
    "most_waiting": 40,
}


def _template(text: str) -> str:
    named = set(re.findall(r"\{([^{}]*)\}", text))
    if strange := named - _PLACEHOLDERS:
        raise ValueError(f"{{{min(strange)}}} is none of {', '.join(f'{{{one}}}' for one in sorted(_PLACEHOLDERS))}")
    if "our_reference" not in named:
        raise ValueError("{our_reference} must be in it: without it two requests would have one name")
    if not _PLAIN.fullmatch(re.sub(r"\{[^{}]*\}", "X", text)):
        raise ValueError(
            "a file name is letters, digits, spaces, dots, hyphens and underscores; no folder, no first dot"
        )
    return text


class FolderSettings(BaseModel):
    """A folder that another system picks up from: on this machine, or a share that is mounted here."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                _EXAMPLE,
                {**_EXAMPLE, "format": "csv", "columns": ["Reference", "Uprn", "Received", "Notes"]},
            ],
            "simulator": {"folder": "{path}"},
        },
    )

    folder: Annotated[str, Field(pattern=r"^/.*[^/]$", description="Where the files go: an absolute path")]
    format: Annotated[Literal["json", "csv"], Field(description="One JSON file, or one CSV file with a header")] = (
        "json"
    )
    file_name: Annotated[
        str | None,
        Field(max_length=80, description="Its name, `{our_reference}.json` unless said; `{reference}`, `{operation}` "
              "and `{date}` (the London date of receipt) may be in it as well"),
        AfterValidator(lambda text: text if text is None else _template(text)),
    ] = None  # fmt: skip
    columns: Annotated[tuple[str, ...], Field(description="CSV: the columns, in their order")] = ()
    separator: Annotated[Literal[",", ";", "\t"], Field(description="CSV: what stands between two cells")] = ","
    spreadsheet_safe: Annotated[
        bool, Field(description="CSV: an apostrophe before text that a spreadsheet would run as a formula")
    ] = True
    byte_order_mark: Annotated[bool, Field(description="CSV: for spreadsheets that take UTF-8 for something else")] = (
        False
    )
    permissions: Annotated[
        str, Field(pattern=r"^0[0-7]{3}$", description="Of the files; folders beside them can be entered as well")
    ] = "0640"
    most_waiting: Annotated[
        int | None, Field(ge=1, le=100_000, description="Wait while so many files lie there: nobody picks them up")
    ] = None
    marker: Annotated[
        str | None,
        Field(pattern=r"^[^/]+$", description="A file that is always there: if it is not, the share is not mounted"),
    ] = None
    work: Annotated[
        str | None,
        Field(pattern=r"^/.*[^/]$", description="For unfinished files and notes, in the same file system; "
              "`.council-hub` in the folder unless said"),
    ] = None  # fmt: skip
    notes_kept: Annotated[int, Field(ge=7, le=3650, description="Days for which a repeat is recognised")] = 90

    @model_validator(mode="after")
    def _columns_for_csv(self) -> Self:
        if (self.format == "csv") != bool(self.columns):
            raise ValueError("`columns` belong to `format: csv`, which needs them")
        if len(set(self.columns)) != len(self.columns):
            raise ValueError("two `columns` have the same name")
        return self

    @property
    def template(self) -> str:
        return self.file_name or f"{{our_reference}}.{self.format}"

    @property
    def mode(self) -> int:
        return int(self.permissions, 8)
