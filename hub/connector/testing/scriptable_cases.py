"""What the kit's own back office can look up: its cases by our reference, by token, and in the order they were made."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case. `made` is when it was committed, `at` is that instant as the ledger writes it."""

    reference: str
    ours: str
    token: str
    at: str
    made: float


class Cases:
    """Every case that was committed. No look takes longer because there are ten thousand of them."""

    def __init__(self) -> None:
        self._all: list[Case] = []
        self._made: list[float] = []
        self._by_ours: dict[str, list[Case]] = {}
        self._by_token: dict[str, Case] = {}

    def add(self, *, reference: str, ours: str, token: str, at: str) -> Case:
        # A clock that was set back must not bring the list out of its order.
        made = max(time.time(), self._made[-1] if self._made else 0.0)
        case = Case(reference=reference, ours=ours, token=token, at=at, made=made)
        self._all.append(case)
        self._made.append(made)
        self._by_ours.setdefault(ours, []).append(case)
        self._by_token[token] = case
        return case

    def under(self, ours: str) -> list[Case]:
        """The cases with this reference of ours, the first one first."""
        return self._by_ours.get(ours, [])

    def behind(self, token: str) -> Case | None:
        return self._by_token.get(token)

    def since(self, start: float, *, position: int, until: float, limit: int) -> tuple[list[Case], str | None]:
        """A page of what was made from `start` to `until`, and where the next one begins."""
        first = max(bisect_left(self._made, start), position)
        end = bisect_right(self._made, until)
        last = min(first + limit, end)
        return self._all[first:last], str(last) if last < end else None
