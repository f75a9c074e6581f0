"""A backup was put back: what may have been sent since is not sent again on a guess."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from hub.core.restoring import Fate
from hub.errors import WrongState
from hub.model import Phase, ReplaySafety, StepKind, StepState
from hub.store import jobs, leases, restore, sequencer, steps, tables, workers
from hub.store.attempts import Sending, Took
from hub.store.claims import Claimed
from hub.store.ids import uuid7
from hub.store.restore import Account, Terms
from hub.store.store import Store
from tests.stores import accept, claim, conclude, terms

T = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
SETTLE = timedelta(minutes=2)
S = ReplaySafety


def going_by(safety: ReplaySafety = S.UNSAFE, **changes: Any) -> Terms:
    given: dict[str, Any] = {
        "since": T, "actor": "local:ann", "reason": "disk lost", "generation": 3,
        "safety_of": lambda _council, _route, _kind: safety, "settle_of": lambda _: SETTLE,
        "silence": timedelta(seconds=30), "sole": False,
    }  # fmt: skip
    return Terms(**given | changes)


def put_back(store: Store, by: Terms) -> Account:
    """`hub restore`, without the command line."""
    account = store.transact_now(lambda c: restore.begin(c, by))
    while not account.done:
        account = store.transact_now(lambda c: restore.batch(c, by))
    return account


def fates(account: Account) -> dict[Fate, int]:
    found: dict[Fate, int] = {}
    for (_, _, fate), number in account.fates.items():
        found[fate] = found.get(fate, 0) + number
    return found


async def step(store: Store, submission: str) -> Any:
    row = tables.step.c
    return await store.read(
        lambda c: c.execute(sa.select(tables.step).where(row.submission == submission, row.position == 0)).one()
    )


async def attempts(store: Store, submission: str) -> list[Any]:
    row = tables.attempt.c
    query = sa.select(tables.attempt).join(tables.step, tables.step.c.id == row.step)
    return await store.read(
        lambda c: list(c.execute(query.where(tables.step.c.submission == submission).order_by(row.id)))
    )


async def events(store: Store, submission: str) -> list[Any]:
    row = tables.event.c
    query = sa.select(tables.event).where(row.submission == submission).order_by(row.id)
    return await store.read(lambda c: list(c.execute(query)))


async def submitted(store: Store) -> str:
    return str((await store.write(accept())).id)


async def under_way(store: Store, *, phase: Phase = Phase.SENDING, safety: ReplaySafety = S.UNSAFE) -> Claimed:
    """One that a worker had in hand when the backup was made."""
    await submitted(store)
    (claimed,) = await claim(store, on=terms(safety=safety))
    if phase is Phase.SENDING:
        await store.write(Sending(attempt=claimed.attempt, step=claimed.step, token=claimed.token))
    return claimed


@pytest.mark.parametrize("safety", [S.IDEMPOTENT, S.REJECTS_DUPLICATES])
async def test_what_a_repeat_does_not_harm_stays_queued(store: Store, safety: ReplaySafety) -> None:
    submission = await submitted(store)
    assert fates(put_back(store, going_by(safety))) == {Fate.STAYS: 1}
    assert (await step(store, submission)).state == "queued" and not await attempts(store, submission)


@pytest.mark.parametrize("safety", [S.LOOKUP, S.LISTING])
async def test_what_can_be_looked_for_is_looked_for_before_it_is_sent(store: Store, safety: ReplaySafety) -> None:
    submission = await submitted(store)
    before = datetime.now(UTC)
    assert fates(put_back(store, going_by(safety))) == {Fate.LOOKED_UP: 1}
    found = await step(store, submission)
    assert (found.state, found.looks, found.hold_reason) == ("unclear", 0, "lookup")
    # Found is found, whenever; but a call that was under way when the hub ended may still be taken.
    assert found.due_at < before + timedelta(minutes=1) and found.settled_at >= before + SETTLE - timedelta(seconds=1)


async def test_what_nobody_can_look_for_is_a_persons_and_is_never_claimed(store: Store) -> None:
    submission = await submitted(store)
    assert fates(put_back(store, going_by())) == {Fate.PERSON: 1}
    found = await step(store, submission)
    assert (found.state, found.due_at, found.settled_at, found.hold_reason) == ("unclear", None, None, None)
    assert not await claim(store)


async def test_a_doubt_says_since_when_and_why(store: Store) -> None:
    submission = await submitted(store)
    put_back(store, going_by())
    (attempt,) = await attempts(store, submission)
    assert (attempt.started_at, attempt.trigger, attempt.phase) == (T, "resolver", "answered")
    assert (attempt.outcome, attempt.fault_code, attempt.replay_safety) == ("unclear", "restored", "unsafe")
    told = (await events(store, submission))[-1]
    assert (told.kind, told.detail, told.actor) == ("delivery.unclear", {"fault_code": "restored"}, "local:ann")


async def test_doubts_of_one_destination_are_one_group(store: Store) -> None:
    for _ in range(3):
        await submitted(store)
    put_back(store, going_by())
    (group,) = await store.read(lambda c: list(c.execute(sa.select(tables.error_group))))
    assert (group.count, group.fault_code, group.destination) == (3, "restored", "northborough/waste")


@pytest.mark.parametrize("phase", [Phase.PREPARED, Phase.SENDING])
async def test_what_was_under_way_is_never_simply_queued(store: Store, phase: Phase) -> None:
    claimed = await under_way(store, phase=phase)
    put_back(store, going_by())
    found = await step(store, claimed.submission)
    assert (found.state, found.lease_until, found.lease_token) == ("unclear", None, claimed.token + 1)
    (attempt,) = await attempts(store, claimed.submission)
    assert (attempt.phase, attempt.outcome, attempt.fault_code) == ("answered", "unclear", "restored")


async def test_what_was_under_way_and_may_be_repeated_is_queued(store: Store) -> None:
    claimed = await under_way(store, safety=S.IDEMPOTENT)
    put_back(store, going_by(S.IDEMPOTENT))
    found = await step(store, claimed.submission)
    assert (found.state, found.lease_until, found.lease_token) == ("queued", None, claimed.token + 1)


async def test_what_the_product_had_said_it_has_is_delivered(store: Store) -> None:
    claimed = await under_way(store)
    await store.write(Took(attempt=claimed.attempt, took=b"sealed"))
    assert fates(put_back(store, going_by())) == {Fate.STAYS: 1}
    gone = timedelta(seconds=0)
    await store.transact(lambda c: leases.recover(c, mine=uuid7(), silence=gone, settle_of=lambda _: SETTLE))
    assert (await step(store, claimed.submission)).state == "delivered"


async def test_a_dead_letter_stays_dead_and_says_that_it_may_have_been_replayed(store: Store) -> None:
    await submitted(store)
    (claimed,) = await claim(store)
    await store.write(conclude(claimed, state=StepState.DEAD))
    account = put_back(store, going_by())
    found = await step(store, claimed.submission)
    assert (account.dead, found.state) == (1, "dead")
    assert found.reason == (
        "Restored from a backup of 2026-11-23 16:00: may have been replayed since; look before you replay."
    )


async def test_what_was_delivered_or_set_aside_is_left_alone(store: Store) -> None:
    await submitted(store)
    (claimed,) = await claim(store)
    await store.write(conclude(claimed))
    before = await step(store, claimed.submission)
    assert fates(put_back(store, going_by())) == {}
    assert await step(store, claimed.submission) == before


async def test_what_was_being_looked_for_is_looked_for_anew(store: Store) -> None:
    await submitted(store)
    (claimed,) = await claim(store)
    await store.write(conclude(claimed, state=StepState.UNCLEAR, after=timedelta(hours=1), looks=1))
    put_back(store, going_by(S.LOOKUP))
    found = await step(store, claimed.submission)
    assert (found.state, found.looks) == ("unclear", 0)
    assert found.due_at < datetime.now(UTC) + timedelta(minutes=1) < found.settled_at


async def test_a_persons_doubt_stays_a_persons(store: Store) -> None:
    await submitted(store)
    (claimed,) = await claim(store)
    await store.write(conclude(claimed, state=StepState.UNCLEAR))
    put_back(store, going_by())
    assert (await step(store, claimed.submission)).due_at is None


@pytest.mark.parametrize(
    ("kind", "safety", "state"),
    [(StepKind.ATTACH, S.LOOKUP, "unclear"), (StepKind.ATTACH, S.IDEMPOTENT, "queued"),
     (StepKind.NUMBER, S.UNSAFE, "queued")],
)  # fmt: skip
async def test_a_look_for_the_case_says_nothing_of_what_was_added_to_it(
    store: Store, kind: StepKind, safety: ReplaySafety, state: str
) -> None:
    submission = await submitted(store)
    later = await step(store, submission)
    row = {**later._mapping, "id": uuid7(), "position": 1, "kind": kind.value, "behind": later.id, "due_at": None}
    await store.transact(lambda c: c.execute(sa.insert(tables.step).values(**row)))
    put_back(store, going_by(safety))
    where = tables.step.c.id == row["id"]
    found = await store.read(lambda c: c.execute(sa.select(tables.step).where(where)).one())
    assert (found.state, found.due_at) == (state, None)
    told = [event.kind for event in await events(store, submission)]
    assert ("delivery.issue" in told) == (state == "unclear")


async def test_saying_it_twice_changes_nothing_more(store: Store) -> None:
    submission = await submitted(store)
    first = put_back(store, going_by())
    before = await step(store, submission), await attempts(store, submission), await events(store, submission)
    assert put_back(store, going_by()) == first
    assert before == (await step(store, submission), await attempts(store, submission), await events(store, submission))


async def test_one_that_died_half_way_goes_on_where_it_was(store: Store) -> None:
    for _ in range(restore.BATCH + 1):
        await submitted(store)
    store.transact_now(lambda c: restore.begin(c, going_by()))
    store.transact_now(lambda c: restore.batch(c, going_by()))
    assert store.read_now(restore.unfinished) == T
    with pytest.raises(WrongState, match="finish it first"):
        put_back(store, going_by(since=T + timedelta(hours=1)))
    assert fates(put_back(store, going_by())) == {Fate.PERSON: restore.BATCH + 1}
    assert store.read_now(restore.unfinished) is None


async def test_it_is_refused_while_a_worker_runs(store: Store) -> None:
    submission = await submitted(store)
    store.transact_now(lambda c: workers.start(c, uuid7(), role="worker", host="h", version="1"))
    with pytest.raises(WrongState, match="Stop every process"):
        put_back(store, going_by())
    assert (await step(store, submission)).state == "queued"


async def test_a_survey_counts_and_touches_nothing(store: Store) -> None:
    submission = await submitted(store)
    before = await step(store, submission)
    found = store.read_now(lambda c: restore.survey(c, going_by()))
    assert fates(found) == {Fate.PERSON: 1} and await step(store, submission) == before
    assert store.read_now(restore.unfinished) is None


async def test_bulk_operations_stop_and_jobs_are_free(store: Store) -> None:
    row = {"id": uuid7(), "kind": "replay", "filter": {}, "state": "running", "created_by": "ann", "created_at": T}
    hour = timedelta(hours=1)

    def prepare(c: sa.Connection) -> None:
        c.execute(sa.insert(tables.operation).values(**row))
        jobs.ensure(c, {"leases": hour})
        jobs.take(c, "leases", worker=uuid7(), every=hour, lease=hour)

    store.transact_now(prepare)
    assert put_back(store, going_by()).operations == 1
    states = store.read_now(lambda c: list(c.execute(sa.select(tables.operation.c.state)).scalars()))
    held = store.read_now(lambda c: c.execute(sa.select(tables.job).where(tables.job.c.name == "leases")).one())
    assert states == ["paused"] and (held.lease_until, held.worker) == (None, None)


async def test_readers_of_the_feed_miss_nothing_that_comes_after(store: Store) -> None:
    await submitted(store)
    await store.transact(sequencer.sequence)
    (read,) = await store.read(lambda c: sequencer.read(c, after=0))
    put_back(store, going_by())
    await store.transact(sequencer.sequence)
    (told,) = await store.read(lambda c: sequencer.read(c, after=read.feed_seq + 1_000_000))
    assert told.kind == "delivery.unclear"


async def test_the_act_is_audited_with_its_account(store: Store) -> None:
    await submitted(store)
    put_back(store, replace(going_by(), reason="disk lost"))
    act = (await store.read(lambda c: list(c.execute(sa.select(tables.audit)))))[-1]
    assert (act.verb, act.actor, act.reason) == ("restore", "local:ann", "disk lost")
    assert act.detail == {"person": 1, "dead": 0, "operations": 0}


async def test_a_doubtful_photo_stays_a_persons_when_its_case_is_found(store: Store) -> None:
    submission = await submitted(store)
    create = await step(store, submission)
    photo = {**create._mapping, "id": uuid7(), "position": 1, "kind": "attach", "behind": create.id, "due_at": None}
    await store.transact(lambda c: c.execute(sa.insert(tables.step).values(**photo)))
    put_back(store, going_by(S.LOOKUP))
    now = datetime.now(UTC)
    await store.transact(lambda c: steps.promote(c, [create.id], now=now))
    where = tables.step.c.id == photo["id"]
    found = await store.read(lambda c: c.execute(sa.select(tables.step).where(where)).one())
    assert (found.state, found.due_at, found.behind) == ("unclear", None, None)
