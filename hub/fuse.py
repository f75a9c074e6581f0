"""Where a process can be made to die, so that a rehearsal finds out what that does."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

#: How long after its bytes left a call has `after_send` reached: the back office has them by then.
LEFT = 0.1


class CrashPoint(StrEnum):
    """A moment between two writes, where dying must cost nothing but time."""

    AFTER_CLAIM = "after_claim"  #: leased and `prepared`, nothing sent
    BEFORE_SEND = "before_send"  #: `sending` is committed, no byte has left
    AFTER_SEND = "after_send"  #: the bytes have left, no answer was heard
    BEFORE_CONCLUDE = "before_conclude"  #: the answer is known and not yet written down
    AFTER_COMMIT_BEFORE_BELL = "after_commit_before_bell"  #: a submission is kept, its 202 and its bell are not out
    MID_OPERATION = "mid_operation"  #: between two transactions of a bulk operation
    MID_RETENTION = "mid_retention"  #: between two batches of what is forgotten


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What `HUB_CRASH_POINT` says: `point` or `point:n`.

    The process dies at that point once `least` of its attempts are in
    `sending`. Intake has no attempts: there it is the nth submission.
    """

    point: CrashPoint
    least: int = 0

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises ValueError with the points there are."""
        found = re.fullmatch(r"([a-z_]+)(?::(\d{1,6}))?", text)
        if found is None or found[1] not in list(CrashPoint):
            raise ValueError(f"give one of {', '.join(CrashPoint)}, and after a colon how many attempts must be away")
        return cls(point=CrashPoint(found[1]), least=int(found[2] or 0))


class Fuse:
    """Told what this process is about to do; kills it where the charge says. One without a charge does nothing."""

    def __init__(self, charge: Charge | None = None) -> None:
        self._charge = charge
        self._away = 0
        self._taken = 0

    def reach(self, point: CrashPoint) -> None:
        """This is that moment. Does not return if it is the one."""
        if self._charge is None or point is not self._charge.point:
            return
        if point is CrashPoint.AFTER_COMMIT_BEFORE_BELL:
            self._taken += 1
        count = self._taken if point is CrashPoint.AFTER_COMMIT_BEFORE_BELL else self._away
        if count >= self._charge.least:
            os.kill(os.getpid(), signal.SIGKILL)

    def sending(self, change: int) -> None:
        """One attempt more (1) or fewer (-1) is in `sending`."""
        self._away += change

    def leaving(self) -> None:
        """The bytes of a write leave now; `after_send` is reached a moment later. Called in the event loop."""
        if self._charge is not None and self._charge.point is CrashPoint.AFTER_SEND:
            asyncio.get_running_loop().call_later(LEFT, self.reach, CrashPoint.AFTER_SEND)


UNARMED = Fuse()  #: of every process but one in a rehearsal
