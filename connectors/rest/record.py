"""What is sent: whatever a mapping makes, and the fields that stand in the address."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import ConfigDict, Field, create_model

from connectors.rest.samples import RECORDS
from hub.connector import FreeRecord

#: Names in a path that are the hub's, and no field of a record.
OURS = frozenset({"our_reference", "reference"})

InPath = Annotated[str, Field(min_length=1)] | int


class Record(FreeRecord):
    """Any tree. What a path names must be there, and is not sent in the body again."""

    model_config = ConfigDict(json_schema_extra={"examples": RECORDS})

    def in_path(self) -> dict[str, Any]:
        """The fields that stand in the address, by name."""
        return {info.alias or name: getattr(self, name) for name, info in type(self).model_fields.items()}


class Note(Record):
    """What is told of a case that is there."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "The resident has found the bin."}]})


def needing(record: type[Record], fields: Iterable[str]) -> type[Record]:
    """A record that must have these fields: those that a path names."""
    # Under an alias: a field may be called `json`, or `_id`, or anything else that a Python class cannot have.
    needed: dict[str, Any] = {f"path_{at}": (InPath, Field(alias=name)) for at, name in enumerate(fields)}
    return create_model(record.__name__, __base__=record, **needed) if needed else record
