"""W3C Trace Context: the caller's trace is kept, else one is begun."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}\Z")


@dataclass(frozen=True, slots=True)
class Trace:
    """Which trace a request belongs to; `parent` is what is handed on."""

    id: str
    parent: str
    is_own: bool  #: begun here, for the caller had none


def trace_of(header: str | None, *, request: str) -> Trace:
    """The trace of a request whose own id is the uuid `request`.

    The caller's sampled flag is not trusted, and a header that is not exactly
    of the form is as good as none: it must never reach a log line.
    """
    own = request.replace("-", "")
    if header and (match := _TRACEPARENT.match(header)):
        return Trace(match[1], f"00-{match[1]}-{own[16:]}-00", is_own=False)
    return Trace(own, f"00-{own}-{own[16:]}-00", is_own=True)
