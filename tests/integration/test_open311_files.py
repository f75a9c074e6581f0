"""Photos and files that come with reports, and multipart bodies that nobody made with good intent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.store import tables
from tests.integration.open311_house import JPEG, KEY, TIPS, Site, content, number, refused, rows, site
from tests.open311 import changed


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    with site(f"sqlite:///{tmp_path}/hub.db") as made:
        yield made


async def test_photos_come_with_the_report(here: Site) -> None:
    answer = await here.upload(
        TIPS, ("photo1", "tip.jpeg", "image/jpeg", JPEG), ("file_abc", "Lageplan ü.jpg", "image/jpeg", JPEG)
    )
    made = content(here, number(answer))
    assert [each["media_type"] for each in made["attachments"]] == ["image/jpeg"] * 2
    assert made["details"]["waste_types"] == ["asbestos", "black_bags"]


async def test_a_file_that_is_not_taken_does_not_refuse_the_report(here: Site) -> None:
    answer = await here.upload(TIPS, ("photo1", "a.exe", "image/jpeg", b"MZ\x90\x00" * 64))
    made = content(here, number(answer))
    assert "attachments" not in made and made["extra"]["files_not_kept"] in ("a.exe", ["a.exe"])


async def test_more_files_than_a_submission_holds_are_named(here: Site) -> None:
    answer = await here.upload(TIPS, *[("photo", f"{n}.jpg", "image/jpeg", JPEG) for n in range(12)])
    made = content(here, number(answer))
    assert len(made["attachments"]) == 10 and made["extra"]["files_not_kept"] == ["10.jpg", "11.jpg"]


async def test_a_repeat_with_the_same_photo_is_the_same_report(here: Site) -> None:
    photo = ("photo1", "tip.jpeg", "image/jpeg", JPEG)
    again = sorted(TIPS, key=lambda pair: pair[0], reverse=True)  # of one name in the order in which they were sent
    assert number(await here.upload(TIPS, photo)) == number(await here.upload(again, photo))
    assert len(rows(here, tables.submission)) == 1 and rows(here, tables.follow_up) == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"no boundary at all"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="api_key"\r\n\r\nk'),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nno headers\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\n" + b"A: " + b"b" * 9_000 + b"\r\n\r\n\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\n" + b"A: b\r\n" * 50 + b"\r\n\r\n--x--\r\n"),
        ("multipart/form-data; boundary=" + "x" * 300, b"--x\r\n"),
        ("multipart/form-data; boundary=\x00", b"--\x00\r\n"),
    ],
)
async def test_a_hostile_multipart_is_a_no_and_never_a_5xx(here: Site, kind: str, body: bytes) -> None:
    answer = await here.caller.post("/open311/northborough/requests.xml", body, content_type=kind)
    status, code = refused(answer)
    assert status in (400, 403, 413, 415) and code == str(status)


async def test_files_before_the_key_are_not_held_without_end(tmp_path: Path) -> None:
    with site(f"sqlite:///{tmp_path}/hub.db", max_body=20_000) as small:
        boundary = "multipart/form-data; boundary=x"
        head = b'--x\r\nContent-Disposition: form-data; name="p"; filename="p.jpg"\r\n\r\n'
        body = (
            head + b"j" * 30_000 + b'\r\n--x\r\nContent-Disposition: form-data; name="api_key"\r\n\r\n' + KEY.encode()
        )
        answer = await small.caller.post(
            "/open311/northborough/requests.xml", body + b"\r\n--x--\r\n", content_type=boundary
        )
        assert refused(answer) == (413, "413")
        big = await small.upload(changed(TIPS), ("photo1", "a.jpg", "image/jpeg", JPEG + bytes(30_000)))
        assert big.status == 200
