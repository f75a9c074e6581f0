"""The desk for forms: natural keys, repeats at once, and what a repeat says differently."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub.fuse import CrashPoint, Fuse
from hub.intake import files
from hub.intake.deps import Deps
from hub.intake.forms.desk import Form, take_form
from hub.model import Role
from hub.store import front_ends, tables
from hub.store.keep import Kept
from tests.files import JPEG
from tests.integration.forms_house import LEISURE, XGOV, Forms, content, councils_of, forms_in, without
from tests.integration.intake_house import NOW, House, house

FILE = "northborough/intake/leisure.yaml"


@pytest.fixture
def forms(tmp_path: Path) -> Iterator[Forms]:
    with forms_in(tmp_path) as made:
        yield made


def deps_of(house: House) -> Deps:
    found: Deps = house.app.state.room.deps
    return found


async def brought(house: House, body: Any = XGOV, **changes: Any) -> Kept:
    """A form at the desk, with an id of its own."""
    sender = house.store.read_now(lambda connection: front_ends.find_by_name(connection, "the shared front end"))
    assert sender is not None
    given = {"council": "northborough", "format": "xgov", "profile": "complaint", "key": "n-1", **changes}
    form = Form(front_end=sender, body=json.dumps(body).encode(), received_at=NOW, **given)
    return await take_form(form, deps=deps_of(house))


def answered(key: str, answer: str) -> Any:
    """The same form with another answer to one question."""
    made = json.loads(json.dumps(XGOV))
    for question in made["questions"]:
        for each in question["fields"]:
            if each["key"] == key:
                each["answer"] = answer
    return made


def notes(forms: Forms) -> list[str]:
    sealer = forms.house.store.sealer
    rows = forms.rows(tables.follow_up)
    return [json.loads(sealer.open(row.body, place=f"follow_up|{row.id}|1"))["text"] for row in rows]


async def test_the_same_id_with_other_content_gets_the_first_result_and_a_note_of_the_difference(forms: Forms) -> None:
    first = await brought(forms.house)
    again = await brought(forms.house, answered("email", "siân.new@example.com"))
    assert (again.reference, again.replayed, again.differs) == (first.reference, True, True)
    [note] = notes(forms)
    assert "email: siân.new@example.com" in note
    assert "firstName" not in note
    assert len(forms.rows(tables.submission)) == 1


async def test_the_same_difference_twice_is_one_note(forms: Forms) -> None:
    await brought(forms.house)
    for _ in range(2):
        await brought(forms.house, answered("email", "new@example.com"))
    await brought(forms.house)
    assert len(notes(forms)) == 1


async def test_a_difference_that_comes_while_it_is_parked_is_told_once_it_is_mended(forms: Forms) -> None:
    first = await brought(forms.house, profile="leisure")
    for body in (answered("email", "new@example.com"), answered("email", "new@example.com"), without(XGOV, "howHeard")):
        assert (await brought(forms.house, body, profile="leisure")).reference == first.reference
    assert forms.rows(tables.follow_up) == []
    forms.reload(**{FILE: LEISURE})
    answer = await forms.staff.post(f"/v1/received/{first.id}/replay", {})
    assert answer.json()["state"] == "mapped"
    assert sorted(note.splitlines()[1:] for note in notes(forms)) == [
        ["email: new@example.com"],
        ["howHeard: (no answer any more)"],
    ]


async def test_many_at_once_with_one_id_are_one(forms: Forms) -> None:
    kept = await asyncio.gather(*[brought(forms.house) for _ in range(20)])
    assert len({each.reference for each in kept}) == len(forms.rows(tables.received)) == 1
    assert sum(not each.replayed for each in kept) == 1


async def test_two_processes_at_once_with_one_id_are_one(postgres_url: str) -> None:
    councils = councils_of()
    with (
        house(postgres_url, councils=lambda: councils) as one,
        house(postgres_url, new=False, councils=lambda: councils) as two,
    ):
        pairs = [(at, profile) for at in (one, two) for profile in ("complaint", "not-there") for _ in range(5)]
        kept = await asyncio.gather(*[brought(at, profile=profile, key=profile) for at, profile in pairs])
        query = sa.select(sa.func.count()).select_from(tables.received)
        rows = one.store.read_now(lambda connection: connection.execute(query).scalar_one())
    assert rows == len({each.reference for each in kept}) == 2


class Died(BaseException):
    """The process is gone."""


class Dying(Fuse):
    def reach(self, point: CrashPoint) -> None:
        raise Died


async def test_one_that_was_kept_and_never_answered_gets_its_reference_when_it_comes_again(tmp_path: Path) -> None:
    url, councils = f"sqlite:///{tmp_path}/hub.db", councils_of()
    with house(url, councils=lambda: councils, fuse=Dying()) as first:
        with pytest.raises(Died):
            await brought(first)
        [row] = first.store.read_now(lambda connection: list(connection.execute(sa.select(tables.received))))
    with house(url, new=False, councils=lambda: councils) as second:
        kept = await brought(second)
        made = second.store.read_now(lambda connection: list(connection.execute(sa.select(tables.submission))))
    assert (kept.reference, kept.replayed) == (row.reference, True)
    assert [each.reference for each in made] == [row.reference]


async def test_the_same_body_after_a_day_is_another_form(tmp_path: Path) -> None:
    url, councils = f"sqlite:///{tmp_path}/hub.db", councils_of()
    with house(url, councils=lambda: councils) as first:
        one = await first.caller().post("/intake/northborough/xgov/complaint", XGOV)
    with house(url, new=False, councils=lambda: councils, clock=lambda: NOW + timedelta(hours=25)) as second:
        two = await second.caller().post("/intake/northborough/xgov/complaint", XGOV)
    assert one.json() != two.json()


async def test_two_replays_at_once_make_one_submission(forms: Forms) -> None:
    kept = await brought(forms.house, profile="leisure")
    forms.reload(**{FILE: LEISURE})
    staff = forms.house.user("Olive", Role.OPERATOR)
    answers = await asyncio.gather(*[staff.post(f"/v1/received/{kept.id}/replay") for _ in range(5)])
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409, 409]
    assert len(forms.rows(tables.submission)) == 1


async def test_mended_and_set_aside_on_postgresql_too(postgres_url: str) -> None:
    councils = [councils_of(), councils_of(**{FILE: LEISURE})]
    with house(postgres_url, councils=lambda: councils[0]) as here:
        first, second = [await brought(here, profile=name, key=name) for name in ("leisure", "nowhere")]
        differs = await brought(here, answered("email", "new@example.com"), profile="leisure", key="leisure")
        councils.pop(0)
        staff = here.user("Olive", Role.OPERATOR)
        mended = (await staff.post(f"/v1/received/{first.id}/replay")).json()
        aside = (await staff.post(f"/v1/received/{second.id}/discard", {"reason": "A test."})).json()
        told = (await here.caller().get(f"/v1/submissions/{first.reference}")).json()
        metrics = (await here.caller().get("/metrics")).body.decode()
    assert (mended["state"], aside["state"], differs.reference) == ("mapped", "discarded", first.reference)
    assert (told["status"], len(told["follow_ups"])) == ("accepted", 1)
    assert "hub_parked 0.0" in metrics


async def test_a_file_that_came_along_waits_with_a_parked_form_and_goes_with_it(forms: Forms) -> None:
    deps = deps_of(forms.house)
    sender = forms.house.store.read_now(lambda connection: front_ends.find_by_name(connection, "the shared front end"))
    assert sender is not None
    photo = await files.keep(files.one(JPEG), name="bin.jpg", told="image/jpeg", front_end=sender.id, deps=deps)
    kept = await brought(forms.house, profile="leisure", attachments=[photo.id])
    [row] = forms.rows(tables.attachment)
    assert (kept.parked, row.submission, row.expires_at) == (True, None, None)
    forms.reload(**{FILE: LEISURE})
    assert (await forms.staff.post(f"/v1/received/{kept.id}/replay")).json()["state"] == "mapped"
    [row] = forms.rows(tables.attachment)
    assert row.submission == kept.id
    assert [each["name"] for each in content(forms)["attachments"]] == ["bin.jpg"]


async def test_a_file_that_cannot_be_had_parks_the_form_and_loses_nothing(forms: Forms) -> None:
    kept = await brought(forms.house, attachments=["0199f6f0-5a4b-7c3d-9e8f-0a1b2c3d4e5f"])
    assert kept.parked
    assert kept.why is not None
    assert "attachments" in kept.why


async def test_a_file_that_only_the_repeat_has_goes_to_the_case_with_a_note(forms: Forms) -> None:
    deps = deps_of(forms.house)
    sender = forms.house.store.read_now(lambda connection: front_ends.find_by_name(connection, "the shared front end"))
    assert sender is not None

    async def photo() -> str:
        made = await files.keep(files.one(JPEG), name="bin.jpg", told="image/jpeg", front_end=sender.id, deps=deps)
        return made.id

    with_photo = {**XGOV, "files": [["photo", "bin.jpg", "digest"]]}
    first = await brought(forms.house)
    for _ in range(2):
        await brought(forms.house, with_photo, attachments=[await photo()])
    [note] = notes(forms)
    assert note.endswith("(more files, which are with this note)")
    claimed = [row for row in forms.rows(tables.attachment) if row.submission == first.id]
    assert len(claimed) == 1


async def test_half_a_character_in_a_repeat_is_no_fault_of_ours(forms: Forms) -> None:
    await brought(forms.house)
    await brought(forms.house, answered("email", "x\ud83d\x00y"))
    [note] = notes(forms)
    assert note.endswith("email: x?y")


async def test_a_repeat_that_differs_in_no_answer_is_no_note(forms: Forms) -> None:
    await brought(forms.house)
    kept = await brought(forms.house, {**XGOV, "name": "The form was renamed"})
    assert (kept.differs, notes(forms)) == (True, [])
