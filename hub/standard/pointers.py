"""Says where in a submission something stands: RFC 6901 pointers as URI fragments."""

from __future__ import annotations

from urllib.parse import quote

#: The keys and positions that lead from the whole submission to one value.
Loc = tuple[str | int, ...]

#: What RFC 3986 allows in a fragment without an escape ("/" separates, so it is not here).
_PLAIN = "!$&'()*+,;=:@?~"


def pointer(loc: Loc) -> str:
    """`("details", "containers", 0)` → `#/details/containers/0`; the whole submission is `#`."""
    return "#" + "".join("/" + _escape(str(part)) for part in loc)


def _escape(part: str) -> str:
    if part.isidentifier() and part.isascii():
        return part
    return quote(part.replace("~", "~0").replace("/", "~1"), safe=_PLAIN)
