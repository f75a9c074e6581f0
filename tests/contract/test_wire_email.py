"""Our e-mails to a mail server that is not ours (aiosmtpd): TLS, signing in, and what is in the mailbox after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.connector import DeliveryFailure, Misconfigured, Receipt, Refused
from tests.drops import attaching, file
from tests.mail import PASSWORD, Mailbag, certificate, email, knows, message, stranger
from tests.offices import delivery


async def failed(connector: Any) -> DeliveryFailure:
    with pytest.raises(DeliveryFailure) as caught:
        await connector.create(message(), delivery("create"))
    return caught.value


async def test_an_email_is_in_the_mailbox_as_it_was_written() -> None:
    bag, body = Mailbag(), ".\n.. dots\nZoë 漢 🗑\n" + "long " * 500
    async with stranger(bag) as port:
        await email("127.0.0.1", port).create(
            message(body=body, subject="Zoë’s bins", reply_to="fred@example.com", data={"zoë": 1}), delivery("create")
        )
    found = bag.read()
    text = found.get_body(("plain",))
    assert text is not None and text.get_content().replace("\r\n", "\n").rstrip("\n") == body
    assert found["Subject"] == "Zoë’s bins [ref ABCD-EFGH]" and found["Reply-To"] == "fred@example.com"
    assert bag.kept[0].rcpt_tos == ["foi@council.example"] and bag.kept[0].mail_from == "hub@council.example"


async def test_a_server_that_takes_more_than_ascii_gets_it() -> None:
    bag = Mailbag()
    async with stranger(bag) as port:
        await email("127.0.0.1", port).create(message(reply_to="zoë@example.com"), delivery("create"))
    assert bag.read()["Reply-To"] == "zoë@example.com"
    assert {"SMTPUTF8", "BODY=8BITMIME"} <= set(bag.kept[0].mail_options)


async def test_a_large_file_is_in_the_mailbox_byte_for_byte() -> None:
    bag, content = Mailbag(), bytes(range(256)) * 8000
    async with stranger(bag) as port:
        await email("127.0.0.1", port).attach(file(content=content), Receipt(reference="ABCD-EFGH"), attaching())
    (attached,) = bag.read().iter_attachments()
    assert attached.get_content() == content and bag.read()["References"] == "<ABCD-EFGH.create@council.example>"


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_tls_with_a_certificate_of_the_councils_own(tmp_path: Path, security: str) -> None:
    ca, serves = certificate(tmp_path)
    bag = Mailbag()
    async with stranger(bag, tls=serves, start=security == "starttls") as port:
        connector = email("127.0.0.1", port, security=security, trust=str(ca))
        await connector.create(message(), delivery("create"))
        assert (await connector.check()).ok
        stranger_to_us = email("127.0.0.1", port, security=security)
        failure = await failed(stranger_to_us)
    assert isinstance(failure, Misconfigured) and failure.code == "certificate"
    assert len(bag.kept) == 1


@pytest.mark.parametrize(("password", "good"), [(PASSWORD, True), ("wrong", False)])
async def test_signing_in_over_starttls(tmp_path: Path, password: str, good: bool) -> None:
    ca, serves = certificate(tmp_path)
    bag = Mailbag()
    async with stranger(bag, tls=serves, authenticator=knows, auth_required=True) as port:
        connector = email("127.0.0.1", port, security="starttls", trust=str(ca), username="hub", password=password)
        if good:
            await connector.create(message(), delivery("create"))
        else:
            assert (await failed(connector)).code == "smtp_535"
    assert len(bag.kept) == good


async def test_a_server_that_wants_tls_or_a_name_first_is_ours_to_mend(tmp_path: Path) -> None:
    ca, serves = certificate(tmp_path)
    async with stranger(Mailbag(), tls=serves, authenticator=knows, auth_required=True) as port:
        for settings in ({}, {"security": "starttls", "trust": str(ca)}):
            failure = await failed(email("127.0.0.1", port, **settings))
            assert isinstance(failure, Misconfigured) and failure.code == "smtp_530"


async def test_an_email_that_is_too_large_for_that_server_is_refused() -> None:
    async with stranger(Mailbag(), data_size_limit=20_000) as port:
        with pytest.raises(Refused) as refused:
            await email("127.0.0.1", port).create(message(body="x" * 50_000), delivery("create"))
    assert refused.value.code == "smtp_too_large"


async def test_a_trust_file_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    failure = await failed(email("127.0.0.1", 1, security="tls", trust=str(tmp_path / "none.pem")))
    assert isinstance(failure, Misconfigured) and failure.code == "smtp_trust"
