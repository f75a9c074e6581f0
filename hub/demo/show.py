"""Plays the demo for whoever asked: a person, a script, or a check."""

from __future__ import annotations

import json
import signal
import sys
import time
from datetime import date, timedelta
from types import FrameType

from hub.demo.judge import failures
from hub.demo.stage import Stage, set_up
from hub.demo.story import Played, Story
from hub.demo.telling import Telling

WITHIN = timedelta(seconds=120)


class _Told(BaseException):
    """SIGTERM or SIGINT: not an error, and nothing may catch it on the way to the end."""


def show(*, once: bool, as_json: bool, port: int, today: date) -> int:
    """The whole demo. 0 when all arrived as expected, and when somebody ended it; 1 when not."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _tell_to_stop)
    began = time.monotonic()
    try:
        with set_up(port=port, mended=as_json and not once) as stage:
            if as_json and not once:
                _say(_ready(stage))
                _stay()
            return _play(stage, once=once, as_json=as_json, today=today, deadline=began + WITHIN.total_seconds())
    except _Told:
        return 0 if not once else 1


def _play(stage: Stage, *, once: bool, as_json: bool, today: date, deadline: float) -> int:
    telling = Telling(sys.stderr if as_json else sys.stdout)
    telling.begin(stage)
    played = Story(stage, today=today, tell=telling.act, deadline=deadline).play()
    wrong = failures(played)
    if as_json:
        _say(_account(played))
    else:
        telling.arrived(played)
    telling.verdict(wrong)
    if not once:
        telling.where_next(stage, today=today)
        _stay()
    return 1 if wrong else 0


def _ready(stage: Stage) -> dict[str, object]:
    return {
        "hub": stage.hub,
        "keys": dict(stage.keys),
        "user_token": stage.user_token,
        "simulators": [simulator.as_dict() for simulator in stage.simulators.values()],
    }


def _account(played: Played) -> dict[str, object]:
    return {"submissions": [sent.as_dict() for sent in played.all()], "ledgers": played.ledgers}


def _say(data: object) -> None:
    sys.stdout.write(json.dumps(data, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _stay() -> None:
    """Until somebody ends it."""
    while True:
        signal.pause()


def _tell_to_stop(_: int, __: FrameType | None) -> None:
    # Once is enough: a second signal must not break off the ending of our children.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise _Told
