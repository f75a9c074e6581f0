"""Every fault that is rehearsed, in the order it is told."""

from __future__ import annotations

from hub.gameday.scenario import Scenario
from hub.gameday.scenarios import broker, bulk, database, disk, kills, neighbour, offices, workers

ALL: dict[str, Scenario] = {
    each.name: each
    for each in (
        kills.AFTER_CLAIM,
        kills.BEFORE_SEND,
        kills.AFTER_SEND,
        kills.BEFORE_CONCLUDE,
        kills.before_bell,
        bulk.mid_operation,
        bulk.mid_retention,
        kills.repeated_kills,
        kills.kill_both,
        broker.stop_and_start,
        broker.half_open,
        database.restart,
        database.terminate,
        database.exhaustion,
        offices.slow,
        offices.drip,
        offices.timeout,
        offices.commit_then_timeout,
        offices.commit_then_drop,
        offices.late_lookup,
        workers.race,
        workers.clock,
        broker.storm,
        disk.disk_full,
        workers.upgrade,
        bulk.in_marking,
        bulk.in_running,
        neighbour.noisy_neighbour,
    )
}
