"""How a field is labelled, exemplified, and marked as personal."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field


class Personal(StrEnum):
    """Whether a field says something about a person; read by console, logs and erasure."""

    NO = "no"
    YES = "yes"
    SENSITIVE = "sensitive"  #: special category, or about a third party


def required(en: str, cy: str, *, example: Any, personal: Personal = Personal.NO, about: str | None = None) -> Any:
    """A field that must be sent, with its label in English and Welsh."""
    return Field(description=about, json_schema_extra=_annotations(en, cy, example, personal))


def optional(
    en: str,
    cy: str,
    *,
    example: Any,
    personal: Personal = Personal.NO,
    about: str | None = None,
    default: Any = None,
) -> Any:
    """A field that may be left out; without a default it is then absent from the data, never null."""
    return Field(default=default, description=about, json_schema_extra=_annotations(en, cy, example, personal))


def _annotations(en: str, cy: str, example: Any, personal: Personal) -> dict[str, Any]:
    notes: dict[str, Any] = {"x-label": {"en": en, "cy": cy}, "x-example": example}
    if personal is not Personal.NO:
        notes["x-personal"] = True if personal is Personal.YES else personal.value
    return notes
