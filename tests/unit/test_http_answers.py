"""What an answer says, and what it means when it says nothing that can be read."""

from __future__ import annotations

import pytest

from hub.connector import Answer, Unavailable, Unclear

BOMB = (
    '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">'
    '<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;">]>'
)


def an_answer(body: bytes, content_type: str = "", *, written: bool = True) -> Answer:
    return Answer(status=200, headers={"Content-Type": content_type}, body=body, written=written)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('{"a": "é"}'.encode(), ""),
        ('{"a": "é"}'.encode("utf-8-sig"), "application/json"),
        ('{"a": "é"}'.encode("utf-16"), "application/json"),
        ('{"a": "é"}'.encode("latin-1"), "application/json; charset=ISO-8859-1"),
        ('{"a": "é"}'.encode(), "application/json; charset=no-such-thing"),
        ('{"a": "é"}'.encode(), "application/json; charset=base64"),
    ],
)
def test_json_is_read_in_whatever_charset_it_came(body: bytes, content_type: str) -> None:
    assert an_answer(body, content_type).json() == {"a": "é"}


@pytest.mark.parametrize("body", [b"", b"<html>Jo</html>", b'{"a":', b"\xff\xfe\xfd", b"[" * 200_000, b"9" * 10_000])
def test_what_is_no_json_is_unclear_on_a_write_and_unavailable_on_a_read(body: bytes) -> None:
    for written, kind in ((True, Unclear), (False, Unavailable)):
        with pytest.raises(kind) as raised:
            an_answer(body, written=written).json()
        assert raised.value.code == "not_json"
        assert "Jo" not in str(raised.value) and raised.value.__cause__ is None


def test_the_text_is_kept_as_a_reason_for_a_person_to_read() -> None:
    with pytest.raises(Unclear) as raised:
        an_answer(b"<html>Gateway of the council</html>").json()
    assert raised.value.reasons == ("<html>Gateway of the council</html>",)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("<a>é</a>".encode(), "text/xml"),
        ("<a>é</a>".encode("utf-8-sig"), "text/xml"),
        ('<?xml version="1.0" encoding="iso-8859-1"?><a>é</a>'.encode("latin-1"), "text/xml; charset=utf-8"),
        ('<?xml version="1.0" encoding="utf-16"?><a>é</a>'.encode("utf-16"), "text/xml"),
        ("<a>é</a>".encode("latin-1"), "text/xml; charset=ISO-8859-1"),
        ("<!-- about --><a>é<!-- more --></a>".encode(), "text/xml"),
    ],
)
def test_xml_is_read_in_whatever_charset_it_came(body: bytes, content_type: str) -> None:
    assert an_answer(body, content_type).xml().text == "é"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_xml"),
        (b"<html><br></html>", "not_xml"),
        (b"<a><b>", "not_xml"),
        (b'{"a": 1}', "not_xml"),
        ("<a>é</a>".encode("latin-1"), "not_xml"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "not_xml"),
        (b"<a>" * 5000, "not_xml"),
        (b"<!DOCTYPE html><html></html>", "dtd"),
        ((BOMB + "<a>&e;</a>").encode(), "dtd"),
        ((BOMB + '<a b="&e;"/>').encode(), "dtd"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "dtd"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "dtd"),
        ((BOMB + "<a>&e;</a>").encode("utf-16"), "dtd"),
    ],
)
def test_what_is_no_xml_or_brings_a_dtd_is_unclear_on_a_write(body: bytes, code: str) -> None:
    with pytest.raises(Unclear) as raised:
        an_answer(body).xml()
    assert raised.value.code == code


def test_text_that_is_not_of_its_charset_is_unclear() -> None:
    with pytest.raises(Unclear) as raised:
        an_answer(b"\xff\xff").text()
    assert raised.value.code == "not_text"


def test_a_connector_names_what_it_missed_in_an_answer() -> None:
    failure = an_answer(b'{"ok": true}').puzzling("no_reference")
    assert (type(failure), failure.code, failure.reasons) == (Unclear, "no_reference", ('{"ok": true}',))
