"""Processes that die: at a crash point, again and again, and all at once."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import partial

from hub.fuse import CrashPoint
from hub.gameday.council import LONG, SLOW, TIMEOUT
from hub.gameday.network import RigFailed
from hub.gameday.processes import ALL, INTAKE, Process
from hub.gameday.rig import MARGIN
from hub.gameday.scenario import IN_FLIGHT, Act, Doubts, Scenario, Strike, scenario
from hub.model import ReplaySafety

_REACHED_WITHIN = timedelta(seconds=45)
#: Where one process has it all, this many away over all classes are enough in each of them.
_AWAY_ALONE = 7 * IN_FLIGHT
ENOUGH = IN_FLIGHT + 10  #: a few of them come home before it strikes


def await_death(act: Act, armed: Process) -> None:
    """Wait until it dies at its crash point; stop the others where they stand, count, and kill them too.

    Whatever was under way anywhere is hit, so every class is.
    """
    if not armed.died_within(_REACHED_WITHIN):
        raise RigFailed(f"{armed.name} never came to {armed.extra['HUB_CRASH_POINT']}.")
    workers = act.rig.processes.workers
    for worker in workers:
        worker.freeze()
    act.note_fault()
    act.kill(workers)


def armed(point: CrashPoint, *, least: int) -> dict[str, str]:
    # A short tick: it joins late, and must get its share of what becomes free.
    return {"HUB_CRASH_POINT": f"{point.value}:{least}", "HUB_TICK": "0.1s"}


def _at(point: CrashPoint) -> Strike:
    def strike(act: Act) -> None:
        processes = act.rig.processes
        act.behave("slow", seconds=LONG)
        if act.rig.servers.embedded:
            processes.by_name[ALL].stop()
            one = processes.start(ALL, extra=armed(point, least=_AWAY_ALONE))
            act.steadily()
        else:
            processes.by_name["worker-2"].stop()
            one = processes.start("worker-2", extra=armed(point, least=IN_FLIGHT))
            one.freeze()
            act.steadily()
            # It joins once enough is away everywhere, and dies when it has its own share of it.
            act.until_in_sending(ENOUGH)
            one.thaw()
        await_death(act, one)
        processes.whole(act.rig.names)

    return strike


def _kill_at(point: CrashPoint, what: str) -> Scenario:
    name = f"sigkill-{point.value.replace('_', '-')}"
    return scenario(name, what, embedded=True, doubts=Doubts.MUST)(_at(point))


AFTER_CLAIM = _kill_at(CrashPoint.AFTER_CLAIM, "a worker dies when it has claimed and sent nothing")
BEFORE_SEND = _kill_at(CrashPoint.BEFORE_SEND, "a worker dies when `sending` is committed and no byte has left")
AFTER_SEND = _kill_at(CrashPoint.AFTER_SEND, "a worker dies when the bytes have left and no answer came")
BEFORE_CONCLUDE = _kill_at(CrashPoint.BEFORE_CONCLUDE, "a worker dies when it knows the answer and has not kept it")


@scenario(
    "sigkill-after-commit-before-bell",
    "intake dies when a submission is kept, and neither its 202 nor its bell is out",
    embedded=True,
)
def before_bell(act: Act) -> None:
    processes = act.rig.processes
    name = ALL if act.rig.servers.embedded else INTAKE
    act.behave("slow", seconds=SLOW)
    processes.by_name[name].stop()
    half = act.many * len(act.places) // 2
    one = processes.start(name, extra=armed(CrashPoint.AFTER_COMMIT_BEFORE_BELL, least=half))
    act.steadily()
    if not one.died_within(_REACHED_WITHIN):
        raise RigFailed("Intake never came to the bell.")
    act.note_fault()
    processes.whole(act.rig.names)


@scenario("repeated-kills", "the workers are killed three times in the middle of it", embedded=True, doubts=Doubts.MUST)
def repeated_kills(act: Act) -> None:
    act.behave("slow", seconds=SLOW)
    act.stream()
    for _ in range(3):
        workers = act.rig.processes.workers
        act.note_fault(act.freeze_in_the_middle(workers))
        act.kill(workers)
        act.rig.processes.whole(act.rig.names)


@scenario(
    "kill-both-workers",
    "both workers are killed at once, and come back after two seconds",
    brief=False,
    doubts=Doubts.MUST,
)
def kill_both(act: Act) -> None:
    act.behave("slow", seconds=SLOW)
    act.stream()
    workers = act.rig.processes.workers
    act.note_fault(act.freeze_in_the_middle(workers))
    act.kill(workers)
    time.sleep(2)
    act.rig.processes.whole(act.rig.names)
    act.checks.append(partial(_repeated_in_time, restarted_at=datetime.now(UTC)))


def _repeated_in_time(act: Act, *, restarted_at: datetime) -> None:
    """What may be repeated is there within lease and margin of the restart."""
    allowed = timedelta(seconds=TIMEOUT) + 2 * MARGIN
    repeatable = (ReplaySafety.IDEMPOTENT, ReplaySafety.REJECTS_DUPLICATES)
    hit = [case for case in act.cases if case.doubtful and act.rig.places[case.destination].safety in repeatable]
    last = max((case.attempts[-1].ended_at for case in hit), default=restarted_at)
    after = last - restarted_at
    act.told["repeated_within"] = round(after.total_seconds(), 1)
    if after > allowed:
        act.wrong.append(f"the last repeat came {after.total_seconds():.1f} s after the restart, not within {allowed}")
