"""Ids that sort by time, and references that tell nothing."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_LETTERS = (_ALPHABET * 8).encode()  #: a letter for each byte, and eight bytes for each letter
_DRAW = 4096  #: bytes drawn at once: each draw lets go of the interpreter, and may wait long to get it back
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_lock = threading.Lock()
_last = 0
_pool = b""
_drawn = 0  #: bytes of the pool that are given away


def random_bytes(number: int) -> bytes:
    """Bytes from the operating system's generator, never the same twice. For ids, references and nonces."""
    with _lock:
        return _take(number)


def _take(number: int) -> bytes:
    """The next bytes of the pool; only with the lock held."""
    global _pool, _drawn
    end = _drawn + number
    if end > len(_pool):
        _pool, _drawn, end = os.urandom(max(_DRAW, number)), 0, number
    taken, _drawn = _pool[_drawn:end], end
    return taken


def _forget_pool() -> None:
    global _pool, _drawn
    _pool, _drawn = b"", 0


# A fork would hand out its parent's bytes again.
os.register_at_fork(after_in_child=_forget_pool)


def uuid7() -> str:
    """A version 7 UUID as canonical text; within a process each is greater than the one before (RFC 9562, method 3)."""
    global _last
    with _lock:
        chance = _take(8).hex()
        # 48 bits of milliseconds, then 12 bits of the millisecond's fraction.
        stamp = (time.time_ns() << 12) // 1_000_000
        if stamp <= _last:
            stamp = _last + 1
        _last = stamp
    text = f"{stamp:015x}"
    # The first hexadecimal digit of the second half is the variant: two bits of it are fixed, two are chance.
    return f"{text[:8]}-{text[8:12]}-7{text[12:]}-{_VARIANT[chance[0]]}{chance[1:4]}-{chance[4:]}"


def first_id(instant: datetime) -> str:
    """An id that stands before every id made at this instant or later, and after those made before it."""
    stamp = ((instant - _EPOCH) // timedelta(microseconds=1) << 12) // 1000
    text = f"{max(stamp, 0):015x}"
    return f"{text[:8]}-{text[8:12]}-7{text[12:]}-8000-000000000000"


def reference() -> str:
    """What a resident is told: `ABCD-EFGH`, random, without letters and digits that look alike."""
    letters = random_bytes(8).translate(_LETTERS).decode()
    return f"{letters[:4]}-{letters[4:]}"
