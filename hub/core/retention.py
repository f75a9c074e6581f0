"""What must be forgotten, and when?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.model import StepState

FINAL: Final = frozenset({StepState.DELIVERED, StepState.DISCARDED})

#: What is spared is looked at again so often: it may have become final meanwhile, or the rules may have changed.
AGAIN: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How long personal data lives."""

    content: timedelta = timedelta(days=90)  #: what a resident wrote, from when nothing more is to be done about it
    evidence: timedelta = timedelta(days=30)  #: what was sent and answered, from when it was


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What becomes of a submission's content now: forgotten, or looked at again then."""

    forget: bool
    look_at: datetime | None = None


def final_since(
    steps: Collection[tuple[StepState, datetime]], *, set_aside_at: datetime | None = None, routed: bool = True
) -> datetime | None:
    """Since when nothing more is to be done about a submission; None while something waits, or is a person's.

    `steps` are the states of all its steps, notices left out, and since when.
    One that not every route could be decided for (`routed`) is a person's, however
    its steps stand: it ends when they set it aside, or have routed it.
    """
    if any(state not in FINAL for state, _ in steps) or (not routed and set_aside_at is None):
        return None
    ends = [since for _, since in steps]
    return max(ends) if ends else set_aside_at


def fate_of_content(final: datetime | None, *, keep: Keep, now: datetime) -> Fate:
    """What could still be sent, or has to be mended first, is never forgotten."""
    if final is None:
        return Fate(forget=False, look_at=now + AGAIN)
    if final + keep.content <= now:
        return Fate(forget=True)
    return Fate(forget=False, look_at=min(final + keep.content, now + AGAIN))
