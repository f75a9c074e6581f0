"""A disk that is full."""

from __future__ import annotations

import resource
import time

from hub.gameday.council import SLOW
from hub.gameday.processes import ALL
from hub.gameday.readiness import expect_not_ready
from hub.gameday.scenario import Act, scenario

FULL_FOR = 5.0  #: seconds
_ROOM = 4096  #: bytes that a file may have while the disk is full


@scenario(
    "disk-full",
    "the disk is full for five seconds: nothing can be kept, and nothing that was answered 202 is lost",
    spread=False,
    embedded=True,
    each_class=False,
)
def disk_full(act: Act) -> None:
    act.behave("slow", seconds=SLOW)
    publishing = act.publish()
    act.until_away(20)
    pid = act.rig.processes.by_name[ALL].popen.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (_ROOM, before[1]))
    act.note_fault()
    time.sleep(FULL_FOR / 2)
    expect_not_ready(act)
    time.sleep(FULL_FOR / 2)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    publishing.wait()
    act.told["answered_503"] = publishing.statuses[503]
    if not publishing.statuses[503]:
        act.wrong.append("nobody was answered 503 while the disk was full")
