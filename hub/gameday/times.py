"""How long it took: from published to there, by the ledgers' own clocks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from hub.gameday.publisher import Taken
from hub.gameday.scenario import Act


def latencies(act: Act) -> Iterator[tuple[Taken, float]]:
    """Seconds from the first byte of its request to the row in the ledger, for each that arrived."""
    at = {
        (office, row["our_reference"]): datetime.fromisoformat(row["received_at"].replace("Z", "+00:00"))
        for office, rows in act.rig.ledgers().items()
        for row in rows
    }
    for publishing in act.publishings:
        for taken in publishing.taken:
            arrived = at.get((taken.letter.place.office, taken.reference))
            if arrived is not None:
                yield taken, (arrived.astimezone(UTC) - taken.sent_at).total_seconds()


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank; 0 of nothing."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * share) - 1)] if ranked else 0.0
