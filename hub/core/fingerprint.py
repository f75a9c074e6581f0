"""Which failures are the same failure?"""

from __future__ import annotations

import hashlib


def fingerprint(*, destination: str, operation: str, outcome: str, fault_code: str, where: str = "") -> bytes:
    """The same for failures that one mend would settle. Made from codes and places only, never from a value."""
    return hashlib.sha256("|".join((destination, operation, outcome, fault_code, where)).encode()).digest()


def title(*, destination: str, operation: str, outcome: str, fault_code: str, where: str = "") -> str:
    """How staff read it; holds no word of a resident's or a back office's."""
    place = f" at {where}" if where else ""
    return f"{destination} {operation}: {outcome}, {fault_code}{place}"
