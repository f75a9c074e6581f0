"""Ids that sort by time, and references that tell nothing."""

from __future__ import annotations

import os
import threading
import time

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_DRAW = 4096  #: bytes drawn at once: each draw lets go of the interpreter, and may wait long to get it back
_lock = threading.Lock()
_last = 0
_pool = b""


def random_bytes(number: int) -> bytes:
    """Bytes from the operating system's generator, never the same twice. For ids, references and nonces."""
    global _pool
    with _lock:
        if len(_pool) < number:
            _pool = os.urandom(max(_DRAW, number))
        taken, _pool = _pool[:number], _pool[number:]
    return taken


def _forget_pool() -> None:
    global _pool
    _pool = b""


# A fork would hand out its parent's bytes again.
os.register_at_fork(after_in_child=_forget_pool)


def uuid7() -> str:
    """A version 7 UUID as canonical text; within a process each is greater than the one before (RFC 9562, method 3)."""
    global _last
    chance = int.from_bytes(random_bytes(8))
    with _lock:
        # 48 bits of milliseconds, then 12 bits of the millisecond's fraction.
        stamp = max((time.time_ns() << 12) // 1_000_000, _last + 1)
        _last = stamp
    version, variant = 0x7000 | (stamp & 0xFFF), 0x8000000000000000 | (chance >> 2)
    text = f"{(stamp >> 12) & 0xFFFFFFFFFFFF:012x}{version:04x}{variant:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def reference() -> str:
    """What a resident is told: `ABCD-EFGH`, random, without letters and digits that look alike."""
    number = int.from_bytes(random_bytes(5))
    letters = "".join(_ALPHABET[(number >> shift) & 31] for shift in range(0, 40, 5))
    return f"{letters[:4]}-{letters[4:]}"
