"""What the hub holds and what a council's system has: do they agree?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from hub.core.lifecycle import needs_person
from hub.model import StepState

#: A reference of ours as destinations are given it, with the marks of a split and of a deliberate second case.
OUR_REFERENCE: Final = re.compile(r"[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}(-\d{1,2})?(-r\d{1,2})?")


class Standing(StrEnum):
    """Where a piece of work is, as the hub holds it. Every one is in exactly one of these."""

    DELIVERED = "delivered"
    WAITING = "waiting"  #: queued, on its way, or being looked for
    NEEDS_PERSON = "needs_person"
    DISCARDED = "discarded"
    UNEXPLAINED = "unexplained"  #: in none of them: a fault of the hub


class Finding(StrEnum):
    """What the council's system says to it."""

    CONFIRMED = "confirmed"  #: there, with the reference that the hub was told
    MISSING = "missing"  #: delivered as the hub holds it, and not there, or there under another reference
    EXTRA = "extra"  #: there, and not delivered as the hub holds it, or there once more
    UNKNOWN = "unknown"  #: delivered as the hub holds it, and the system cannot be asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One piece of work that was accepted: a delivery, or a submission for which none could be planned."""

    council: str
    service: str
    day: date  #: in London
    reference: str  #: ours: what its destination was given, or what the resident was told
    standing: Standing
    destination: str | None = None
    delivery: str | None = None
    theirs: str | None = None
    joined: bool = False  #: to a case that was there before: it does not carry our reference
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing that a person has to look at; `there` is how the council's system calls it."""

    finding: Finding | Standing
    council: str
    service: str | None
    day: date
    destination: str | None
    reference: str
    theirs: str | None = None
    there: str | None = None


def standing_of(state: StepState | None, *, due_at: datetime | None) -> Standing:
    """Where a delivery is by its create step; None is a delivery without one."""
    match state:
        case None:
            return Standing.UNEXPLAINED
        case StepState.DELIVERED:
            return Standing.DELIVERED
        case StepState.DISCARDED:
            return Standing.DISCARDED
        case _ if needs_person(state, due_at=due_at):
            return Standing.NEEDS_PERSON
        case _:
            return Standing.WAITING


def compare(piece: Piece, there: Sequence[str | None] | None) -> list[tuple[Finding, str | None]]:
    """What is said of a piece, with the council's own reference where it is not the one that the hub was told.

    `there` are the cases under our reference, None each where it has no number
    yet; None altogether where the system could not be asked.
    """
    if piece.standing is not Standing.DELIVERED:
        return [(Finding.EXTRA, theirs) for theirs in there or ()]
    if there is None or (piece.joined and not there):
        return [(Finding.UNKNOWN, None)]
    if not there:
        return [(Finding.MISSING, None)]
    same = [theirs for theirs in there if None in (theirs, piece.theirs) or theirs == piece.theirs][:1]
    others = list(there)
    others.remove(same[0] if same else others[0])
    first = (Finding.CONFIRMED, None) if same else (Finding.MISSING, there[0])
    return [first, *((Finding.EXTRA, theirs) for theirs in others)]


@dataclass(slots=True, kw_only=True)
class Line:
    """One council's service on one day. `accepted` is counted by itself: the standings must add up to it."""

    submissions: int = 0
    accepted: int = 0
    standings: Counter[Standing] = field(default_factory=Counter)
    findings: Counter[Finding] = field(default_factory=Counter)

    @property
    def adds_up(self) -> bool:
        known = self.standings.total() - self.standings[Standing.UNEXPLAINED]
        return self.accepted == known

    def as_dict(self) -> dict[str, int]:
        counts = {"submissions": self.submissions, "accepted": self.accepted}
        counts |= {standing.value: self.standings[standing] for standing in Standing}
        return counts | {finding.value: self.findings[finding] for finding in Finding}
