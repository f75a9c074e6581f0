"""Bulk replays that are killed, and forgetting that is killed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from hub.fuse import CrashPoint
from hub.gameday.council import LONG, SLOW
from hub.gameday.network import RigFailed
from hub.gameday.scenario import IN_FLIGHT, Act, Doubts, scenario
from hub.gameday.scenarios.kills import ENOUGH, armed, await_death
from hub.model import StepState
from hub.store import bulk, retention, tables
from hub.store.ids import first_id
from hub.store.retention import Stage

FAST = 400.0  #: a second: what is looked at is the list, not the pace
RATE = 50.0  #: a second
LIST = 2_000  #: items of the one that is killed while it runs
_ENDED_WITHIN = timedelta(seconds=120)
_STAGES = 1.1  #: of a list: a little more than one
_OPEN = ("pending", "queued")


@scenario(
    "sigkill-mid-operation",
    "the worker that runs a bulk replay dies between two of its transactions",
    embedded=True,
    doubts=Doubts.MUST,
)
def mid_operation(act: Act) -> None:
    _dead_letters(act, many=act.many // 2)
    operation = _draft(act, rate=FAST)
    _until(act, operation, lambda told: told["state"] == "ready", what="ready")
    _arm_all(act)
    act.behave("slow", seconds=LONG)
    act.steadily()
    act.until_in_sending(ENOUGH)
    _ask(act, "POST", f"{operation}/start")
    await_death(act, _first_to_die(act))
    act.rig.processes.whole(act.rig.names)
    _account_for(act, operation)


@scenario(
    "bulk-replay-killed-in-marking",
    "the worker that makes the list of a bulk replay dies over it",
    brief=False,
    embedded=True,
    doubts=Doubts.MUST,
)
def in_marking(act: Act) -> None:
    # More than one stage of the list, of which the first is made while its author waits.
    _dead_letters(act, many=max(act.many, int(_STAGES * bulk.BATCH / len(act.places))))
    _arm_all(act)
    act.behave("slow", seconds=LONG)
    act.steadily()
    act.until_in_sending(ENOUGH)
    operation = _draft(act, rate=FAST)
    await_death(act, _first_to_die(act))
    act.rig.processes.whole(act.rig.names)
    _until(act, operation, lambda told: told["state"] == "ready", what="ready")
    _ask(act, "POST", f"{operation}/start")
    _account_for(act, operation)


@scenario(
    "bulk-replay-killed-in-running",
    "every worker is killed three times while a bulk replay runs at its rate",
    brief=False,
    embedded=True,
    doubts=Doubts.MUST,
    each_class=False,
)
def in_running(act: Act) -> None:
    _dead_letters(act, many=act.many if act.short else LIST // len(act.places))
    act.behave("slow", seconds=SLOW)
    operation = _draft(act, rate=RATE)
    _until(act, operation, lambda told: told["state"] == "ready", what="ready")
    _ask(act, "POST", f"{operation}/start")
    for _ in range(3):
        workers = act.rig.processes.workers
        act.note_fault(act.freeze_when(workers, lambda found: found.total() >= 2 * IN_FLIGHT))
        act.kill(workers)
        act.rig.processes.whole(act.rig.names)
    _account_for(act, operation)
    act.checks.append(_kept_to_its_rate)


def _dead_letters(act: Act, *, many: int | None = None) -> None:
    """Everything is refused, and waits for a person."""
    act.behave("refuse")
    act.publish(many=many)
    act.until_settled()
    act.behave("ok")


def _draft(act: Act, *, rate: float) -> str:
    wish = {
        "kind": "replay",
        "filter": {
            "state": [StepState.DEAD.value],
            "council": act.places[0].council,
            "since": act.began_at.isoformat(),
        },
        "reason": "They take them again.",
        "rate": rate,
    }
    return f"/v1/operations/{_ask(act, 'POST', '/v1/operations', wish)['id']}"


def _ask(act: Act, method: str, path: str, body: object | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = act.rig.ask(method, path, body)
    return answer


def _arm_all(act: Act) -> None:
    """Whoever has the job dies over it."""
    processes = act.rig.processes
    names = [worker.name for worker in processes.workers]
    for name in names:
        processes.by_name[name].ask_to_stop()
    for name in names:
        processes.by_name[name].stop()
        processes.start(name, extra=armed(CrashPoint.MID_OPERATION, least=0), wait=False)
    for name in names:
        processes.ready(processes.by_name[name])


def _first_to_die(act: Act) -> Any:
    until = time.monotonic() + 30
    workers = act.rig.processes.workers
    while time.monotonic() < until:
        for worker in workers:
            if not worker.alive:
                return worker
        time.sleep(0.002)
    raise RigFailed("No worker came to the middle of the operation.")


def _until(act: Act, operation: str, fits: Callable[[dict[str, Any]], bool], *, what: str) -> dict[str, Any]:
    until = time.monotonic() + _ENDED_WITHIN.total_seconds()
    while not fits(told := _ask(act, "GET", operation)):
        if time.monotonic() > until:
            raise RigFailed(
                f"The operation was not {what} in {_ENDED_WITHIN}; it is {told['state']}, {told['counts']}."
            )
        time.sleep(0.2)
    return told


def _account_for(act: Act, operation: str) -> None:
    """It ends by itself, and every item has an account."""

    def ended(told: dict[str, Any]) -> bool:
        if told["state"] == "paused":
            raise RigFailed(f"The operation paused itself: {told['why']}")
        return told["state"] == "done" and not any(told["counts"].get(state) for state in _OPEN)

    told = _until(act, operation, ended, what="done")
    counts = {state: count for state, count in told["counts"].items() if count}
    act.told["operation"] = counts
    listed = len(act.publishings[0].letters)
    if sum(counts.values()) != listed or told["progress"]["total"] != listed:
        act.wrong.append(f"the operation accounts for {sum(counts.values())} of {listed} items: {counts}")


def _kept_to_its_rate(act: Act) -> None:
    """No second at the back offices saw more than the rate and one."""
    arrived = sorted(
        datetime.fromisoformat(row["received_at"].replace("Z", "+00:00"))
        for rows in act.rig.ledgers().values()
        for row in rows
    )
    most = busiest_second(arrived)
    act.told["busiest_second"] = most
    if most > RATE + 1:
        act.wrong.append(f"{most} arrived within one second, at a rate of {RATE:.0f}")


def busiest_second(arrived: Sequence[datetime]) -> int:
    """The most arrivals within any one second."""
    first, most = 0, 0
    for last, at in enumerate(arrived):
        while at - arrived[first] >= timedelta(seconds=1):
            first += 1
        most = max(most, last - first + 1)
    return most


@scenario(
    "sigkill-mid-retention",
    "a worker dies in the middle of forgetting, and another forgets while the rest is on its way",
    doubts=Doubts.MUST,
)
def mid_retention(act: Act) -> None:
    processes = act.rig.processes
    act.publish(many=max(1, act.many // 3))
    act.until_settled()
    time.sleep(1)  # what has just been delivered is old enough to be forgotten
    processes.by_name["worker-2"].stop()
    act.behave("slow", seconds=LONG)
    act.steadily()
    act.until_in_sending(ENOUGH)
    _forgetting_is_due(act, since=act.began_at)
    forgets = {"HUB_RETENTION_CONTENT": "1s", "HUB_RETENTION_EVIDENCE": "1s"}
    one = processes.start("worker-2", extra={**armed(CrashPoint.MID_RETENTION, least=0), **forgets}, wait=False)
    await_death(act, one)
    before = _forgotten(act)
    _forgetting_is_due(act, since=act.began_at)
    processes.start("worker-2", extra=forgets)
    processes.whole(act.rig.names, spare="worker-2")
    act.until_settled()
    act.told["forgotten"] = _forgotten(act)
    if before or not act.told["forgotten"]:
        act.wrong.append(f"{before} contents were forgotten by the one that died, {act.told['forgotten']} in the end")


def _forgetting_is_due(act: Act, *, since: datetime) -> None:
    """Due now, and begun with what this scenario has made."""
    row, first = tables.job.c, first_id(since)
    with act.rig.servers.engine.begin() as connection:
        connection.execute(
            sa.update(tables.job)
            .where(row.name == retention.NAME)
            .values(due_at=since, lease_until=None, state=dict.fromkeys((Stage.EVIDENCE, Stage.CONTENT), first))
        )


def _forgotten(act: Act) -> int:
    content, submission = tables.submission_content.c, tables.submission.c
    query = (
        sa.select(sa.func.count())
        .select_from(tables.submission_content)
        .join(tables.submission, submission.id == content.submission)
        .where(submission.front_end_reference.startswith(act.mark, autoescape=True), content.body.is_(None))
    )
    with act.rig.servers.engine.connect() as connection:
        return int(connection.execute(query).scalar_one())
