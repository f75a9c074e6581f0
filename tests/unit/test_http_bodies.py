"""What is put into a request arrives as it was meant, byte for byte."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_writer import StreamWriter

from hub.connector import Attachment, Http, StepKind, Unclear
from hub.connector.bodies import Parcel
from tests.peers import a_delivery, answer, peer


async def arrived(**parts: Any) -> tuple[str, Message, bytes]:
    """The request line, headers and body that a POST with these parts makes."""
    http = Http(timeout=timedelta(seconds=5))
    async with peer(answer(200)) as office:
        await http.write(a_delivery(StepKind.UPDATE), "POST", office.url + "/a%20b", **parts)
    await http.close()
    head, _, body = office.heard[0].partition(b"\r\n\r\n")
    line, _, headers = head.partition(b"\r\n")
    return line.decode(), message_from_bytes(headers + b"\r\n\r\n"), body


def a_file(content: bytes, *, name: str = "bin.jpg", size: int | None = None) -> Attachment:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 1000):
            yield content[start : start + 1000]

    return Attachment(name=name, media_type="image/jpeg", size=len(content) if size is None else size, chunks=chunks)


def fields(headers: Message, body: bytes) -> list[tuple[Any, ...]]:
    whole = message_from_bytes(b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body)
    return [
        (one.get_param("name", header="content-disposition"), one.get_filename(), one.get_payload(decode=True))
        for one in whole.walk()
        if not one.is_multipart()
    ]


async def test_json_keeps_welsh_emoji_and_its_type() -> None:
    _, headers, body = await arrived(json={"name": "Siân 🚮", "n": 1})
    assert body.decode() == '{"name":"Siân 🚮","n":1}'
    assert headers["Content-Type"] == "application/json"
    assert headers["Content-Length"] == str(len(body))


async def test_a_form_is_url_encoded() -> None:
    _, headers, body = await arrived(form={"name": "Siân & Jo", "a": "1"})
    assert parse_qsl(body.decode()) == [("name", "Siân & Jo"), ("a", "1")]
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"


async def test_the_connectors_own_content_type_wins() -> None:
    _, headers, body = await arrived(content="<a/>", headers={"content-type": "text/xml"})
    assert (headers.get_all("Content-Type"), body) == (["text/xml"], b"<a/>")


async def test_parameters_join_the_address_as_it_was_written() -> None:
    line, _, _ = await arrived(params=[("q", "a b&c"), ("q", "é")], json={})
    assert line == "POST /a%20b?q=a+b%26c&q=%C3%A9 HTTP/1.1"


async def test_basic_auth_is_utf8() -> None:
    _, headers, _ = await arrived(auth=("hub", "pâss:word"), json={})
    assert headers["Authorization"] == "Basic " + b64encode("hub:pâss:word".encode()).decode()


async def test_a_write_without_a_body_says_so() -> None:
    _, headers, body = await arrived()
    assert (headers["Content-Length"], body) == ("0", b"")


async def test_files_stream_with_their_length_known_and_fields_in_order() -> None:
    photo = bytes(range(256)) * 1000
    _, headers, body = await arrived(multipart=[("case", "é"), ("photo", a_file(photo)), ("raw", b"\x00\xff")])
    assert fields(headers, body) == [
        ("case", None, "é".encode()),
        ("photo", "bin.jpg", photo),
        ("raw", None, b"\x00\xff"),
    ]
    assert headers["Content-Length"] == str(len(body)) and "Transfer-Encoding" not in headers


async def test_a_file_name_cannot_break_out_of_its_header() -> None:
    _, headers, body = await arrived(multipart={"photo": a_file(b"x", name='a"\r\nX-Evil: 1\r\n\r\n.jpg')})
    assert fields(headers, body) == [("photo", "a%22%0D%0AX-Evil: 1%0D%0A%0D%0A.jpg", b"x")]


@pytest.mark.parametrize("size", [10, 3000])
async def test_a_file_of_another_length_than_it_said_spoils_no_other_call(size: int) -> None:
    http = Http(timeout=timedelta(seconds=2))
    async with peer(answer(200)) as office:
        photo = a_file(b"x" * 2000, size=size)
        with pytest.raises(Unclear):
            await http.write(a_delivery(StepKind.ATTACH), "POST", office.url, multipart={"photo": photo})
        await http.write(a_delivery(), "POST", office.url, json={"next": 1})
    await http.close()
    assert office.heard[-1].endswith(b'{"next":1}')


async def test_a_large_body_warns_of_nothing_and_arrives_whole() -> None:
    _, _, body = await arrived(content=b"x" * 3_000_000)
    assert len(body) == 3_000_000


async def test_two_bodies_are_a_mistake_of_the_connector() -> None:
    http = Http()
    with pytest.raises(TypeError, match="json and form"):
        await http.read("POST", "http://127.0.0.1:9/", json={}, form={})


async def test_a_parcel_that_found_its_connection_closed_never_left() -> None:
    loop = asyncio.get_running_loop()
    parcel = Parcel([b"hello"], media_type="text/plain")
    with pytest.raises(aiohttp.ClientConnectionResetError):
        await parcel.write_with_length(StreamWriter(BaseProtocol(loop), loop), None)
    assert not parcel.left
