"""Lists: items, a cursor for the next page, and the Link header that names it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Request, Response

from hub.errors import Invalid
from hub.intake.naming import is_id
from hub.store.paging import after, cursor_of

LIMIT = 50
MOST = 200

Limit = Annotated[int, Query(ge=1, le=MOST, description=f"How many at once, up to {MOST}.")]
Cursor = Annotated[str | None, Query(max_length=200, description="The `next` of the page before, unchanged.")]


def checked(cursor: str | None) -> str | None:
    """A cursor that stands for an id. Raises Invalid for what this hub never handed out.

    The store compares what is in it with ids, and PostgreSQL refuses to
    compare an id with anything else.
    """
    if cursor is None or is_id(key_of(cursor)):
        return cursor
    raise _strange()


def key_of(cursor: str) -> str:
    """What a cursor stands for. Raises Invalid for what is no cursor at all."""
    try:
        return after(cursor)
    except Invalid:
        raise _strange() from None


def _strange() -> Invalid:
    fault = ("#/query/cursor", "Use the `next` of the page before, unchanged.")
    return Invalid([fault], "The cursor is not one that this hub handed out.")


def among(names: Iterable[str], *, limit: int, cursor: str | None) -> tuple[list[str], str | None]:
    """One page of a list that is all at hand, by name, and the cursor of the next. Raises Invalid."""
    behind = key_of(cursor) if cursor is not None else ""
    left = sorted(name for name in names if name > behind)
    shown = left[:limit]
    return shown, cursor_of(shown[-1]) if len(left) > limit else None


def page(request: Request, items: Sequence[Any], *, following: str | None, base: str) -> Response:
    """`{"items", "next"}`, with `Link: rel=next` to the same list behind this page."""
    headers = {}
    if following is not None:
        query = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
        target = f"{base}{request.url.path}?{urlencode([*query, ('cursor', following)])}"
        headers["Link"] = f'<{target}>; rel="next"'
    return as_json({"items": list(items), "next": following}, headers=headers)


def as_json(body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", errors="replace")
    return Response(content, status_code=status, headers=headers, media_type="application/json")
