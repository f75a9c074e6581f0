"""What every call to a destination keeps to, whatever it speaks: its deadline, its turn, what is hidden."""

from __future__ import annotations

from dataclasses import dataclass

from hub.connector.evidence import Veil
from hub.connector.pacing import Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of one destination."""

    timeout: float  #: seconds, over everything that one call does
    veil: Veil
    pace: Pace | None
