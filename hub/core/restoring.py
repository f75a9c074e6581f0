"""A backup was put back: what becomes of what may have been sent since?"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from hub.core.resolving import LOOKED_UP
from hub.model import ReplaySafety, StepKind

_HARMLESS: Final = frozenset({ReplaySafety.IDEMPOTENT, ReplaySafety.REJECTS_DUPLICATES})


class Fate(StrEnum):
    """What becomes of a step that waited, or was on its way, when the backup was made."""

    STAYS = "stays"  #: sent as if nothing had happened: a repeat is harmless
    LOOKED_UP = "looked_up"  #: looked for first, and sent only when it is not there
    PERSON = "person"  #: nobody can tell but a person who looks


def fate_of(kind: StepKind, safety: ReplaySafety) -> Fate:
    """By what a repeat of the step does. A look finds cases, and nothing that was added to one."""
    if kind is StepKind.NUMBER or safety in _HARMLESS:
        return Fate.STAYS
    if kind is StepKind.CREATE and safety in LOOKED_UP:
        return Fate.LOOKED_UP
    return Fate.PERSON
