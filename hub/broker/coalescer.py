"""Many rings, few bells: the first at once, then at most one in each interval, and never none."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from math import inf


class Coalescer:
    """Remembers which destinations still have to be rung, and when each may be.

    Knows no clock and no thread: `now` is any number of seconds that only
    grows, and its owner holds the lock.
    """

    def __init__(self, interval: timedelta) -> None:
        self._interval = interval.total_seconds()
        self._due: dict[str, float] = {}  #: what still has to be rung, and not before when
        self._quiet_until: dict[str, float] = {}

    def add(self, destination: str, *, now: float) -> float | None:
        """Ask for a bell: when it may leave, or None when one that has yet to leave will do for this too."""
        if destination in self._due:
            return None
        due = self._due[destination] = max(now, self._quiet_until.get(destination, now))
        return due

    def take(self, *, now: float, most: int) -> list[str]:
        """The destinations to ring now, at most `most`; each is then quiet for one interval."""
        ready = [destination for destination, at in self._due.items() if at <= now][:most]
        for destination in ready:
            del self._due[destination]
            self._quiet_until[destination] = now + self._interval
        if len(self._quiet_until) > 2 * most:
            self._quiet_until = {name: until for name, until in self._quiet_until.items() if until > now}
        return ready

    def give_back(self, destinations: Iterable[str], *, now: float) -> None:
        """These did not leave: ring them when the broker is back."""
        for destination in destinations:
            self._due.setdefault(destination, now)

    def __len__(self) -> int:
        """How many destinations still have to be rung."""
        return len(self._due)

    @property
    def next_due(self) -> float:
        """When the next bell may leave; never, while nothing has to be rung."""
        return min(self._due.values(), default=inf)
