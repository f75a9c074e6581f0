"""An e-mail as it is written: nothing that a resident typed becomes a header, and every mail reader can read it."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.email.messages import File, Written, write
from connectors.email.settings import EmailSettings
from hub.connector import Refused
from tests.mail import SETTINGS, message
from tests.offices import delivery

BREAKS = ["\n", "\r", "\r\n", "\0", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"]


def written(files: list[File] | None = None, settings: dict[str, Any] | None = None, **fields: Any) -> Written:
    ready = EmailSettings.model_validate({"host": "h", **SETTINGS, **(settings or {})})
    return write(message(**fields), ready, delivery("create"), case="ABCD-EFGH", files=files or [])


def read(one: Written) -> EmailMessage:
    found = message_from_bytes(one.content, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


@pytest.mark.parametrize("brk", BREAKS)
def test_a_subject_is_one_line_whatever_is_in_it(brk: str) -> None:
    found = read(written(subject=f"Bins{brk}Bcc: everybody@council.example{brk}{brk}<html>"))
    assert found["Bcc"] is None and found["To"] == "foi@council.example"
    assert found["Subject"] == "Bins Bcc: everybody@council.example <html> [ref ABCD-EFGH]"


@pytest.mark.parametrize("brk", [*BREAKS, ",", ";", " ", "<", ">", "(", '"', "\\"])
def test_a_reply_address_is_one_address_and_nothing_else(brk: str) -> None:
    with pytest.raises(ValidationError):
        message(reply_to=f"fred@example.com{brk}bcc@example.com")
    with pytest.raises(ValidationError):
        message(reply_to=f"fr{brk}ed@example.com")


@pytest.mark.parametrize("brk", BREAKS)
def test_the_name_of_a_file_is_one_line_too(brk: str) -> None:
    one = File(name=f"photo{brk}.jpg", media_type=f"image/jpeg{brk}X: y", content=b"jpeg")
    (attached,) = read(written([one])).iter_attachments()
    assert attached.get_filename() == "photo .jpg" and attached.get_content_type() == "application/octet-stream"


@pytest.mark.parametrize("media_type", ["message/rfc822", "multipart/mixed", "text/html", "", "a", "image/jpeg"])
def test_a_file_arrives_byte_for_byte_whatever_it_says_it_is(media_type: str) -> None:
    content = b"From: x\r\n\r\n.\r\n\xff\n"
    (attached,) = read(written([File(name="f", media_type=media_type, content=content)])).iter_attachments()
    assert attached.get_payload(decode=True) == content


@pytest.mark.parametrize("text", ["Zoë Müller", "漢字", "🗑" * 60, "x" * 500, "=?utf-8?q?hi?=", "a: b"])
def test_text_in_any_script_is_read_back(text: str) -> None:
    one = written(subject=text, body=text)
    body = read(one).get_body()
    assert one.content.isascii() and body is not None and body.get_content().strip("\r\n") == text
    assert str(read(one)["Subject"]).endswith("[ref ABCD-EFGH]")
    assert max(map(len, one.content.split(b"\r\n"))) <= 998


def test_our_reference_stands_in_the_subject_once() -> None:
    assert read(written(subject="Request ABCD-EFGH"))["Subject"] == "Request ABCD-EFGH"


def test_every_line_ends_as_mail_wants_it() -> None:
    content = written(body="one\ntwo\r\nthree\rfour", data={"a": 1}).content
    assert content.replace(b"\r\n", b"").count(b"\n") == content.replace(b"\r\n", b"").count(b"\r") == 0


def test_data_may_be_a_csv_file_that_no_spreadsheet_runs() -> None:
    fields = {"name": "=1+1", "list": [1, 2], "n": 3, "none": None}
    (attached,) = read(written(settings={"data_as": "csv"}, data=fields)).iter_attachments()
    assert attached.get_filename() == "ABCD-EFGH.csv"
    assert attached.get_payload(decode=True) == b'name,list,n,none\r\n\'=1+1,"[1, 2]",3,\r\n'


def test_what_cannot_be_written_is_refused() -> None:
    circle: dict[str, Any] = {}
    circle["again"] = circle
    with pytest.raises((Refused, ValidationError)):
        written(data=circle)


def test_nobody_answers_it_by_a_machine() -> None:
    found = read(written())
    assert found["Auto-Submitted"] == "auto-generated" and found["Date"] is not None and found["References"] is None
