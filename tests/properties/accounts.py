"""What must hold after every transaction, and after every act: an auditor who looks at the rows from outside."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from hub.core.bulk import ItemState
from hub.core.lifecycle import may_follow
from hub.errors import STORE_AWAY, LeaseLost
from hub.model import ReplaySafety, StepKind, StepState
from hub.store.attempts import Conclude, Sending
from hub.store.bulk import Tally
from hub.store.claims import Claim
from tests.properties import clock
from tests.properties.office import Office

S = StepState
T = TypeVar("T")

_STEPS = """
    SELECT step.*, delivery.kind AS of_kind, delivery.route, delivery.item_index, delivery.generation
    FROM step JOIN delivery ON delivery.id = step.delivery ORDER BY step.id
"""
_FREE = frozenset({STORE_AWAY, "later", "mapping"})  #: fault codes that use no attempt
_ENDED = frozenset({S.DELIVERED, S.DEAD, S.DISCARDED})
_ONE_ROW = frozenset({ReplaySafety.IDEMPOTENT, ReplaySafety.REJECTS_DUPLICATES})


class Accounts:
    """Looks at every transaction. What it finds wrong is kept in `broken`: rooms may catch what they like."""

    def __init__(self, path: str) -> None:
        self.outside = clock.reader(path)
        self.offices: dict[str, Office] = {}
        self.steps: dict[str, sqlite3.Row] = {}
        self.used: dict[str, int] = {}  #: attempts used when each attempt was claimed
        self.decisions: Counter[str] = Counter()  #: times that a person had a doubtful step sent again
        self.told: set[str] = set()  #: steps that a person said are delivered
        self.person: str | None = None  #: the verb of a person who is at work
        self.taken: Counter[tuple[StepState, StepState]] = Counter()  #: arrows
        self.broken: AssertionError | None = None

    def close(self) -> None:
        self.outside.close()

    def ask(self, query: str, *given: Any) -> list[sqlite3.Row]:
        return self.outside.execute(query, given).fetchall()

    def state(self, step: str) -> StepState:
        return S(self.steps[step]["state"])

    def check(self) -> None:
        if self.broken is not None:
            raise self.broken

    def watched(self, transaction: Callable[[], T], *, thought: Any = None) -> T:
        """Run a transaction and look at what it changed."""
        try:
            return self._watched(transaction, thought)
        except AssertionError as wrong:
            self.broken = self.broken or wrong
            raise

    def _watched(self, transaction: Callable[[], T], thought: Any) -> T:
        before = self.steps
        stale = isinstance(thought, Conclude | Sending) and before[thought.step]["lease_token"] != thought.token
        if isinstance(thought, Conclude):
            self._attempts_of(thought)
        try:
            result = transaction()
        except LeaseLost:
            self._look()
            assert self.steps == before, "a stale token changed something"
            raise
        self._look()
        assert not stale, "a stale token was taken"
        for step, row in self.steps.items():
            if step not in before:
                assert row["state"] == S.QUEUED, "a step begins in the queue"
            elif row != before[step]:
                self._changed(before[step], row, concluded=isinstance(thought, Conclude))
        if isinstance(result, Claim):
            self._claimed(result)
        return result

    def _look(self) -> None:
        found = {row["id"]: row for row in self.ask(_STEPS)}
        if found != self.steps:
            self.steps = found

    # One step, before and after.

    def _changed(self, before: sqlite3.Row, after: sqlite3.Row, *, concluded: bool) -> None:
        was, now = S(before["state"]), S(after["state"])
        assert was is now or may_follow(was, now), f"{was} -> {now}"
        assert after["lease_token"] >= before["lease_token"], "a token went back"
        self._shape(after)
        self.taken[was, now] += was is not now
        used = after["attempts_used"] - before["attempts_used"]
        if not concluded and after["attempts_used"]:
            assert used == 0 or (used == 1 and was is S.SENDING) or (used <= 0 and was is S.UNCLEAR), "an attempt"
        if was in (S.UNCLEAR, S.DISCARDED) and now is S.QUEUED and self.person is not None:
            self._decided(after)
        if was is S.UNCLEAR and now is S.DELIVERED and self.person is not None:
            self.told.add(after["id"])

    def _shape(self, row: sqlite3.Row) -> None:
        """A step's columns agree with its state."""
        state, place = S(row["state"]), f"{row['kind']} {row['state']}"
        if state is S.QUEUED:
            assert (row["due_at"] is None) != (row["behind"] is None), f"{place}: due and behind"
        if state is S.SENDING:
            assert row["lease_until"] and row["worker"], place
        if state in _ENDED:
            assert row["due_at"] is None and row["lease_until"] is None and row["behind"] is None, place
        if state is S.DISCARDED:
            assert row["reason"], f"{place}: no reason"
        if state is S.UNCLEAR and row["due_at"]:
            assert row["settled_at"], f"{place}: it is looked for, and never settled"

    def _decided(self, row: sqlite3.Row) -> None:
        """A person had something sent again that may be there; that has to stand in the audit."""
        if self.person == "bulk":
            operation = self.ask("SELECT * FROM operation WHERE id = ?", row["operation"])[0]
            if not (operation["include_unsafe"] and operation["approved_by"]):
                return
        verbs = "('replay', 'resolve')"
        found = self.ask(f"SELECT count(*) FROM audit WHERE subject = ? AND verb IN {verbs}", row["delivery"])[0][0]
        self.decisions[row["id"]] += 1
        assert found >= self.decisions[row["id"]], "a decision that is not recorded"

    # What each kind of transaction may do.

    def _attempts_of(self, thought: Conclude) -> None:
        """Waiting, looking and what is the hub's own fault use no attempt."""
        look = thought.before is S.UNCLEAR
        free = look or thought.fault_code in _FREE or thought.outcome == "misconfigured"
        assert thought.attempts_used == self.used[thought.attempt] + (not free), thought.outcome

    def _claimed(self, claim: Claim) -> None:
        for one in claim.claimed:
            self.used[one.attempt] = one.attempts_used
        if claim.claimed:
            probes = Counter(one.call for one in claim.claimed if one.probe)
            assert all(number == 1 for number in probes.values()), "two probes of one operation"
            self._cap(claim.claimed[0].destination)

    def _cap(self, destination: str) -> None:
        now = clock.now()
        here = [row for row in self.steps.values() if row["destination"] == destination]
        away = [row for row in here if row["state"] == S.SENDING]
        looks = [row for row in here if row["state"] == S.UNCLEAR and (row["lease_until"] or "") > now]
        assert len(away) + len(looks) <= self.offices[destination].place.cap, "more in flight than its cap"

    # What arrives at an office.

    def arrives(self, step: str, kind: StepKind) -> None:
        """A write has arrived: was it allowed to?"""
        try:
            self._arrives(step, kind)
        except AssertionError as wrong:
            self.broken = self.broken or wrong

    def _arrives(self, step: str, kind: StepKind) -> None:
        row = self.steps[step]
        office = self.offices[row["destination"]]
        rows = len(office.of(step))
        if office.safety(kind.value) not in _ONE_ROW:
            assert rows <= self.decisions[step], f"{kind} {office.safety(kind.value)}: number {rows + 1}"
        if kind is StepKind.CREATE:
            return
        case = self._case_of(row)
        by_hand = row["lane"] == "replay"  # KNOWN: nothing keeps a person from sending a note without its case
        assert case["state"] == S.DELIVERED or by_hand, f"{kind} was sent, and its case is {case['state']}"
        if kind is not StepKind.ATTACH:
            self._in_order(row)

    def _case_of(self, row: sqlite3.Row) -> sqlite3.Row:
        return next(one for one in self.steps.values() if one["kind"] == StepKind.CREATE and same_case(one, row))

    def _in_order(self, row: sqlite3.Row) -> None:
        """Those before it are done. What a person has queued again goes when that person says."""
        before = [
            one
            for one in self.steps.values()
            if one["of_kind"] == "follow_up" and same_case(one, row) and one["delivery"] < row["delivery"]
        ]
        open_ = [one for one in before if S(one["state"]) not in (S.DELIVERED, S.DISCARDED) and one["lane"] != "replay"]
        assert not open_ or row["lane"] == "replay", "a follow-up was sent before the one before it"

    # What holds between two acts.

    def totals(self) -> None:
        """No id in no state, and every sum adds up."""
        creates = Counter(row["delivery"] for row in self.steps.values() if row["position"] == 0)
        deliveries = [row["id"] for row in self.ask("SELECT id FROM delivery")]
        assert creates == Counter(deliveries), "a delivery has one step that makes it"
        for row in self.steps.values():
            behind = row["behind"]
            assert behind is None or S(self.steps[behind]["state"]) not in _ENDED - {S.DEAD}, "behind what is over"
        self._truth()
        for operation in self.ask("SELECT * FROM operation"):
            self._operation(operation)

    def _truth(self) -> None:
        """What is delivered is there; what is dead is not, but where a person has decided."""
        for step, row in self.steps.items():
            office, state = self.offices[row["destination"]], S(row["state"])
            if row["kind"] == StepKind.NUMBER or step in self.told:
                continue
            if state is S.DELIVERED:
                assert office.has(step), f"lost: {row['kind']} is delivered and not there"
            if state is S.DEAD and office.safety(row["kind"]) not in _ONE_ROW:
                assert not office.has(step) or self.decisions[step], f"{row['kind']} is dead, and it is there"

    def _operation(self, row: sqlite3.Row) -> None:
        items = self.ask("SELECT destination, state, count(*) FROM operation_item WHERE operation = ? GROUP BY 1, 2",
                         row["id"])  # fmt: skip
        counted = Tally(clock.json.loads(row["counts"] or "{}"))
        told = {(place, state): n for place, states in counted.by_destination.items() for state, n in states.items()}
        assert told == {(place, state): n for place, state, n in items}, "an operation's account does not add up"
        if row["ended_at"]:
            assert counted.of(ItemState.PENDING, ItemState.QUEUED) == 0, "it has ended, and not all of it"


def same_case(one: sqlite3.Row, other: sqlite3.Row) -> bool:
    return all(one[key] == other[key] for key in ("order_key", "destination", "route", "item_index", "generation"))
