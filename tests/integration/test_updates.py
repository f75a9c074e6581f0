"""What a front end says of its case afterwards: taken once, sent to every system that has it, and seen by staff."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic_core import to_json
from sqlalchemy import Connection

from hub.assembly import deps_for, now
from hub.connector import Delivery, Operation, Receipt, Refused, ReplaySafety
from hub.intake import follow_ups
from hub.model import DeliveryKind, FrontEnd, Role, StepKind, StepState, User
from hub.store import deliveries, destinations, front_ends, tables
from hub.store.ids import uuid7
from hub.store.steps import LaterStep, later_rows
from tests.asgi import Answer, Caller
from tests.bodies import complaint
from tests.files import JPEG, uploaded
from tests.integration.intake_house import House, house, publish
from tests.integration.rehearsal import Desk, desk_product
from tests.integration.test_dispatch import Bench, Record, bench
from tests.stores import SEALER

STAFF = User(id="u", name="tester", role=Role.ADMIN)
COMMENT = {"kind": "comment", "text": "It is still there."}
INLINE = {"name": "bin.jpg", "media_type": "image/jpeg", "content_base64": base64.b64encode(JPEG).decode()}
THANKS = {"kind": "compliment", "service_area": "Waste", "what_happened": "Thank you."}
UPDATE = """}
update:
  operation: Update
  record: {area: "{{ update.kind }}: {{ update.text | default('nothing') }}"}
cancel:
  operation: Update
  record: {area: "no longer {{ hub.case_reference }}, says {{ hub.our_reference }}"}
status: {"""


@pytest.fixture
def room(database_url: str, tmp_path: Path) -> Iterator[House]:
    with house(database_url, blobs=tmp_path / "blobs") as made:
        yield made


async def say(caller: Caller, about: dict[str, Any], body: Any, **headers: str) -> Answer:
    return await caller.post(f"/v1/submissions/{about['reference']}/updates", body, **headers)


async def test_it_is_durable_and_shown_with_its_deliveries(room: House) -> None:
    about = await room.published()
    answer = await say(room.caller(), about, COMMENT)
    told = answer.json()
    assert (answer.status, told["reference"], told["kind"]) == (202, about["reference"], "comment")
    assert told["deliveries"][0]["waiting"]["text"] == f"Behind {about['reference']}, which goes first."
    staff = room.user("v", Role.VIEWER)
    for name in (f"{about['reference']}-u1", f"{about['reference']}-U1".lower()):
        assert (await staff.get(f"/v1/deliveries/{name}")).json()["id"] == told["deliveries"][0]["id"]
        assert [one["id"] for one in (await staff.get(f"/v1/deliveries?q={name}")).json()["items"]] == [
            told["deliveries"][0]["id"]
        ]
    assert (await staff.get("/v1/deliveries?issues=true")).json()["items"] == []
    now = (await room.caller().get(f"/v1/submissions/{about['id']}")).json()
    assert [one["id"] for one in now["follow_ups"]] == [told["id"]]
    assert [one["our_reference"] for one in now["deliveries"]] == [about["reference"]]
    assert room.rung == ["northborough/waste"] * 2


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["#/kind"]),
        ({"kind": "comment"}, ["#/text"]),
        ({"kind": "evidence", "text": "see"}, ["#/attachments"]),
        ({"kind": "cancel", "attachments": [INLINE]}, ["#/attachments"]),
        ({"kind": "shout", "text": 7, "words": "x"}, ["#/kind", "#/text", "#/words"]),
        ({"kind": "evidence", "attachments": [{"id": "none"}]}, ["#/attachments/0/id"]),
        ({"kind": "comment", "text": "x", "contact": {"email": "no"}}, ["#/contact/email"]),
    ],
)  # fmt: skip
async def test_every_fault_is_told_at_once(room: House, body: Any, pointers: list[str]) -> None:
    answer = await say(room.caller(), await room.published(), body)
    assert answer.status == 422
    assert sorted(one["pointer"] for one in answer.json()["errors"]) == pointers


@pytest.mark.parametrize(("raw", "status"), [(b"", 400), (b"[]", 400), (b'{"kind": 1, "kind": 2}', 400)])
async def test_what_cannot_be_read_is_a_400(room: House, raw: bytes, status: int) -> None:
    assert (await say(room.caller(), await room.published(), raw)).status == status


async def test_what_belongs_to_another_front_end_is_not_there(room: House) -> None:
    about = await room.published()
    assert (await say(room.front_end("another"), about, COMMENT)).status == 404
    assert (await room.caller().post("/v1/submissions/nonsense/updates", COMMENT)).status == 404


async def test_a_key_that_reaches_the_council_no_more_says_nothing(room: House) -> None:
    about = await room.published()
    hashed = front_ends.key_hash(room.store.hasher, "key of the shared front end")
    narrow = sa.update(tables.front_end).where(tables.front_end.c.key_hash == hashed).values(councils=["southby"])
    room.store.transact_now(lambda c: c.execute(narrow))
    with house(room.store.url, new=False) as restarted:
        assert (await say(restarted.caller(), about, COMMENT)).status == 403


async def test_the_same_key_is_answered_once_and_other_content_refused(room: House) -> None:
    about, file = await room.published(), await uploaded(room.caller())
    evidence = {"kind": "evidence", "attachments": [file, INLINE]}
    first, again = [await say(room.caller(), about, evidence, idempotency_key="k") for _ in range(2)]
    assert first.json()["id"] == again.json()["id"] and again.headers["idempotent-replayed"] == "true"
    assert (await say(room.caller(), about, COMMENT, idempotency_key="k")).status == 422
    assert (await say(room.caller(), await room.published(), evidence, idempotency_key="k")).status == 422
    assert (await publish(room.caller(), key="k")).status == 422
    assert len(list(room.store.blobs.root.rglob("*-*"))) == 2


async def test_many_at_once_have_numbers_of_their_own(room: House) -> None:
    about = await room.published()
    answers = await asyncio.gather(*(say(room.caller(), about, COMMENT) for _ in range(6)))
    ours = sorted(answer.json()["deliveries"][0]["our_reference"] for answer in answers)
    assert ours == [f"{about['reference']}-u{number}" for number in range(1, 7)]


async def test_the_same_key_at_once_is_one_follow_up(room: House) -> None:
    about = await room.published()
    answers = await asyncio.gather(*(say(room.caller(), about, COMMENT, idempotency_key="k") for _ in range(6)))
    assert {answer.status for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_a_case_that_was_set_aside_makes_it_a_dead_letter_for_a_person(room: House) -> None:
    about = await room.published()
    staff = room.user("ann", Role.OPERATOR)
    view = (await room.caller().get(f"/v1/submissions/{about['id']}")).json()["deliveries"][0]
    await staff.post(f"/v1/deliveries/{view['id']}/discard", {"reason": "by telephone"})
    told = (await say(room.caller(), about, COMMENT)).json()
    shown = (await staff.get(f"/v1/deliveries/{told['deliveries'][0]['id']}")).json()
    assert told["status"] == "needs_attention"
    assert (shown["state"], shown["kind"]) == ("dead", "follow_up") and "tell the council by hand" in shown["reason"]


async def test_what_no_route_took_stays_a_persons_with_what_is_said_of_it(room: House) -> None:
    about = await room.published(service="complaint", details=THANKS)
    told = (await say(room.caller(), about, COMMENT)).json()
    assert (told["status"], told["deliveries"]) == ("needs_attention", [])


async def test_steps_are_shown_to_staff_with_files_by_number(room: House) -> None:
    about = await room.published()
    words = {"kind": "evidence", "text": "Two photos.", "attachments": [INLINE, INLINE | {"name": "Zyxwvut.jpg"}]}
    told = (await say(room.caller(), about, words)).json()
    shown = await room.user("ann", Role.VIEWER).get(f"/v1/deliveries/{told['deliveries'][0]['id']}")
    steps = [(one["position"], one["kind"], one["file"]) for one in shown.json()["steps"]]
    assert steps == [(0, "update", None), (1, "attach", 1), (2, "attach", 2)]
    assert b"Zyxwvut" not in shown.body and b"Two photos" not in shown.body


async def test_the_contract_is_described(room: House) -> None:
    described = (await room.caller().get("/openapi.json")).json()
    body = described["paths"]["/v1/submissions/{submission}/updates"]["post"]["requestBody"]
    assert body["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/FollowUp"}
    assert described["components"]["schemas"]["FollowUp"]["required"] == ["kind"]


def hearing(desk: Desk, heard: list[tuple[str, str | None]], *, verbs: tuple[str, ...] = ("attach",)) -> type[Any]:
    """A product that takes notes and files as well."""
    base = desk_product(desk, safety=ReplaySafety.IDEMPOTENT, verbs=verbs)

    async def hear(self: Any, record: Record, receipt: Receipt, delivery: Delivery) -> Receipt:
        await delivery.sending()
        heard.append((record.area, receipt.reference))
        return Receipt()

    operations = {**base.operations, "Update": Operation(Record, replay_safety=ReplaySafety.IDEMPOTENT)}
    return type("Hearing", (base,), {"operations": operations, "update": hear, "cancel": hear, "__doc__": base.__doc__})


async def tell(here: Bench, submission: str, said: dict[str, Any]) -> str:
    front_end: FrontEnd = here.front_end
    return (await follow_ups.say(said, submission=submission, front_end=front_end, deps=deps_for(here.hub))).added.id


async def settled(here: Bench, follow_up: str) -> list[tuple[str, str]]:
    """The steps of its delivery, once nothing more happens to them by itself."""
    step, made = tables.step.c, tables.delivery.c
    query = (
        sa.select(step.kind, step.state).join(tables.delivery, made.id == step.delivery)
        .where(made.follow_up == follow_up).order_by(step.position)
    )  # fmt: skip
    async with asyncio.timeout(20):
        while True:
            found = [tuple(row) for row in await here.store.read(lambda c: c.execute(query).all())]
            if not {"queued", "sending"} & {state for _, state in found}:
                return found
            await asyncio.sleep(0.05)


async def test_words_and_files_reach_the_case_under_its_number_and_in_order(tmp_path: Path) -> None:
    desk, heard = Desk(answers=True), list[tuple[str, str | None]]()
    async with bench(tmp_path, hearing(desk, heard), extra=UPDATE) as here:
        submission = await here.publish()
        said = [
            COMMENT, {"kind": "evidence", "text": "Look.", "attachments": [INLINE]},
            {"kind": "evidence", "attachments": [INLINE]}, {"kind": "cancel"},
        ]  # fmt: skip
        found = [await settled(here, one) for one in [await tell(here, submission, one) for one in said]]
    case = desk.creates[0]
    withdrawn = f"no longer {case}, says {case}-u4"
    assert [words for words, _ in heard] == ["comment: It is still there.", "evidence: Look.", withdrawn]
    assert {number for _, number in heard} == {"C-1"} and desk.attached == [("C-1 bin.jpg", JPEG)] * 2
    assert found[1] == [("update", "delivered"), ("attach", "delivered")]
    assert found[2] == [("attach", "delivered")]


async def test_a_system_that_cannot_be_told_is_a_persons_and_holds_nobody_for_ever(tmp_path: Path) -> None:
    desk = Desk(answers=True)
    async with bench(tmp_path, desk_product(desk, safety=ReplaySafety.IDEMPOTENT, verbs=("attach",))) as here:
        submission = await here.publish()
        first, second = [await tell(here, submission, COMMENT) for _ in range(2)]
        third = await tell(here, submission, {"kind": "evidence", "text": "x", "attachments": [INLINE]})
        async with asyncio.timeout(20):
            while not desk.attached or (await stuck(here, first)).state is not StepState.DEAD:
                await asyncio.sleep(0.05)
        assert (await stuck(here, second)).state is StepState.QUEUED
        view = await stuck(here, first)
        await here.hub.operations.discard(view.id, actor=STAFF, reason="told them by telephone")
        assert (await settled(here, second)) == [("update", "dead")]
    assert (view.kind, view.fault_code) == (DeliveryKind.FOLLOW_UP, "no_update")
    assert len(desk.creates) == 1 and third


async def stuck(here: Bench, follow_up: str) -> Any:
    row = tables.delivery.c
    query = sa.select(row.id).where(row.follow_up == follow_up)
    return await here.store.read(lambda c: deliveries.get(c, c.execute(query).scalar_one()))


@pytest.mark.parametrize(("harm", "code"), [("gone", "file_missing"), ("changed", "file_damaged")])
async def test_a_file_that_is_gone_or_changed_is_a_dead_letter_of_its_own(tmp_path: Path, harm: str, code: str) -> None:
    desk = Desk(answers=True, attach_failures=[Refused(code="later")])
    async with bench(tmp_path, desk_product(desk, safety=ReplaySafety.IDEMPOTENT, verbs=("attach",))) as here:
        submission = await here.publish()
        evidence = {"kind": "evidence", "attachments": [INLINE, INLINE]}
        follow_up = await tell(here, submission, evidence)
        await settled(here, follow_up)
        for path in [path for path in here.store.blobs.root.rglob("*") if path.is_file()]:
            path.unlink() if harm == "gone" else path.write_bytes(path.read_bytes()[:-1])
        await here.hub.operations.replay((await stuck(here, follow_up)).id, actor=STAFF)
        found = await settled(here, follow_up)
        tries = await here.store.read(lambda c: deliveries.attempts(c, _delivery(c, follow_up)))
    assert sorted(found) == [("attach", "dead"), ("attach", "delivered")]
    assert [one.fault_code for one in tries][-1] == code and len(desk.creates) == 1


def _delivery(connection: Any, follow_up: str) -> str:
    row = tables.delivery.c
    return str(connection.execute(sa.select(row.id).where(row.follow_up == follow_up)).scalar_one())


async def test_a_share_that_is_away_uses_no_attempt(tmp_path: Path) -> None:
    desk = Desk(answers=True)
    async with bench(tmp_path, desk_product(desk, safety=ReplaySafety.IDEMPOTENT, verbs=("attach",))) as here:
        submission = await here.publish()
        await tell(here, submission, {"kind": "evidence", "attachments": [INLINE]})
        async with asyncio.timeout(20):
            while not desk.attached:
                await asyncio.sleep(0.05)
        root, away = here.store.blobs.root, here.store.blobs.root.with_name("away")
        file = next(path for path in root.rglob("*") if path.is_file())
        root.rename(away)
        step = tables.step.c
        again = (
            sa.update(tables.step).where(step.attachment == file.name).values(state="queued", due_at=step.updated_at)
        )
        await here.store.transact(lambda c: c.execute(again))
        await asyncio.sleep(1.5)
        query = sa.select(step.state, step.attempts_used).where(step.attachment == file.name)
        waits = await here.store.read(lambda c: c.execute(query).one())
        away.rename(root)
        async with asyncio.timeout(20):
            while len(desk.attached) < 2:
                await asyncio.sleep(0.05)
    assert waits.state in ("queued", "sending") and waits.attempts_used == 1


async def test_a_file_in_the_content_that_an_older_hub_kept_is_still_sent(tmp_path: Path) -> None:
    desk = Desk(answers=True)
    async with bench(tmp_path, desk_product(desk, safety=ReplaySafety.IDEMPOTENT, verbs=("attach",))) as here:
        await here.store.transact(lambda c: destinations.pause(c, "northborough/crm", by="tests", reason="not yet"))
        submission = await here.publish()
        place = f"submission_content|{submission}|1"
        older = SEALER.seal(to_json(complaint() | {"channel": "web", "attachments": [INLINE]}), place=place)
        await here.store.transact(lambda c: _as_an_older_hub(c, submission, older))
        await here.store.transact(lambda c: destinations.resume(c, "northborough/crm"))
        async with asyncio.timeout(20):
            while not desk.attached:
                await asyncio.sleep(0.05)
    assert desk.attached == [("C-1 bin.jpg", JPEG)]


def _as_an_older_hub(connection: Connection, submission: str, body: bytes) -> None:
    """It kept files in the content, and made a step for each without saying which."""
    content, step, made = tables.submission_content.c, tables.step.c, tables.delivery.c
    connection.execute(sa.update(tables.submission_content).where(content.submission == submission).values(body=body))
    create = connection.execute(sa.select(step.id, made.id.label("delivery")).join(
        tables.delivery, made.id == step.delivery).where(made.submission == submission)).one()  # fmt: skip
    rows = later_rows(
        [LaterStep(id=uuid7(), kind=StepKind.ATTACH, call=None)], create=create.id, delivery=create.delivery,
        submission=submission, destination="northborough/crm", order_key=submission, now=now(),
    )  # fmt: skip
    connection.execute(sa.insert(tables.step), rows)
