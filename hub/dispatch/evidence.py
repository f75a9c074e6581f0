"""What was sent and answered, sealed for those who may look."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import Any

from pydantic_core import from_json, to_json

from hub.connector import Exchange
from hub.errors import DeliveryFailure, MappingFault
from hub.model import Receipt
from hub.store.seal import Sealer

CAP = 64 * 1024  #: bytes of evidence kept of one attempt


def place(attempt: str) -> str:
    return f"attempt|{attempt}|1"


def gather(exchanges: Sequence[Exchange], result: Receipt | BaseException | None) -> bytes:
    """Evidence as JSON: every exchange, the destination's reasons, and for a bug where in the code it was."""
    told: dict[str, Any] = {"exchanges": [_exchange(one) for one in exchanges]}
    failure = result if isinstance(result, BaseException) else None
    if isinstance(failure, DeliveryFailure) and failure.reasons:
        told["reasons"] = list(failure.reasons)
    if isinstance(failure, MappingFault):
        told["mapping"] = {"where": failure.where, "problem": failure.problem}
    elif failure is not None and not isinstance(failure, DeliveryFailure):
        # Type and place only: a bug's message may quote what it was working on.
        frames = traceback.extract_tb(failure.__traceback__)[-5:]
        told["bug"] = {
            "type": type(failure).__name__,
            "at": [f"{frame.name}:{frame.lineno}" for frame in frames],
        }
    raw = _bytes(told)
    share = CAP
    while len(raw) > CAP and share > 256:
        # Too much: every body gives up half, so that each exchange is still told.
        share //= 2
        told["exchanges"] = [_exchange(one, cap=share) for one in exchanges]
        raw = _bytes(told)
    return raw


def _bytes(told: dict[str, Any]) -> bytes:
    return to_json(told)


def _exchange(one: Exchange, *, cap: int = CAP) -> dict[str, Any]:
    return {
        "method": one.method,
        "url": one.url,
        "request_headers": dict(one.request_headers),
        "request": one.request[:cap].decode("utf-8", "replace"),
        "status": one.status,
        "response_headers": dict(one.response_headers),
        "response": one.response[:cap].decode("utf-8", "replace"),
        "failure": one.failure,
        "ms": round(one.ms, 1),
    }


def unsealed(sealer: Sealer, attempt: str, sealed: bytes) -> dict[str, Any]:
    """Evidence as it was gathered. The caller has checked the right to look, and audits it."""
    told: dict[str, Any] = from_json(sealer.open(sealed, place=place(attempt)))
    return told
