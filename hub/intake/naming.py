"""What may be in an address: ids, references, slugs; anything else names nothing."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_REFERENCE = re.compile(r"[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}\Z")
_OUR_REFERENCE = re.compile(r"[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}(-[a-z0-9]{1,3}){0,2}\Z", re.IGNORECASE)


def printable(text: str | None) -> str | None:
    """For pydantic: a NUL is no text to PostgreSQL, and no name holds a control character."""
    if text is not None and not text.isprintable():
        raise ValueError("Leave control characters out.")
    return text


#: A council's slug in a query.
CouncilName = Annotated[str | None, Query(max_length=64, description="A council's slug."), AfterValidator(printable)]


def is_id(name: str) -> bool:
    return _ID.match(name) is not None


def id_or_reference(name: str) -> str | None:
    """The name of a submission as the store keeps it; None for what can be none.

    A database is not asked about anything else: PostgreSQL answers a text
    that is no UUID, or that holds a NUL, with an error instead of with nothing.
    """
    if is_id(name.lower()):
        return name.lower()
    return name.upper() if _REFERENCE.match(name.upper()) else None


def id_or_our_reference(name: str) -> str | None:
    """The name of a delivery: its id, or what its destination was given."""
    if is_id(name.lower()):
        return name.lower()
    return name if _OUR_REFERENCE.match(name) else None
