"""Whatever happens, in whatever order: nothing is lost, nothing is there twice, and all is accounted for."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hub.core.bulk import OperationKind
from hub.model import ReplaySafety, StepKind, StepState
from hub.store import schema
from hub.store.store import Store
from tests.properties.extent import LONG_ENOUGH, extent
from tests.properties.office import SETTLES, Fate, Place
from tests.properties.standing import standings, statuses
from tests.properties.world import VERBS, World, empty, fresh_store, heard

PICK = st.integers(0, 11)
PLACE = st.integers(0, 1)
FATES = st.sampled_from(Fate)
SECONDS = st.sampled_from([1.0, 4.0, 15.0, 61.0, 90.0, 700.0, 8_000.0])
PLACES = st.builds(
    Place,
    safety=st.sampled_from(ReplaySafety),
    later=st.sampled_from(ReplaySafety),
    cap=st.integers(1, 3),
    slow=st.booleans(),
    settle=st.sampled_from(SETTLES),
    checks=st.booleans(),
    numbers=st.booleans(),
    breaker=st.booleans(),
)
STATES = st.lists(st.sampled_from([StepState.DEAD, StepState.DISCARDED, StepState.QUEUED, StepState.UNCLEAR,
                                   StepState.DELIVERED]), min_size=1, max_size=3)  # fmt: skip


class Hub(RuleBasedStateMachine):
    """Two workers, one or two offices, people, and everything that can go wrong."""

    store: Store
    path: Path

    def __init__(self) -> None:
        super().__init__()
        self.hearing = heard()
        self.errors = self.hearing.__enter__()
        self.world: World | None = None
        self.seen: Any = None

    @property
    def here(self) -> World:
        assert self.world is not None
        return self.world

    @initialize(places=st.lists(PLACES, min_size=1, max_size=2))
    def begin(self, places: list[Place]) -> None:
        empty(self.store)
        self.world = World(self.store, self.path, places)
        self.world.publish([0, 1], parts=1, files=1)

    # What comes in.

    @rule(at=st.lists(PLACE, min_size=1, max_size=2, unique=True), parts=st.integers(1, 2), files=st.integers(0, 2))
    def publish(self, at: list[int], parts: int, files: int) -> None:
        self.here.publish(at, parts=parts, files=files)

    @rule(about=PICK, kind=st.sampled_from([StepKind.UPDATE, StepKind.UPDATE, StepKind.CANCEL]))
    def say(self, about: int, kind: StepKind) -> None:
        self.here.say(about, kind)

    # What the processes do.

    @rule(by=PLACE)
    def tick(self, by: int) -> None:
        self.here.processes[by].tick()

    @rule(pick=PICK, fate=FATES, gates=st.integers(1, 4))
    def answer(self, pick: int, fate: Fate, gates: int) -> None:
        self.here.answer(pick, fate, gates=gates)

    @rule(by=PLACE, fate=FATES)
    def work(self, by: int, fate: Fate) -> None:
        self.here.processes[by].tick()
        self.here.flow(fate)

    @rule(seconds=SECONDS, frozen=st.sets(PLACE))
    def pass_time(self, seconds: float, frozen: set[int]) -> None:
        self.here.pass_time(seconds, frozen=sorted(frozen))

    @rule(by=PLACE)
    def recover(self, by: int) -> None:
        self.here.processes[by].recover()

    @rule(by=PLACE)
    def probe(self, by: int) -> None:
        self.here.processes[by].probe()

    # What goes wrong.

    @rule(which=PLACE)
    def kill(self, which: int) -> None:
        self.here.kill(which)

    @rule(which=PLACE, seconds=SECONDS)
    def lose_a_worker(self, which: int, seconds: float) -> None:
        """It dies, its leases run out, and the other one takes them back."""
        self.here.kill(which)
        self.here.pass_time(90.0)
        self.here.processes[1 - which].recover()

    @rule(which=PLACE)
    def freeze(self, which: int) -> None:
        """It stands still for so long that its leases are taken back; then it goes on."""
        self.here.pass_time(90.0, frozen=[which])
        self.here.processes[1 - which].recover()

    @rule(which=PLACE, away=st.booleans())
    def cut_off(self, which: int, away: bool) -> None:
        self.here.processes[which].desk.cut_off = away

    @rule(which=PLACE, fault=st.sampled_from(["before", "after"]))
    def hiccup(self, which: int, fault: str) -> None:
        self.here.processes[which].desk.faults.append(fault)

    @rule(place=PLACE, call=st.sampled_from(["case", "case", "file", "note"]))
    def trip(self, place: int, call: str) -> None:
        self.here.trip(place, call)

    @rule(place=PLACE, well=st.booleans())
    def key(self, place: int, well: bool) -> None:
        self.here.offices[place % len(self.here.offices)].key_is_well = well

    # What people do.

    @rule(pick=PICK, verb=st.sampled_from(VERBS))
    def person(self, pick: int, verb: str) -> None:
        self.here.person(pick, verb)

    @rule(place=PLACE)
    def pause(self, place: int) -> None:
        self.here.pause(place)

    @rule(place=PLACE)
    def resume(self, place: int) -> None:
        self.here.resume(place)

    @rule(place=PLACE, seconds=SECONDS)
    def close(self, place: int, seconds: float) -> None:
        self.here.close(place, seconds)

    @rule(kind=st.sampled_from(OperationKind), states=STATES, unsafe=st.booleans(),
          canary=st.sampled_from([None, 1, 2]))  # fmt: skip
    def draft(self, kind: OperationKind, states: list[StepState], unsafe: bool, canary: int | None) -> None:
        self.here.draft(kind, states, unsafe=unsafe, canary=canary)

    @rule(pick=PICK, verb=st.sampled_from(["start", "start", "pause", "resume", "cancel"]))
    def steer(self, pick: int, verb: str) -> None:
        self.here.steer(pick, verb)

    @rule(dies_after=st.sampled_from([None, 1, 2]))
    def turn(self, dies_after: int | None) -> None:
        self.here.turn(dies_after=dies_after)

    # What always holds.

    @invariant()
    def all_is_accounted_for(self) -> None:
        if self.world is None:
            return
        self.world.accounts.check()
        self.world.accounts.totals()
        if self.world.accounts.steps is not self.seen:
            standings(self.world.store)
            self.seen = self.world.accounts.steps
        assert not self.errors, self.errors[0]

    def teardown(self) -> None:
        try:
            if self.world is not None:
                self._end(self.world)
        finally:
            self.hearing.__exit__(None, None, None)

    def _end(self, world: World) -> None:
        try:
            if world.accounts.broken is None and not self.errors:
                statuses(world.store, world.submissions)
                world.heal()
                self.all_is_accounted_for()
                statuses(world.store, world.submissions)
        finally:
            world.end()


Hub.TestCase.settings = extent(60)


@LONG_ENOUGH
class TestWhateverHappens(Hub.TestCase):  # type: ignore[misc, name-defined]
    """No path from delivered to a second create; no id in no state; totals that add up."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder: Any = tempfile.TemporaryDirectory()
        Hub.path = Path(cls.folder.name) / "hub.db"
        Hub.store = fresh_store(Hub.path.parent)
        schema.upgrade(Hub.store.writing)

    @classmethod
    def tearDownClass(cls) -> None:
        Hub.store.close()
        cls.folder.cleanup()
