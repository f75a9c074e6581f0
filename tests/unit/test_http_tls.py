"""A certificate that does not verify is ours to mend; a handshake that breaks off is not."""

from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from hub.connector import DeliveryFailure, Http, Misconfigured, Unavailable
from tests.peers import a_certificate, a_delivery, answer, hangs_up_at_once, peer

SOON = timedelta(seconds=2)


async def written(url: str, *, trust: Path | None = None) -> DeliveryFailure | int:
    http = Http(timeout=SOON, ssl=ssl.create_default_context(cafile=trust) if trust else None)
    try:
        return (await http.write(a_delivery(), "POST", url, json={})).status
    except DeliveryFailure as failure:
        return failure
    finally:
        await http.close()


async def test_a_certificate_that_we_trust_is_spoken_to(tmp_path: Path) -> None:
    certificate = a_certificate(tmp_path)
    async with peer(answer(200), tls=certificate.server()) as office:
        assert await written(office.url, trust=certificate.path) == 200


@pytest.mark.parametrize(
    ("name", "days", "trusted"), [("127.0.0.1", 1, False), ("127.0.0.1", -1, True), ("x.example", 1, True)]
)
async def test_a_certificate_unknown_ended_or_of_another_name_is_ours_to_mend(
    tmp_path: Path, name: str, days: int, trusted: bool
) -> None:
    certificate = a_certificate(tmp_path, name=name, days=days)
    async with peer(answer(200), tls=certificate.server()) as office:
        failure = await written(office.url, trust=certificate.path if trusted else None)
        assert isinstance(failure, Misconfigured) and failure.code == "certificate"
        assert office.heard == []


async def test_a_handshake_that_is_cut_is_unavailable() -> None:
    async with peer(hangs_up_at_once) as office:
        failure = await written(office.url.replace("http:", "https:"))
    assert isinstance(failure, Unavailable)


async def test_a_server_that_speaks_no_tls_is_unavailable() -> None:
    async with peer(answer(400)) as office:
        failure = await written(office.url.replace("http:", "https:"))
    assert isinstance(failure, Unavailable) and failure.code in {"tls", "connect", "connect_timeout"}


async def test_a_handshake_without_a_version_in_common_is_unavailable(tmp_path: Path) -> None:
    certificate = a_certificate(tmp_path)
    server = certificate.server()
    server.minimum_version = ssl.TLSVersion.TLSv1_3
    ours = ssl.create_default_context(cafile=certificate.path)
    ours.maximum_version = ssl.TLSVersion.TLSv1_2
    http = Http(timeout=SOON, ssl=ours)
    async with peer(answer(200), tls=server) as office:
        with pytest.raises(Unavailable):
            await http.write(a_delivery(), "POST", office.url, json={})
    await http.close()
