"""Options that several commands share, so that they are spelt and explained once."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]
Url = Annotated[
    str | None,
    typer.Option("--url", help="address of a running hub (or HUB_URL); without one: the store of HUB_DATABASE_URL"),
]
Key = Annotated[str | None, typer.Option("--key", help="your token for that hub (or HUB_KEY)")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=200, help="how many at once")]
Cursor = Annotated[str | None, typer.Option("--cursor", help="the `next` of the page before")]
Council = Annotated[str | None, typer.Option("--council", help="only this council's (slug)")]
Reason = Annotated[str, typer.Option("--reason", help="why, for the audit; name no resident")]


def listed(text: str | None) -> list[str] | None:
    """`a,b` as a list, and `*` as None: all there are."""
    if text is None or text.strip() == "*":
        return None
    return [part.strip() for part in text.split(",") if part.strip()]
