"""What a scenario is, what it may do to the rig, and what it must have shown to count."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from hub.gameday import counting
from hub.gameday.council import Place, body
from hub.gameday.counting import Case
from hub.gameday.network import RigFailed
from hub.gameday.processes import Process
from hub.gameday.publisher import Letter, Publishing
from hub.gameday.rig import Rig

IN_FLIGHT = 20  #: attempts that must be in `sending` when the fault strikes, or it proves nothing
_PATIENCE = timedelta(seconds=60)  #: until enough is under way
STEADY = 120.0  #: submissions a second, over all classes
MANY = 300  #: submissions of each class


class Doubts(StrEnum):
    """Whether a scenario is meant to make unclear ones."""

    MUST = "must"
    MAY = "may"
    NEVER = "never"


@dataclass(slots=True, kw_only=True)
class Act:
    """One scenario under way on a rig."""

    rig: Rig
    mark: str
    places: Sequence[Place]  #: of the classes that take part
    many: int = MANY
    short: bool = False
    publishings: list[Publishing] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)  #: in `sending` at the fault, by destination
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    killed_at: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    wrong: list[str] = field(default_factory=list)  #: what this scenario itself found
    told: dict[str, object] = field(default_factory=dict)  #: what it measured besides
    checks: list[Callable[[Act], None]] = field(default_factory=list)  #: to be made once all has settled
    cases: Sequence[Case] = ()  #: what became of each, once all has settled

    def publish(
        self, *, many: int | None = None, places: Iterable[Place] | None = None, per_second: float | None = None,
        within: timedelta = timedelta(seconds=90),
    ) -> Publishing:  # fmt: skip
        """Begin to publish so many for each place, in turn; returns at once."""
        wanted = list(self.places if places is None else places)
        first = sum(len(each.letters) for each in self.publishings)
        letters = [
            Letter(place=place, body=body(place, mark=self.mark, number=first + number))
            for number in range(self.many if many is None else many)
            for place in wanted
        ]
        publishing = Publishing(
            letters=letters, url=self.rig.url, key=self.rig.key, within=within, per_second=per_second
        )
        self.publishings.append(publishing)
        return publishing.start()

    def steadily(self) -> Publishing:
        """Begin to publish at a pace that leaves room to send: with back offices that take long, calls begin and end at
        all times, and many are away everywhere whenever it is that a process comes to its crash point."""
        return self.publish(per_second=STEADY)

    def stream(self, *, spare: Collection[Process] = ()) -> Publishing:
        """Begin to publish, and let the workers send once half of it waits: as many are away as may be, at once.

        `spare` are left as they stand.
        """
        workers = [] if self.rig.servers.embedded else [one for one in self.rig.processes.workers if one not in spare]
        for worker in workers:
            worker.freeze()
        publishing = self.publish()
        if workers:
            publishing.reached(len(publishing.letters) // 2)
        for worker in workers:
            worker.thaw()
        return publishing

    def behave(self, mode: str, *, times: int | None = None, seconds: float | None = None) -> None:
        self.rig.behave(self.places, mode, times=times, seconds=seconds)

    def in_sending(self) -> Counter[str]:
        """By destination; without what an earlier kill left behind."""
        with self.rig.servers.engine.connect() as connection:
            return counting.in_sending(connection, since=self.mark, after=self.killed_at)

    def enough(self, found: Counter[str], least: int = IN_FLIGHT) -> bool:
        """At least so many at every place."""
        return all(found[place.id] >= least for place in self.places)

    def until_in_sending(self, least: int = IN_FLIGHT) -> Counter[str]:
        """Wait until at least so many are in `sending` at every place. Raises RigFailed when that does not come."""
        return self._until(lambda found: self.enough(found, least), what=f"{least} in `sending` at every place")

    def until_away(self, least: int) -> Counter[str]:
        """The same, over all places."""
        return self._until(lambda found: found.total() >= least, what=f"{least} in `sending`")

    def _until(self, fits: Callable[[Counter[str]], bool], *, what: str) -> Counter[str]:
        until = time.monotonic() + _PATIENCE.total_seconds()
        while not fits(found := self.in_sending()):
            if time.monotonic() > until:
                raise RigFailed(f"There were never {what}; last {dict(found)}.")
            time.sleep(0.02)
        return found

    def until_settled(self, within: timedelta = timedelta(seconds=90)) -> None:
        """Publish to the end, and wait until nothing more happens by itself."""
        for publishing in self.publishings:
            publishing.wait()
        until = time.monotonic() + within.total_seconds()
        while left := counting.under_way(self.rig.servers.engine, since=self.mark):
            if time.monotonic() > until:
                raise RigFailed(f"After {within.total_seconds():.0f} s {left} are still under way.")
            time.sleep(0.25)

    def kill(self, processes: Sequence[Process]) -> None:
        """SIGKILL all of these at once."""
        for process in processes:
            process.popen.kill()
        for process in processes:
            process.kill()
        self.killed_at = datetime.now(UTC)

    def note_fault(self, found: Counter[str] | None = None) -> None:
        """The fault has struck: count what was under way."""
        self.struck += self.in_sending() if found is None else found

    def freeze_in_the_middle(self, processes: Sequence[Process]) -> Counter[str]:
        """Stop these where they stand, at a moment when enough is under way at every place; count it."""
        return self.freeze_when(processes, self.enough)

    def freeze_when(self, processes: Sequence[Process], fits: Callable[[Counter[str]], bool]) -> Counter[str]:
        """Stop these where they stand, at a moment when what is under way fits; count it."""
        until = time.monotonic() + _PATIENCE.total_seconds()
        while True:
            self._until(fits, what="enough in `sending`")
            for process in processes:
                process.freeze()
            found = self.in_sending()
            if fits(found):
                return found
            if time.monotonic() > until:
                raise RigFailed("There were never enough in `sending` when it was looked for.")
            for process in processes:
                process.thaw()
            time.sleep(0.05)


Strike = Callable[[Act], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A fault, and what it has to show. `strike` returns when the fault is over and work goes on."""

    name: str
    what: str
    strike: Strike
    spread: bool = True  #: on PostgreSQL and RabbitMQ, in several processes
    embedded: bool = False  #: makes sense on SQLite in one process, too
    ours: bool = False  #: needs what only our own back offices can do
    doubts: Doubts = Doubts.MAY
    each_class: bool = True  #: enough must have been in `sending` at every class, not only over all
    own_places: bool = False  #: has places of its own, so one round of it says all
    brief: bool = True  #: belongs to the short form
    patience: timedelta = timedelta(seconds=90)  #: until nothing is under way, once the fault is over

    def fits(self, *, embedded: bool) -> bool:
        """Whether it says anything about such a hub. One that needs SQLite brings its own to a spread one."""
        return self.embedded if embedded else self.spread or self.embedded


def scenario(name: str, what: str, **more: object) -> Callable[[Strike], Scenario]:
    """Makes a scenario of a function that strikes."""

    def made(strike: Strike) -> Scenario:
        return Scenario(name=name, what=what, strike=strike, **more)  # type: ignore[arg-type]

    return made
