"""The fields of an Open311 form as answers: by name, attributes by code, the extended description taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

Pair = tuple[str, str]

_ATTRIBUTE: Final = re.compile(r"attribute\[(?P<code>[^\]]+)\](\[\])?")
#: How the extended description ends, in the name of whichever site sent it.
_SIGNED: Final = re.compile(r"Submitted via [^\n]{1,60}")
#: What says where a form belongs, not what somebody wrote.
_ENVELOPE: Final = frozenset(["api_key", "service_code", "jurisdiction_id"])


def attributes(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """`attribute[CODE]` (or `attribute[CODE][]`) by its code, trimmed, blank ones left out."""
    for name, value in pairs:
        found = _ATTRIBUTE.fullmatch(name)
        if found is not None and (text := value.strip()):
            yield found["code"], text


def answers(pairs: Iterable[Pair]) -> dict[str, Any]:
    """Fields by their own names; `attributes` by code; `detail` is what was described, whichever way it was sent.

    A field that was sent once is a text, one that was sent again a list of texts.
    """
    pairs = list(pairs)
    made = _folded(
        (name, text)
        for name, value in pairs
        if (text := value.strip()) and name not in _ENVELOPE and not _ATTRIBUTE.fullmatch(name)
    )
    description = made.pop("description", None)
    if description is not None:
        made |= described("\n\n".join(description) if isinstance(description, list) else description)
    if asked := _folded(attributes(pairs)):
        made["attributes"] = asked
    return made


def described(description: str) -> dict[str, str]:
    """`title`, `detail` and `url` of the extended form; of any other the whole as `detail`."""
    # From both ends: a resident's own words may look like the labels between.
    head, found, rest = description.partition("\n\ndetail:")
    detail, ended, tail = rest.rpartition("\n\nurl:")
    if not (found and ended and head.startswith("title:")):
        return {"detail": description}
    url, _, more = tail.strip().partition("\n")
    more = more.strip()
    if more and not _SIGNED.fullmatch(more):
        detail = f"{detail.strip()}\n\n{more}"
    parts = {"title": head.removeprefix("title:"), "detail": detail, "url": url}
    return {name: text for name, part in parts.items() if (text := part.strip())}


def _folded(pairs: Iterable[Pair]) -> dict[str, Any]:
    made: dict[str, list[str]] = {}
    for name, value in pairs:
        made.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in made.items()}
