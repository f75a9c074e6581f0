"""Files in a folder: whole or not at all, once and under names that lead nowhere else."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.folder import Folder, FolderSettings
from hub.connector import DeliveryFailure, Misconfigured, Refused, Unavailable, http_evidence
from tests.drops import CASE, attaching, document, file, files, folder, follow_up, parts
from tests.offices import delivery


async def test_a_record_becomes_a_file_of_its_own(tmp_path: Path) -> None:
    step = delivery("create")
    receipt = await folder(tmp_path).create(document(name="Zoë", containers=[{"n": 2}], gone=None), step)
    (name, content) = files(tmp_path).popitem()
    assert name == "ABCD-EFGH.json" and receipt.reference == step.taken == "ABCD-EFGH"
    assert json.loads(content) == {"name": "Zoë", "containers": [{"n": 2}], "gone": None}
    assert parts(tmp_path) == []


async def test_a_csv_file_has_the_columns_of_its_council_in_their_order(tmp_path: Path) -> None:
    connector = folder(tmp_path, format="csv", columns=["Ref", "Date received", "Notes"], separator=";")
    record = type(connector).operations["create"].record
    await connector.create(record.model_validate({"Notes": "=1+1", "Ref": 7}), delivery("create"))
    assert files(tmp_path) == {"ABCD-EFGH.csv": b"Ref;Date received;Notes\r\n7;;'=1+1\r\n"}
    with pytest.raises(ValidationError, match="extra_forbidden"):
        record.model_validate({"Note": "misspelt"})


async def test_the_same_again_is_the_receipt_and_no_second_file(tmp_path: Path) -> None:
    connector, again = folder(tmp_path), delivery("create")
    await connector.create(document(), delivery("create"))
    before = (tmp_path / "ABCD-EFGH.json").stat().st_ino
    assert (await connector.create(document(), again)).reference == again.taken == "ABCD-EFGH"
    assert (tmp_path / "ABCD-EFGH.json").stat().st_ino == before and parts(tmp_path) == []


async def test_the_same_again_is_the_receipt_when_it_was_picked_up_long_ago(tmp_path: Path) -> None:
    await folder(tmp_path).create(document(), delivery("create"))
    (tmp_path / "ABCD-EFGH.json").unlink()
    again = delivery("create")
    await folder(tmp_path).create(document(), again)
    assert files(tmp_path) == {} and again.writes == 0 and again.taken == "ABCD-EFGH"


@pytest.mark.parametrize("picked_up", [True, False])
async def test_other_content_under_our_reference_is_a_persons(tmp_path: Path, picked_up: bool) -> None:
    await folder(tmp_path).create(document(uprn="1"), delivery("create"))
    if picked_up:
        (tmp_path / "ABCD-EFGH.json").unlink()
    with pytest.raises(Refused) as refused:
        await folder(tmp_path).create(document(uprn="2"), delivery("create"))
    assert refused.value.code == "folder_other_content" and parts(tmp_path) == []


async def test_a_strangers_file_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "ABCD-EFGH.json").write_text("theirs")
    step = delivery("create")
    with pytest.raises(Refused) as refused:
        await folder(tmp_path).create(document(), step)
    assert refused.value.code == "folder_name_taken" and step.writes == 0
    assert files(tmp_path) == {"ABCD-EFGH.json": b"theirs"}


async def test_a_strangers_file_that_appears_at_the_last_moment_is_not_written_over_either(tmp_path: Path) -> None:
    step = delivery("create")

    async def sending() -> None:
        (tmp_path / "ABCD-EFGH.json").write_text("theirs")

    step.on_sending = sending
    with pytest.raises(Refused):
        await folder(tmp_path).create(document(), step)
    (tmp_path / "ABCD-EFGH.json").unlink()
    await folder(tmp_path).create(document(), delivery("create"))  # nothing of the first try was counted as put there
    assert len(files(tmp_path)) == 1 and parts(tmp_path) == []


async def test_a_hub_that_dies_just_before_has_put_nothing_there_and_the_next_one_does(tmp_path: Path) -> None:
    step = delivery("create")

    async def dies() -> None:
        assert files(tmp_path) == {}
        raise KeyboardInterrupt

    step.on_sending = dies
    with pytest.raises(KeyboardInterrupt):
        await folder(tmp_path).create(document(uprn="1"), step)
    await folder(tmp_path).create(document(uprn="2"), delivery("create"))  # the mapping has been mended meanwhile
    assert json.loads(files(tmp_path)["ABCD-EFGH.json"]) == {"uprn": "2"} and parts(tmp_path) == []


async def test_a_worker_that_was_thought_dead_cannot_put_its_file_there_any_more(tmp_path: Path) -> None:
    late = delivery("create")

    async def overtaken() -> None:
        await folder(tmp_path).create(document(), delivery("create"))
        (tmp_path / "ABCD-EFGH.json").unlink()  # picked up at once

    late.on_sending = overtaken
    with pytest.raises(DeliveryFailure):
        await folder(tmp_path).create(document(), late)
    assert files(tmp_path) == {}


async def test_updates_are_files_of_their_own_named_after_their_case(tmp_path: Path) -> None:
    connector = folder(tmp_path)
    await connector.update(document(text="Still there"), CASE, follow_up())
    await connector.cancel(document(text="Never mind"), CASE, follow_up("cancel", ours="ABCD-EFGH-u2"))
    assert list(files(tmp_path)) == ["ABCD-EFGH.cancel.ABCD-EFGH-u2.json", "ABCD-EFGH.update.ABCD-EFGH-u1.json"]


async def test_attachments_stand_in_a_folder_beside_it(tmp_path: Path) -> None:
    connector = folder(tmp_path)
    for content in (b"one", b"two", b"one"):
        await connector.attach(file("photo.jpg", content), CASE, attaching())
    first, second = files(tmp_path).items()
    assert {first[1], second[1]} == {b"one", b"two"} and "ABCD-EFGH/photo.jpg" in (first[0], second[0])


async def test_photos_of_one_name_that_are_sent_at_once_are_all_there(tmp_path: Path) -> None:
    connector = folder(tmp_path)
    contents = [bytes([n]) * 100 for n in range(6)]
    for _ in range(2):  # and a second time as a repeat
        tries = (connector.attach(file("image.jpg", content), CASE, attaching()) for content in contents)
        await asyncio.gather(*tries)
        assert sorted(files(tmp_path).values()) == contents and "ABCD-EFGH/image.jpg" in files(tmp_path)


async def test_an_attachment_that_was_picked_up_is_not_put_there_again_and_its_namesake_is(tmp_path: Path) -> None:
    connector = folder(tmp_path)
    await connector.attach(file("photo.jpg", b"one"), CASE, attaching())
    (tmp_path / "ABCD-EFGH" / "photo.jpg").unlink()
    (tmp_path / "ABCD-EFGH").rmdir()
    await connector.attach(file("photo.jpg", b"one"), CASE, attaching())
    assert files(tmp_path) == {}
    await connector.attach(file("photo.jpg", b"two"), CASE, attaching())
    assert list(files(tmp_path).values()) == [b"two"] and "ABCD-EFGH/photo.jpg" not in files(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "..\\..\\boot.ini", "/etc/passwd", ".bashrc", "..", "", "a\0b", "con.txt", "x" * 500 + ".jpg",
     "Zoë's bin (2).jpeg", "漢字.png", ". . /x", "a\nb.txt", "~", "tab\there"],
)  # fmt: skip
async def test_no_name_of_a_resident_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "drop").mkdir()
    await folder(tmp_path / "drop").attach(file(name), CASE, attaching())
    (found,) = files(tmp_path)
    where, last = found.rsplit("/", 1)
    assert where == "drop/ABCD-EFGH" and last.isascii() and last.isprintable() and not last.startswith(".")
    assert 0 < len(last) <= 100 and "~" not in last


async def test_no_reference_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    step = delivery("create", our_reference="../../x")
    await folder(tmp_path / "drop").create(document(), step)
    assert all(name.startswith("drop/") for name in files(tmp_path))


@pytest.mark.parametrize(
    "name", ["{our_reference}/x.json", "../{our_reference}", ".{our_reference}", "request.json", "{our_reference!r}",
             "{our_reference}{name}", "{our_reference.__class__}", "{our_reference}\n"],
)  # fmt: skip
def test_a_template_that_leads_elsewhere_or_gives_two_the_same_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        FolderSettings(folder="/srv/x", file_name=name)


async def test_a_template_may_hold_the_london_date_of_receipt(tmp_path: Path) -> None:
    connector = folder(tmp_path, file_name="{date} {operation} {our_reference}.json")
    await connector.create(document(), delivery("create"))
    await connector.update(document(), CASE, follow_up())
    assert list(files(tmp_path)) == [
        "2026-11-23 create ABCD-EFGH.json",
        "2026-11-23 update ABCD-EFGH.update.ABCD-EFGH-u1.json",
    ]


async def test_files_have_the_permissions_that_the_other_system_needs(tmp_path: Path) -> None:
    connector = folder(tmp_path, permissions="0664")
    await connector.create(document(), delivery("create"))
    await connector.attach(file(), CASE, attaching())
    modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ABCD-EFGH.json", "ABCD-EFGH")}
    assert modes == {"ABCD-EFGH.json": 0o664, "ABCD-EFGH": 0o775}


@pytest.mark.parametrize(("made", "marker"), [(False, None), (True, "SHARE")])
async def test_a_folder_that_is_not_the_one_pauses_its_destination(
    tmp_path: Path, made: bool, marker: str | None
) -> None:
    drop = tmp_path / "drop"
    if made:
        drop.mkdir()
    connector, step = folder(drop, marker=marker), delivery("create")
    with pytest.raises(Misconfigured) as failure:
        await connector.create(document(), step)
    assert failure.value.code == "folder_missing" and step.writes == 0 and not (await connector.check()).ok
    drop.mkdir(exist_ok=True)
    (drop / "SHARE").touch()
    assert (await connector.check()).ok


async def test_a_folder_that_nobody_empties_is_left_alone(tmp_path: Path) -> None:
    connector = folder(tmp_path, most_waiting=2)
    for n in range(2):
        (tmp_path / f"{n}.json").touch()
    with pytest.raises(Unavailable) as failure:
        await connector.create(document(), delivery("create"))
    assert failure.value.code == "folder_not_picked_up"
    (tmp_path / "0.json").unlink()
    await connector.create(document(), delivery("create"))


async def test_check_leaves_nothing_behind(tmp_path: Path) -> None:
    assert (await folder(tmp_path).check()).ok
    assert files(tmp_path) == {} and parts(tmp_path) == []


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder in another file system than the test's own."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs two file systems")
    made = Path(tempfile.mkdtemp(dir=memory))
    yield made
    shutil.rmtree(made)


async def test_work_in_another_file_system_is_said_to_be(tmp_path: Path, elsewhere: Path) -> None:
    with pytest.raises(Misconfigured) as failure:
        await folder(tmp_path, work=str(elsewhere)).create(document(), delivery("create"))
    assert failure.value.code == "folder_work_elsewhere"
    assert files(elsewhere) == {}


async def test_what_killed_workers_left_behind_is_swept_up_but_never_what_was_about_to_be_put_there(
    tmp_path: Path,
) -> None:
    async def dies() -> None:
        raise KeyboardInterrupt

    step = delivery("create")
    step.on_sending = dies
    with pytest.raises(KeyboardInterrupt):
        await folder(tmp_path).create(document(), step)
    (noted,) = parts(tmp_path)
    work = tmp_path / ".council-hub" / "parts"
    (work / "deadbeef.part").touch()
    for path in work.iterdir():
        os.utime(path, (time.time() - 200_000,) * 2)
    assert (await folder(tmp_path).check()).ok
    assert parts(tmp_path) == [noted]


async def test_notes_are_forgotten_in_time(tmp_path: Path) -> None:
    await folder(tmp_path).create(document(), delivery("create"))
    day = tmp_path / ".council-hub" / "notes" / "2026-11-23"
    assert day.is_dir()
    os.utime(day, (time.time() - 91 * 86_400,) * 2)
    assert (await folder(tmp_path).check()).ok
    assert not day.exists()


async def test_a_note_that_was_cut_short_counts_for_nothing(tmp_path: Path) -> None:
    note = tmp_path / ".council-hub" / "notes" / "2026-11-23" / "ABCD-EFGH.json"
    note.parent.mkdir(parents=True)
    note.write_text("")
    await folder(tmp_path).create(document(), delivery("create"))
    assert len(files(tmp_path)) == 1


async def test_a_value_that_json_cannot_write_is_refused_before_anything(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        await folder(tmp_path).create(document(number=float("nan")), delivery("create"))
    assert refused.value.code == "unsendable" and files(tmp_path) == {}


async def test_evidence_shows_the_file_and_an_attachment_by_its_size(tmp_path: Path) -> None:
    connector = folder(tmp_path)
    with http_evidence() as log:
        await connector.create(document(), delivery("create"))
        await connector.attach(file(content=b"x" * 300), CASE, attaching())
    created, attached = log
    assert b"100012345678" in created.request and created.url == f"{tmp_path}/ABCD-EFGH.json"
    assert attached.request == "‹photo.jpg, image/jpeg, 300 bytes›".encode()


def test_columns_belong_to_csv_and_are_told_apart() -> None:
    for wrong in ({"format": "csv"}, {"columns": ["a"]}, {"format": "csv", "columns": ["a", "a"]}):
        with pytest.raises(ValidationError):
            FolderSettings.model_validate({"folder": "/srv/x", **wrong})
    assert Folder.configured({"folder": "/srv/x"}) is Folder
