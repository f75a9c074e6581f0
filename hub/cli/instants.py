"""Times as people type them: ISO 8601, and London's where no zone is given."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import typer

from hub.core.dates import LONDON


def instant(text: str) -> str:
    """The instant in UTC, as ISO 8601; a date alone is its midnight in London. Raises BadParameter."""
    return parsed(text).isoformat()


def parsed(text: str) -> datetime:
    """The same as a datetime."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(f"`{text}` is not a time; write it as 2026-11-23T16:00 or 2026-11-23") from None
    return (at if at.tzinfo else at.replace(tzinfo=LONDON)).astimezone(UTC)


def midnight(day: date) -> datetime:
    """When this day begins in London."""
    return datetime.combine(day, time(), tzinfo=LONDON).astimezone(UTC)
