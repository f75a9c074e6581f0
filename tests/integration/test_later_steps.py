"""Files, numbers and notes: what follows a create, and never repeats it."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hub.assembly import now, web_app
from hub.connector import Refused, ReplaySafety, Unavailable, Unclear
from hub.intake.taking import Letter, take
from hub.model import Role, StepState, User
from hub.store import tables
from tests.bodies import complaint
from tests.integration.rehearsal import Desk, desk_product
from tests.integration.test_dispatch import Bench, bench

STAFF = User(id="u", name="tester", role=Role.ADMIN)
SAFE = ReplaySafety.IDEMPOTENT
PHOTO = b"\xff\xd8\xff\xe0 a photo"
FILES = [
    {"name": f"bin-{number}.jpg", "media_type": "image/jpeg", "content_base64": base64.b64encode(PHOTO).decode()}
    for number in (1, 2)
]


async def publish(here: Bench) -> str:
    app: Any = web_app(here.hub)
    raw = json.dumps(complaint() | {"attachments": FILES}).encode()
    letter = Letter(front_end=here.front_end, raw=raw, received_at=now())
    return str((await take(letter, deps=app.state.room.deps)).id)


async def steps(here: Bench, submission: str) -> list[tuple[str, str]]:
    step = tables.step.c
    query = sa.select(step.kind, step.state).where(step.submission == submission).order_by(step.position)
    return [(row.kind, row.state) for row in await here.store.read(lambda c: c.execute(query).all())]


async def settled(here: Bench, submission: str) -> list[tuple[str, str]]:
    async with asyncio.timeout(20):
        while {"queued", "sending"} & {state for _, state in await steps(here, submission)}:
            await asyncio.sleep(0.05)
    return await steps(here, submission)


async def test_files_follow_the_create_each_as_a_step_of_its_own(tmp_path: Path) -> None:
    desk = Desk(answers=True)
    async with bench(tmp_path, desk_product(desk, safety=SAFE, verbs=("attach",))) as here:
        found = await settled(here, await publish(here))
    assert found == [("create", "delivered"), ("attach", "delivered"), ("attach", "delivered")]
    assert sorted(desk.attached) == [("C-1 bin-1.jpg", PHOTO), ("C-1 bin-2.jpg", PHOTO)]


async def test_a_file_that_is_refused_leaves_the_case_delivered_with_an_issue(tmp_path: Path) -> None:
    desk = Desk(answers=True, attach_failures=[Refused(code="too_big")])
    async with bench(tmp_path, desk_product(desk, safety=SAFE, verbs=("attach",))) as here:
        submission = await publish(here)
        found = await settled(here, submission)
        view = await here.delivery(submission)
    assert sorted(found) == [("attach", "dead"), ("attach", "delivered"), ("create", "delivered")]
    assert (view.state, view.issues, len(desk.creates)) == (StepState.DELIVERED, 1, 1)


async def test_a_file_is_tried_again_by_itself_and_the_create_is_not(tmp_path: Path) -> None:
    desk = Desk(answers=True, attach_failures=[Unavailable(), Unavailable()])
    async with bench(tmp_path, desk_product(desk, safety=SAFE, verbs=("attach",))) as here:
        found = await settled(here, await publish(here))
    assert {state for _, state in found} == {"delivered"} and len(desk.creates) == 1


async def test_a_replay_of_a_delivered_one_with_an_issue_sends_the_file_and_nothing_else(tmp_path: Path) -> None:
    desk = Desk(answers=True, attach_failures=[Refused(code="too_big")])
    async with bench(tmp_path, desk_product(desk, safety=SAFE, verbs=("attach",))) as here:
        submission = await publish(here)
        await settled(here, submission)
        await here.hub.operations.replay((await here.delivery(submission)).id, actor=STAFF, reason="larger now")
        found = await settled(here, submission)
        view = await here.delivery(submission)
    assert {state for _, state in found} == {"delivered"} and len(desk.attached) == 2
    assert (view.issues, len(desk.creates)) == (0, 1)


async def test_an_unclear_file_is_a_persons_word_away_from_settled(tmp_path: Path) -> None:
    desk = Desk(answers=True, attach_failures=[Unclear()])
    async with bench(tmp_path, desk_product(desk, safety=ReplaySafety.UNSAFE, verbs=("attach",))) as here:
        submission = await publish(here)
        await settled(here, submission)
        view = await here.delivery(submission)
        done = await here.hub.operations.resolve(view.id, outcome="delivered", actor=STAFF, reason="it is there")
    assert (view.state, view.issues) == (StepState.DELIVERED, 1)
    assert (done.delivery.state, done.delivery.issues) == (StepState.DELIVERED, 0)


async def test_a_discarded_create_takes_its_files_with_it(tmp_path: Path) -> None:
    desk = Desk()
    async with bench(tmp_path, desk_product(desk, safety=ReplaySafety.UNSAFE, verbs=("attach",))) as here:
        submission = await publish(here)
        view = await here.until(submission, StepState.UNCLEAR)
        await here.hub.operations.resolve(view.id, outcome="discard", actor=STAFF, reason="by telephone")
        found = await steps(here, submission)
    assert {state for _, state in found} == {"discarded"} and not desk.attached


async def test_a_number_that_comes_later_is_fetched_by_the_token(tmp_path: Path) -> None:
    desk = Desk(seen_from=datetime.now(UTC) + timedelta(seconds=1.5))
    async with bench(tmp_path, desk_product(desk, safety=ReplaySafety.UNSAFE, verbs=("number",))) as here:
        submission = await here.publish()
        at_first = await here.until(submission, StepState.DELIVERED)
        async with asyncio.timeout(20):
            while (view := await here.delivery(submission)).reference is None:
                await asyncio.sleep(0.05)
    assert at_first.state is StepState.DELIVERED and view.reference == "C-1"
    assert len(desk.creates) == 1


async def test_a_number_that_never_comes_is_an_issue_of_a_delivered_case(tmp_path: Path) -> None:
    desk = Desk(seen_from=datetime.max.replace(tzinfo=UTC))
    async with bench(tmp_path, desk_product(desk, safety=ReplaySafety.UNSAFE, verbs=("number",))) as here:
        submission = await here.publish()
        await here.until(submission, StepState.DELIVERED)
        await settled(here, submission)
        view = await here.delivery(submission)
    assert (view.state, view.issues, len(desk.creates)) == (StepState.DELIVERED, 1, 1)


async def test_files_wait_for_the_number_of_their_case(tmp_path: Path) -> None:
    desk = Desk(seen_from=datetime.now(UTC) + timedelta(seconds=2))
    async with bench(tmp_path, desk_product(desk, safety=SAFE, verbs=("number", "attach"))) as here:
        found = await settled(here, await publish(here))
    assert {state for _, state in found} == {"delivered"} and len(found) == 4
    assert {name.split()[0] for name, _ in desk.attached} == {"C-1"}
