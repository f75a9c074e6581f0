"""A file is what its bytes say, whatever it is called."""

from __future__ import annotations

import pytest

from hub.standard.file_names import LONGEST, safe_name
from hub.standard.file_types import TAKEN, NotTaken, Sniffer

ZIP = b"PK\x03\x04" + b"\x00" * 26
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600


def wide(text: str) -> bytes:
    return text.encode("utf-16-le")


SAMPLES = {
    "image/jpeg": b"\xff\xd8\xff\xe1rest",
    "image/png": b"\x89PNG\r\n\x1a\nrest",
    "image/gif": b"GIF89arest",
    "image/webp": b"RIFF\x10\x00\x00\x00WEBPVP8 ",
    "image/heic": b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic",
    "application/pdf": b"\xef\xbb\xbf\n%PDF-1.4\n",
    "application/msword": OLE + wide("WordDocument"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ZIP + b"[Content_Types].xml" * 9000
    + b"word/document.xml",
    "application/vnd.ms-excel": OLE + b"\x00" * 70_000 + wide("Workbook"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ZIP + b"xl/workbook.xml",
    "application/vnd.oasis.opendocument.text": ZIP + b"mimetypeapplication/vnd.oasis.opendocument.textPK",
    "text/plain": "Left behind again, says Siôn. <3\n".encode(),
    "application/vnd.ms-outlook": OLE + wide("__properties_version1.0") + wide("WordDocument"),
    "video/mp4": b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42",
    "video/quicktime": b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  ",
}  # fmt: skip
REFUSED = {
    "nothing": b"",
    "a Windows program": b"MZ\x90\x00\x03\x00",
    "a Linux program": b"\x7fELF\x02\x01\x01\x00",
    "a web page": b"  \n<!DOCTYPE html><p>hello",
    "a drawing with scripts": b'<?xml version="1.0"?><svg onload="x()"/>',
    "a shell script": b"#!/bin/sh\nrm -rf ~\n",
    "any archive": ZIP + b"holiday.jpg",
    "a document with macros": ZIP + b"word/document.xml" + b"word/vbaProject.bin",
    "an old document with macros": OLE + wide("_VBA_PROJECT") + wide("WordDocument"),
    "an unknown film": b"\x00\x00\x00\x14ftypcrx \x00\x00\x00\x01crx ",
}


def sniff(content: bytes, *, step: int = 0, name: str = "", told: str = "") -> str:
    sniffer = Sniffer()
    for at in range(0, len(content), step or len(content) or 1):
        sniffer.feed(content[at : at + (step or len(content))])
    return sniffer.answer(name=name, told=told)


@pytest.mark.parametrize("step", [0, 1, 7, 65_536])
@pytest.mark.parametrize("media_type", SAMPLES)
def test_each_type_is_known_however_its_bytes_come(media_type: str, step: int) -> None:
    assert sniff(SAMPLES[media_type], step=step) == media_type


@pytest.mark.parametrize("what", REFUSED)
def test_what_could_do_something_is_refused_whatever_it_is_called(what: str) -> None:
    with pytest.raises(NotTaken, match="JPEG, PNG"):
        sniff(REFUSED[what], name="photo.jpg", told="image/jpeg")


@pytest.mark.parametrize(
    ("name", "told", "found"),
    [
        ("rounds.csv", "", "text/csv"),
        ("rounds", "text/csv; charset=utf-8", "text/csv"),
        ("letter.eml", "", "text/plain"),
        ("letter", "", "text/plain"),
    ],
)
def test_of_a_text_its_name_says_more_than_its_bytes(name: str, told: str, found: str) -> None:
    assert sniff(b"a,b\n1,2\n", name=name, told=told) == found


def test_an_email_is_one_when_it_has_headers() -> None:
    assert sniff(b"From: a\r\nTo: b\r\nSubject: bins\r\n\r\nHello", name="letter.eml") == "message/rfc822"


@pytest.mark.parametrize(("name", "told"), [("run.js", ""), ("page.html", ""), ("x", "image/svg+xml"), ("x.ps1", "")])
def test_a_text_that_something_would_run_is_refused(name: str, told: str) -> None:
    with pytest.raises(NotTaken):
        sniff(b"alert(1)", name=name, told=told)


@pytest.mark.parametrize("text", ["café".encode("cp1252"), "café".encode("utf-16"), "﻿café".encode()])
def test_old_ways_of_writing_are_text(text: bytes) -> None:
    assert sniff(text) == "text/plain"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("bin.jpg", "bin.jpg"),
        ("IMG 1234.JPEG", "IMG 1234.jpeg"),
        ("../../etc/passwd", "passwd.jpg"),
        ("C:\\Users\\sion\\con.jpg", "_con.jpg"),
        ("a\u202egpj.exe", "agpj.exe.jpg"),
        ("x\x00\r\ny.jpg", "x y.jpg"),
        ("", "file.jpg"),
        (" . ", "file.jpg"),
        ("biniau gwyrdd 🗑️.jpg", "biniau gwyrdd 🗑️.jpg"),
    ],
)
def test_a_name_is_safe_and_true_to_its_type(name: str, safe: str) -> None:
    assert safe_name(name, media_type="image/jpeg") == safe


def test_a_long_name_keeps_its_extension() -> None:
    made = safe_name("a" * 500 + ".jpg", media_type="image/jpeg")
    assert len(made) == LONGEST and made.endswith(".jpg")


def test_a_safe_name_is_safe_again() -> None:
    for media_type in TAKEN:
        once = safe_name("what.ever", media_type=media_type)
        assert safe_name(once, media_type=media_type) == once
