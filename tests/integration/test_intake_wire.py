"""Intake behind its real server: what only bytes on a socket can show."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn

from tests.integration.intake_house import House, body, house

AUTH = b"Authorization: Bearer key of the shared front end\r\n"


@asynccontextmanager
async def served(here: House) -> AsyncIterator[int]:
    """The port of a real server in this loop."""
    config = uvicorn.Config(
        here.app, log_config=None, access_log=False, server_header=False, http="httptools", lifespan="off"
    )
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await running


async def said(port: int, *pieces: bytes) -> bytes:
    """Everything the server answers until it hangs up or is silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        while more := await asyncio.wait_for(reader.read(65_536), 0.7):
            answer += more
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
    return answer


def request(*headers: bytes, raw: bytes = b"", method: bytes = b"POST", target: bytes = b"/v1/submissions") -> bytes:
    lines = (b"%s %s HTTP/1.1\r\nHost: hub\r\n" % (method, target), AUTH, *(one + b"\r\n" for one in headers), b"\r\n")
    return b"".join(lines) + raw


async def test_one_connection_carries_a_head_and_then_a_submission(tmp_path: Path) -> None:
    raw = json.dumps(body()).encode()
    with house(f"sqlite:///{tmp_path}/hub.db") as here:
        async with served(here) as port:
            answer = await said(
                port,
                request(method=b"HEAD", target=b"/v1/services"),
                request(b"Content-Length: %d" % len(raw), raw=raw),
            )
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200") and rest.startswith(b"HTTP/1.1 202")
    assert b"uvicorn" not in answer.lower()


async def test_a_chunked_body_without_end_is_cut_off_with_a_413(tmp_path: Path) -> None:
    with house(f"sqlite:///{tmp_path}/hub.db", max_body=10_000) as here:
        async with served(here) as port:
            chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
            answer = await said(port, request(b"Transfer-Encoding: chunked"), *[chunk] * 8)
    assert answer.startswith(b"HTTP/1.1 413") and b"application/problem+json" in answer


async def test_a_length_far_over_the_limit_is_refused_before_the_body_is_sent(tmp_path: Path) -> None:
    with house(f"sqlite:///{tmp_path}/hub.db") as here:
        async with served(here) as port:
            answer = await said(port, request(b"Content-Length: 99999999999"))
    assert answer.startswith(b"HTTP/1.1 413") and b"connection: close" in answer.lower()


async def test_headers_that_disagree_are_refused_by_the_server(tmp_path: Path) -> None:
    with house(f"sqlite:///{tmp_path}/hub.db") as here:
        async with served(here) as port:
            answers = [
                await said(port, request(b"Content-Length: ten")),
                await said(port, request(b"Content-Length: 5", b"Transfer-Encoding: chunked", raw=b"0\r\n\r\n")),
                await said(port, request(b"Bad\x00Header: x")),
            ]
    assert all(answer.startswith(b"HTTP/1.1 4") for answer in answers), answers


async def test_a_no_in_the_middle_of_a_large_body_reaches_a_client_that_sends_it_all_first(tmp_path: Path) -> None:
    large = b"x" * 8_000_000
    ending = (b"Connection: close", b"Content-Length: %d" % len(large))
    with house(f"sqlite:///{tmp_path}/hub.db") as here:
        async with served(here) as port:
            nowhere = await said(port, request(*ending, target=b"/v1/nowhere"), large)
            form = b"Content-Type: multipart/form-data; boundary=XX"
            broken = await said(port, request(*ending, form, target=b"/v1/attachments"), large)
    assert nowhere.startswith(b"HTTP/1.1 404") and broken.startswith(b"HTTP/1.1 400")
