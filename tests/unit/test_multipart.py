"""Forms are read part by part, however they are cut on the way."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from hub.intake.multipart import parts
from hub.intake.problems import Stop
from tests.files import JPEG, form, part

WHOLE = form(
    part(b"hello", field="about", filename=None), part(JPEG, filename="bín.jpg"), part(b"", field="empty", filename="")
)


async def read(body: bytes, *, step: int = 0, cap: int = 10_000, told: str = "multipart/form-data; boundary=XX") -> Any:
    """Each part as (field, filename, content)."""
    chunks = [body[at : at + (step or len(body))] for at in range(0, len(body), step or max(len(body), 1))] or [b""]
    coming = [{"type": "http.request", "body": chunk, "more_body": at < len(chunks) - 1}
              for at, chunk in enumerate(chunks)]  # fmt: skip

    async def receive() -> Any:
        return coming.pop(0) if coming else {"type": "http.disconnect"}

    scope = {"headers": [(b"content-type", told.encode())]}
    return [
        (one.field, one.filename, b"".join([chunk async for chunk in one.chunks()]))
        async for one in parts(scope, receive, cap=cap)
    ]


@pytest.mark.parametrize("step", [0, 1, 2, 3, 5, 64])
async def test_a_form_is_the_same_however_it_is_cut(step: int) -> None:
    assert await read(WHOLE, step=step) == [
        ("about", None, b"hello"), ("file", "bín.jpg", JPEG), ("empty", "", b""),
    ]  # fmt: skip


async def test_what_looks_like_a_boundary_is_content() -> None:
    content = b"--XX \r\n--X\r\n-\r\n--\r\n\r\n--XY--"
    assert (await read(form(part(content)), step=3))[0][2] == content


@pytest.mark.parametrize(
    "body",
    [
        b"", b"nonsense", WHOLE[:-8], WHOLE.replace(b"form-data", b"attachment"),
        b"--XX\r\nno header\r\n\r\nx\r\n--XX--",
        form(part(JPEG).replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n", 1)),
    ],
)  # fmt: skip
async def test_a_broken_form_is_a_clear_400(body: bytes) -> None:
    with pytest.raises(Stop) as said:
        await read(body)
    assert said.value.problem.status == 400


@pytest.mark.parametrize("told", ["application/json", "multipart/form-data", "multipart/mixed; boundary=XX", ""])
async def test_another_kind_of_body_is_a_415(told: str) -> None:
    with pytest.raises(Stop) as said:
        await read(WHOLE, told=told)
    assert said.value.problem.status == 415


@pytest.mark.parametrize("step", [0, 16])
async def test_a_form_over_its_cap_is_a_413(step: int) -> None:
    with pytest.raises(Stop) as said:
        await read(WHOLE, cap=100, step=step)
    assert said.value.problem.status == 413


async def test_a_caller_that_hangs_up_is_no_form() -> None:
    async def receive() -> Any:
        return {"type": "http.disconnect"}

    form_of_nobody = parts({"headers": [(b"content-type", b"multipart/form-data; boundary=XX")]}, receive, cap=9)
    with pytest.raises(ClientDisconnect):
        await anext(form_of_nobody)
