"""Every accepted id is in exactly one of delivered, waiting with a time, needs a person, discarded with a reason."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from hub.core.lifecycle import waiting
from hub.errors import LeaseLost, WrongState
from hub.model import Phase, ReplaySafety, Role, StepState, SubmissionStatus, User
from hub.operations import Operations
from hub.store import leases, submissions
from hub.store.attempts import Sending
from hub.store.claims import Claimed
from hub.store.ids import uuid7
from hub.store.store import Store
from hub.store.submissions import SubmissionView
from tests.stores import accept, claim, conclude, terms

ACTOR = User(id="u", name="tester", role=Role.ADMIN)
STEPS = 250


def standings(view: SubmissionView, *, now: datetime) -> list[str]:
    """Every way in which this submission is accounted for; there must be exactly one."""
    found = []
    if view.status is SubmissionStatus.DELIVERED:
        found.append("delivered")
    if view.status is SubmissionStatus.DISCARDED:
        found += ["discarded"] if all(delivery.reason for delivery in view.deliveries) else []
    if view.status is SubmissionStatus.NEEDS_ATTENTION:
        found.append("a person's")
    if view.status in (SubmissionStatus.ACCEPTED, SubmissionStatus.PARTLY_DELIVERED):
        found += ["waiting"] if all(_has_a_time(delivery, now) for delivery in view.deliveries) else []
    return found


def _has_a_time(view: submissions.DeliveryView, now: datetime) -> bool:
    if view.state is StepState.QUEUED:
        why = waiting(
            state=view.state,
            due_at=view.due_at,
            hold_reason=view.hold_reason,
            hold_until=view.hold_until,
            destination=view.health,
            now=now,
        )
        return view.due_at is not None and (why is None or why.until is not None)
    return view.state in (StepState.SENDING, StepState.DELIVERED, StepState.DISCARDED)


class Walk:
    """A hub's life in random order: accepts, claims, answers, deaths, and people."""

    def __init__(self, store: Store, dice: random.Random) -> None:
        self.store, self.dice = store, dice
        self.accepted: list[str] = []
        self.claimed: list[Claimed] = []
        self.creates: Counter[str] = Counter()
        self.allowed: set[str] = set()
        self.operations = Operations(store=store, ring=lambda _: None, safety_of=lambda *_: ReplaySafety.UNSAFE)

    async def step(self) -> None:
        kinds = [self.take, self.claim, self.send, self.answer, self.answer, self.die, self.person]
        await self.dice.choice(kinds)()

    async def take(self) -> None:
        self.accepted.append((await self.store.write(accept(parts=self.dice.choice([1, 1, 2])))).id)

    async def claim(self) -> None:
        gone = terms(lease=timedelta(seconds=-1))
        self.claimed += await claim(self.store, limit=self.dice.randint(1, 3), on=gone)

    async def send(self) -> None:
        for one in [one for one in self.claimed if one.phase is Phase.PREPARED][:1]:
            try:
                await self.store.write(Sending(attempt=one.attempt, step=one.step, token=one.token))
            except LeaseLost:
                self.claimed.remove(one)

    async def answer(self) -> None:
        if not self.claimed:
            return
        one = self.claimed.pop(self.dice.randrange(len(self.claimed)))
        state = self.dice.choice([StepState.DELIVERED, StepState.QUEUED, StepState.DEAD, StepState.UNCLEAR])
        after = timedelta(0) if state is StepState.QUEUED else None
        try:
            await self.store.write(conclude(one, state=state, after=after))
        except LeaseLost:
            return
        self.creates[one.delivery] += state is StepState.DELIVERED

    async def die(self) -> None:
        self.claimed.clear()
        await self.store.transact(
            lambda c: leases.recover(c, mine=uuid7(), silence=timedelta(seconds=1), settle_of=lambda _: timedelta(0))
        )

    async def person(self) -> None:
        if not self.accepted:
            return
        chosen = self.dice.choice(self.accepted)
        view = await self.store.read(lambda c: submissions.status(c, chosen))
        delivery = self.dice.choice(view.deliveries).id
        verb = self.dice.choice(["replay", "discard", "found", "not there", "set aside"])
        try:
            if verb == "replay":
                await self.operations.replay(delivery, actor=ACTOR, reason="again")
            elif verb == "discard":
                await self.operations.discard(delivery, actor=ACTOR, reason="by hand")
            else:
                outcome = {"found": "delivered", "not there": "not_there", "set aside": "discard"}[verb]
                await self.operations.resolve(delivery, outcome=outcome, actor=ACTOR, reason="looked")  # type: ignore[arg-type]
        except WrongState:
            return


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_every_submission_is_accounted_for_once(store: Store, seed: int) -> None:
    walk = Walk(store, random.Random(seed))
    for _ in range(STEPS):
        await walk.step()
    now = datetime.now(UTC)
    for submission in walk.accepted:
        view = await store.read(lambda c, name=submission: submissions.status(c, name))  # type: ignore[misc]
        assert len(standings(view, now=now)) == 1, (view.status, standings(view, now=now), view.deliveries)
    assert len(walk.accepted) > 10 and not [times for times in walk.creates.values() if times > 1]
