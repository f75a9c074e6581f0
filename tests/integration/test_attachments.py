"""Files at the door: uploaded or inside a submission, claimed once, and never by anybody else."""

from __future__ import annotations

import asyncio
import base64
import json
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic_core import from_json

from connectors.rest import Rest
from hub.registry import Registry
from hub.store import attachments, tables
from hub.store.store import Store
from tests.bodies import complaint
from tests.files import FORM, JPEG, PDF, form, part, upload, uploaded
from tests.integration.intake_house import House, house, publish
from tests.live import live, write

INLINE = {"name": "bin.jpg", "media_type": "image/jpeg", "content_base64": base64.b64encode(JPEG).decode()}
_ROW = tables.attachment.c


@pytest.fixture
def room(database_url: str, tmp_path: Path) -> Iterator[House]:
    with house(database_url, blobs=tmp_path / "blobs") as made:
        yield made


def rows(store: Store) -> list[Any]:
    return list(store.read_now(lambda c: c.execute(sa.select(tables.attachment).order_by(_ROW.id)).all()))


def on_disk(store: Store) -> list[Path]:
    return sorted(path for path in store.blobs.root.rglob("*") if path.is_file())


def content(store: Store) -> dict[str, Any]:
    """What is kept of the only submission."""
    row = store.read_now(lambda c: c.execute(sa.select(tables.submission_content)).one())
    opened: dict[str, Any] = from_json(
        store.sealer.open(row.body, place=f"submission_content|{row.submission}|{row.revision}")
    )
    return opened


async def test_an_upload_is_told_what_was_kept_and_until_when(room: House) -> None:
    told = (await upload(room.caller(), PDF, filename="C:\\letters\\council\u202e.fdp", media_type="text/html")).json()
    assert (told["name"], told["media_type"], told["size"]) == ("council.fdp.pdf", "application/pdf", len(PDF))
    left = datetime.fromisoformat(told["expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=23) < left < timedelta(hours=25)


async def test_neither_name_nor_content_can_be_read_where_they_are_kept(room: House) -> None:
    await uploaded(room.caller(), JPEG, filename="Zyxwvut.jpg")
    kept = on_disk(room.store)[0].read_bytes() + rows(room.store)[0].name
    assert b"Zyxwvut" not in kept and b"photo" not in kept


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"", 400, "broken"),
        (form(part(JPEG))[:-9], 400, "before its last boundary"),
        (form(), 422, "one file"),
        (form(part(b"words", field="about", filename=None)), 422, "one file"),
        (form(part(b"")), 422, "empty"),
        (form(part(JPEG), part(JPEG, field="other")), 422, "more than one"),
        (form(part(b"MZ\x00\x00", filename="a.jpg")), 422, "JPEG, PNG"),
        (form(part(b"<svg/>", filename="a.txt")), 422, "JPEG, PNG"),
    ],
)  # fmt: skip
async def test_what_is_no_file_is_refused_and_told_why(room: House, body: bytes, status: int, told: str) -> None:
    answer = await room.caller().post("/v1/attachments", body, **FORM)
    assert (answer.status, told in answer.body.decode()) == (status, True), answer.body


async def test_a_field_beside_the_file_and_any_name_for_it_are_taken(room: House) -> None:
    body = form(part(b"token", field="csrf", filename=None), part(JPEG, field="photo"))
    assert (await room.caller().post("/v1/attachments", body, **FORM)).status == 201


async def test_another_kind_of_body_is_a_415_and_a_stranger_a_401(room: House) -> None:
    assert (await room.caller().post("/v1/attachments", {}, content_type="application/json")).status == 415
    assert (await upload(room.caller("who"))).status == 401


async def test_a_file_over_25_mb_is_a_413_and_leaves_nothing(room: House) -> None:
    piece = b"x" * 1024 * 1024
    head, tail = part(b"", filename="a.jpg")[:-2] + JPEG, b"\r\n--XX--\r\n"
    headers = [(b"content-type", FORM["content_type"].encode())]
    answer = await room.caller().call("POST", "/v1/attachments", head, *[piece] * 25, piece, tail, headers=headers)
    assert answer.status == 413, answer.body
    assert rows(room.store) == []


async def test_25_mb_pass_through_little_memory(room: House) -> None:
    caller, piece = room.caller(), b"x" * 64 * 1024
    head, tail = part(b"", filename="a.jpg")[:-2] + JPEG, b"\r\n--XX--\r\n"
    headers = [(b"content-type", FORM["content_type"].encode())]
    await uploaded(caller)  # everything is imported and made
    tracemalloc.start()
    try:
        answer = await caller.call("POST", "/v1/attachments", head, *[piece] * 399, tail, headers=headers)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status == 201 and peak < 8 * 1024 * 1024


async def test_a_submission_has_the_files_that_it_names(room: House) -> None:
    file = await uploaded(room.caller())
    await room.published(attachments=[file, INLINE])
    told = content(room.store)["attachments"]
    assert [(one["name"], one["media_type"], one["size"]) for one in told] == [("bin.jpg", "image/jpeg", len(JPEG))] * 2
    assert {row.submission for row in rows(room.store)} == {rows(room.store)[0].submission} - {None}
    assert [row.expires_at for row in rows(room.store)] == [None, None] and told[0]["id"] == file["id"]


async def test_a_file_that_is_not_what_it_says_is_taken_with_a_remark(room: House) -> None:
    told = await room.published(attachments=[INLINE | {"media_type": "image/png", "name": "bin.png"}])
    assert [one["pointer"] for one in told["warnings"]] == ["#/attachments/0/media_type"]
    assert content(room.store)["attachments"][0]["name"] == "bin.png.jpg"


async def test_whoever_sends_files_to_a_system_that_takes_none_is_told(tmp_path: Path) -> None:
    kinds = {"takes": ', attach: {path: "/cases/{reference}/files"}', "leaves": ""}
    council = "council: Northborough\nslug: northborough\ngss: E07000999\ndestinations:\n"
    for name, attach in kinds.items():
        settings = f'url: "http://127.0.0.1:9", create: {{path: /cases, reference: /id}}{attach}'
        council += f"  {name}: {{connector: rest, settings: {{{settings}}}}}\n"
    mapping = "{create: {operation: create, record: {ref: '{{ hub.our_reference }}'}}}"
    council += "routes:\n" + "".join(f"  - {{service: complaint, to: {name}, mapping: {mapping}}}\n" for name in kinds)
    write(tmp_path / "mappings", "northborough", council)
    async with live(tmp_path, registry=Registry({"rest": Rest})) as here:
        told = await here.publish(complaint() | {"attachments": [INLINE]})
        assert (await here.publish(complaint())).warnings == []
    assert [(one["pointer"], one["message"].split()[0]) for one in told.warnings] == [
        ("#/attachments", "northborough/leaves")
    ]


async def test_every_file_that_cannot_be_had_is_named_at_once(room: House) -> None:
    mine = await uploaded(room.caller())
    theirs = await uploaded(room.front_end("another"))
    await room.published(attachments=[mine])
    program = {"name": "a.jpg", "media_type": "image/jpeg", "content_base64": base64.b64encode(b"MZ\x00").decode()}
    unknown = {"id": "0199f6f0-5a4b-7c3d-9e8f-0a1b2c3d4e5f"}
    answer = await publish(room.caller(), attachments=[mine, theirs, {"id": "no id"}, unknown, program, program])
    pointers = [one["pointer"].removeprefix("#/attachments/") for one in answer.json()["errors"]]
    assert answer.status == 422
    assert sorted(pointers) == ["0/id", "1/id", "2/id", "3/id", "4/content_base64", "5/content_base64"]


async def test_a_file_named_twice_in_one_submission_is_a_fault(room: House) -> None:
    file = await uploaded(room.caller())
    answer = await publish(room.caller(), attachments=[file, file])
    assert [one["pointer"] for one in answer.json()["errors"]] == ["#/attachments/1/id"]


@pytest.mark.parametrize("key", [None, "a key"])
async def test_a_day_is_over_for_a_file_that_nothing_named(room: House, key: str | None) -> None:
    file = await uploaded(room.caller())
    late = sa.update(tables.attachment).values(expires_at=datetime.now(UTC) - timedelta(minutes=1))
    room.store.transact_now(lambda c: c.execute(late))
    answer = await publish(room.caller(), attachments=[file], key=key)
    assert (answer.status, answer.json()["errors"][0]["pointer"]) == (422, "#/attachments/0/id")


async def test_a_repeat_is_answered_again_and_takes_nothing(room: House) -> None:
    file = await uploaded(room.caller())
    first = await publish(room.caller(), attachments=[file, INLINE], key="once")
    again = await publish(room.caller(), attachments=[file, INLINE], key="once")
    assert first.status == again.status == 202 and first.json()["id"] == again.json()["id"]
    assert again.headers["idempotent-replayed"] == "true"
    assert len(rows(room.store)) == len(on_disk(room.store)) == 2


async def test_a_repeat_is_answered_again_when_its_file_is_forgotten(room: House) -> None:
    file = await uploaded(room.caller())
    first = await publish(room.caller(), attachments=[file], key="once")
    room.store.transact_now(lambda c: attachments.remove(c, [file["id"]]))
    again = await publish(room.caller(), attachments=[file], key="once")
    assert first.json()["id"] == again.json()["id"]


async def test_of_two_that_want_one_file_one_has_it(room: House) -> None:
    file = await uploaded(room.caller())
    answers = await asyncio.gather(*(publish(room.caller(), attachments=[file], key=f"key {n}") for n in range(8)))
    assert sorted(answer.status for answer in answers) == [202] + [422] * 7
    owner = [answer.json()["id"] for answer in answers if answer.status == 202]
    assert [row.submission for row in rows(room.store)] == owner


async def test_two_that_want_the_same_files_in_another_order_do_not_wait_for_ever(room: House) -> None:
    files = [await uploaded(room.caller()) for _ in range(4)]
    async with asyncio.timeout(20):
        answers = await asyncio.gather(
            *(publish(room.caller(), attachments=files if n % 2 else files[::-1]) for n in range(6))
        )
    assert sorted(answer.status for answer in answers) == [202] + [422] * 5


async def test_the_same_key_at_once_is_one_submission_with_its_file(room: House) -> None:
    file = await uploaded(room.caller())
    answers = await asyncio.gather(*(publish(room.caller(), attachments=[file], key="once") for _ in range(6)))
    assert {answer.status for answer in answers} <= {202, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status == 202}) == 1


async def test_a_folder_that_is_away_is_a_503_for_files_and_for_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with house(f"sqlite:///{tmp_path}/hub.db", blobs=tmp_path / "file") as room:
        assert (await upload(room.caller())).status == 503
        assert (await publish(room.caller(), attachments=[INLINE])).status == 503
        assert (await publish(room.caller())).status == 202


async def test_nothing_about_a_file_is_logged(room: House, capfd: pytest.CaptureFixture[str]) -> None:
    await uploaded(room.caller(), filename="Zyxwvut.jpg")
    await room.caller().post("/v1/attachments", b"--XX\r\nZyxwvut Zyxwvut\r\n", **FORM)
    await publish(room.caller(), attachments=[INLINE | {"name": "Zyxwvut.jpg"}])
    out = capfd.readouterr()
    assert "Zyxwvut" not in out.out + out.err


async def test_the_address_is_described_with_what_it_takes(room: House) -> None:
    described = (await room.caller().get("/openapi.json")).json()["paths"]["/v1/attachments"]["post"]
    content_types = described["requestBody"]["content"]["multipart/form-data"]["encoding"]["file"]["contentType"]
    assert "image/heic" in content_types and {"201", "413", "415", "422"} <= described["responses"].keys()
    assert json.dumps(described)


async def test_over_two_processes_one_has_the_file_and_a_repeat_hears_of_it(postgres_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "blobs"
    with house(postgres_url, blobs=folder) as one, house(postgres_url, new=False, blobs=folder) as other:
        for _ in range(5):
            files = [await uploaded(one.caller()) for _ in range(3)]
            answers = await asyncio.gather(
                *(publish(room.caller(), attachments=files[::turn], key=f"{files[0]['id']} {turn}")
                  for room in (one, other, one, other) for turn in (1, -1))
            )  # fmt: skip
            assert {answer.status for answer in answers} <= {202, 409, 422}
            assert len({answer.json()["id"] for answer in answers if answer.status == 202}) == 1
