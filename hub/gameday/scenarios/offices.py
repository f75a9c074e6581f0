"""Back offices that are slow, never answer, or answer to nobody."""

from __future__ import annotations

from datetime import timedelta

from hub.gameday.council import CAP, SLOW
from hub.gameday.scenario import Act, Doubts, scenario
from hub.model import ReplaySafety

#: Before it is seen by a look: after the first look, and before the case counts as settled.
LATE = 1.6
NEVER_CLEAR = 2_000  #: of those that can be looked up


@scenario("slow", "every back office takes two seconds for each call", brief=False, embedded=True)
def slow(act: Act) -> None:
    act.behave("slow", seconds=SLOW)
    act.stream()
    act.note_fault(act.until_in_sending())


@scenario("drip", "answers come a byte a second, and are cut off", brief=False, embedded=True, doubts=Doubts.MUST)
def drip(act: Act) -> None:
    act.behave("drip", times=CAP, seconds=1.0)
    act.stream()
    act.note_fault(act.until_in_sending())


@scenario(
    "timeout", "requests are read, nothing is made, no answer comes", brief=False, embedded=True, doubts=Doubts.MUST
)
def timeout(act: Act) -> None:
    act.behave("timeout", times=CAP)
    act.stream()
    act.note_fault(act.until_in_sending())


@scenario(
    "commit-then-timeout",
    "every case is made, and no answer comes",
    embedded=True,
    doubts=Doubts.MUST,
    patience=timedelta(minutes=4),
)
def commit_then_timeout(act: Act) -> None:
    act.behave("commit_then_timeout", times=act.many)
    act.stream()
    act.note_fault(act.until_in_sending())
    asked = [place for place in act.places if place.safety is ReplaySafety.LOOKUP and not act.short]
    if asked:
        # Never a clear answer, however often: whoever can be asked needs no person.
        act.rig.behave(asked, "commit_then_timeout", times=NEVER_CLEAR)
        act.publish(places=asked, many=NEVER_CLEAR - act.many)
        act.until_settled(timedelta(minutes=4))  # the fault lasts until all of them have met it


@scenario("commit-then-drop", "every case is made, and the line is cut", brief=False, embedded=True, doubts=Doubts.MUST)
def commit_then_drop(act: Act) -> None:
    _drop(act)


@scenario(
    "late-lookup", "a case that was made is found only after a while", embedded=True, doubts=Doubts.MUST, ours=True
)
def late_lookup(act: Act) -> None:
    act.rig.be_late(act.places, LATE)
    _drop(act)


def _drop(act: Act) -> None:
    """The line is cut at once, so calls pile up first at offices that are held, or slow where they cannot be."""
    act.behave("commit_then_drop", times=act.many)
    held = act.rig.hold(act.places)
    if not held:
        act.behave("slow", seconds=SLOW)
    act.stream()
    act.note_fault(act.until_in_sending())
    if held:
        act.rig.release()
    else:
        act.behave("commit_then_drop", times=act.many)
