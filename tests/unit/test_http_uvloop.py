"""The seam means the same on uvloop, which production runs on."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.connector import DeliveryFailure, Http
from tests import peers
from tests.peers import a_certificate, a_delivery, answer, peer

uvloop = pytest.importorskip("uvloop")


def meant(call: Coroutine[Any, Any, str]) -> str:
    found: str = uvloop.run(call)
    return found


async def written(url: str) -> str:
    http = Http(timeout=timedelta(seconds=0.4), connect_timeout=timedelta(seconds=0.2))
    try:
        return str((await http.write(a_delivery(), "POST", url, json={})).status)
    except DeliveryFailure as failure:
        return f"{type(failure).__name__} {failure.code}"
    finally:
        await http.close()


async def written_to(manner: peers.Manner | bytes) -> str:
    async with peer(manner) as office:
        return await written(office.url)


@pytest.mark.parametrize(
    ("manner", "meaning"),
    [
        (answer(200), "200"),
        (peers.resets, "Unclear reset"),
        (peers.hangs_up, "Unclear hung_up"),
        (peers.never_answers, "Unclear read_timeout"),
        (peers.drips, "Unclear deadline"),
        (peers.stops_halfway, "Unclear broken_answer"),
        (peers.resets_halfway, "Unclear broken_answer"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "Unclear not_http"),
    ],
)
def test_a_call_means_the_same_on_uvloop(manner: peers.Manner | bytes, meaning: str) -> None:
    assert meant(written_to(manner)) == meaning


def test_nobody_there_means_the_same_on_uvloop() -> None:
    with peers.nobody() as url:
        assert meant(written(url)) == "Unavailable connect_refused"
    with peers.deaf() as url:
        assert meant(written(url)) == "Unavailable connect_timeout"


def test_a_certificate_means_the_same_on_uvloop(tmp_path: Path) -> None:
    async def call() -> str:
        async with peer(answer(200), tls=a_certificate(tmp_path).server()) as office:
            return await written(office.url)

    assert meant(call()) == "Misconfigured certificate"


def test_a_cut_handshake_means_the_same_on_uvloop() -> None:
    async def call() -> str:
        async with peer(peers.hangs_up_at_once) as office:
            return await written(office.url.replace("http:", "https:"))

    assert meant(call()).startswith("Unavailable")
