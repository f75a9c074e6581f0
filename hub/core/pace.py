"""How many may go now, and when may the next?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.model import Limits

#: Calls keep a little more than their distance, so that what the road adds never shows as more than the rate.
#: With this, at rate r no second sees more than r + 1 arrivals while each arrives less than 50 ms after its slot.
DISTANCE: Final = 1.05
CATCH_UP: Final = timedelta(milliseconds=250)  #: how far a claim may run ahead of the calls, or make up for lost time
_SOONEST: Final = timedelta(milliseconds=20)  #: between two claims for the rate's sake: a claim costs a transaction
_LONGEST_WAIT: Final = timedelta(minutes=1)
_AHEAD: Final = timedelta(minutes=10)


def spacing(per_second: float) -> timedelta:
    """From one slot to the next."""
    return timedelta(seconds=DISTANCE / per_second)


def too_far(per_second: float) -> timedelta:
    """A mark further ahead than this was made by a clock that has since been set back; it holds nobody."""
    return max(_AHEAD, 100 * spacing(per_second))


def allowance(limits: Limits) -> timedelta:
    """How long the calls of one attempt may wait for their turns, beside the time that they take.

    A claim runs 250 ms ahead at most, and each step in flight waits for one
    slot at a time. Nothing where there is no rate; never more than a minute.
    """
    if not limits.per_second:
        return timedelta(0)
    return min(CATCH_UP + (limits.concurrency + 1) * spacing(limits.per_second), _LONGEST_WAIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """How many steps a claim may take now; `again_at` says when a further look pays, where it may not take all."""

    granted: int
    again_at: datetime | None = None
    _start: datetime | None = None
    _each: timedelta = timedelta(0)

    @property
    def next_at(self) -> datetime | None:
        """The row's new mark when all that were granted are taken."""
        return self.after(self.granted)

    def after(self, taken: int) -> datetime | None:
        """The row's new mark when so many are taken; None without a rate."""
        return None if self._start is None else self._start + taken * self._each


def admit(
    *,
    per_second: float | None,
    rate_next_at: datetime | None,
    pace_next_at: datetime | None,
    now: datetime,
    wanted: int,
) -> Admission:
    """How many of `wanted` may be claimed now.

    A look that comes late makes up for 250 ms, no more; and nothing is claimed
    while the calls of what was claimed before fill the next 250 ms.
    """
    if not per_second:
        return Admission(granted=wanted)
    each = spacing(per_second)
    start = max(_sane(rate_next_at, now, most=each + timedelta(seconds=1)), now - CATCH_UP)
    leaves = max(_sane(pace_next_at, now, most=too_far(per_second)), now)
    by_rate = (now - start) // each + 1
    by_pace = (now + CATCH_UP - leaves) // each + 1
    granted = max(0, min(wanted, by_rate, by_pace))
    again_at = None
    if granted < wanted:
        again_at = max(start + granted * each, leaves + granted * each - CATCH_UP, now + _SOONEST)
    return Admission(granted=granted, again_at=again_at, _start=start, _each=each)


def next_claim(rate_next_at: datetime | None, pace_next_at: datetime | None) -> datetime | None:
    """When the rate lets another step be claimed, as the row's marks have it."""
    if pace_next_at is None:
        return rate_next_at
    room = pace_next_at - CATCH_UP
    return room if rate_next_at is None else max(rate_next_at, room)


def _sane(mark: datetime | None, now: datetime, *, most: timedelta) -> datetime:
    """The mark; none of it where there is none, or where a clock that was set back has left it far ahead."""
    if mark is None:
        return now - CATCH_UP
    return now if mark > now + most else mark
