"""Signatures as Standard Webhooks has them: `v1,` and the HMAC-SHA256 of id, time and body, for each secret."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "whsec_"
_SHORTEST, _LONGEST = 24, 64  #: bytes of a secret, as the standard asks


def key_of(secret: str) -> bytes:
    """The bytes that a `whsec_…` stands for. Raises ValueError, which quotes nothing of it."""
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except (NotBase64, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not _SHORTEST <= len(key) <= _LONGEST:
        raise ValueError(f"a secret is `whsec_` and the base64 of {_SHORTEST} to {_LONGEST} bytes")
    return key


def headers(keys: Sequence[bytes], *, id: str, at: int, body: bytes) -> dict[str, str]:
    """The three headers; one signature for each key, so that a receiver may change its own in its own time."""
    signed = f"{id}.{at}.".encode() + body
    marks = [b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in keys]
    return {
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{mark}" for mark in marks),
    }
