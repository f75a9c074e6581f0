"""The Idempotency-Key header: an RFC 8941 string, or bare as most clients send it."""

from __future__ import annotations

import re

from hub.intake.problems import stop

LONGEST = 255
#: As the document says it: quoted with something in it, or bare.
WRITTEN = r'^("([ !#-\[\]-~]|\\["\\])+"|[!#-~]([ -~]*[!-~])?)$'

_QUOTED = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"\Z')
_BARE = re.compile(r"[\x20-\x7e]+\Z")


def idempotency_key(values: list[str]) -> str | None:
    """The key that a request carries; None when it carries none. Raises Stop (400) for one that cannot be used.

    `"a"` and `a` are one key: a client that learns to quote must not make a second submission.
    """
    if not values:
        return None
    if len(values) > 1:
        raise stop("idempotency-key-invalid", "There is more than one Idempotency-Key; send one.")
    return key_of_text(values[0])


def key_of_text(text: str) -> str:
    """The key itself, wherever it was sent. Raises Stop (400)."""
    value = text.strip(" \t")
    if value.startswith('"'):
        quoted = _QUOTED.match(value)
        key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else ""
    else:
        key = value if _BARE.match(value) else ""
    if not 0 < len(key) <= LONGEST:
        raise stop("idempotency-key-invalid")
    return key
