"""One thing that a front end of the demo sends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One submission, who sends it, and in a line what it shows."""

    shows: str
    front_end: str
    body: Mapping[str, Any]  #: with `council` and `service`, whatever the format says of them
    path: str = "/v1/submissions"
    raw: bytes | None = None  #: as this front end sends it; the body as JSON if None
    media_type: str = "application/json"

    @property
    def content(self) -> bytes:
        return json.dumps(self.body).encode() if self.raw is None else self.raw
