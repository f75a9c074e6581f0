"""E-mails to a mailbox: what a mail server says at each step, and what that means for the request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.email import Email, EmailSettings
from hub.connector import DeliveryFailure, Misconfigured, Receipt, Refused, Unavailable, Unclear, http_evidence
from hub.connector.testing import Mode
from tests.drops import attaching, file, follow_up
from tests.mail import SETTINGS, email, mailbox, message
from tests.offices import delivery, misbehave

CASE = Receipt(reference="ABCD-EFGH")
GOOD = {"username": "hub", "password": "hunter2-hunter2", "password_in_plain": True}

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def failed(connector: Email, step: Any = None, **fields: Any) -> DeliveryFailure:
    with pytest.raises(DeliveryFailure) as caught:
        await connector.create(message(**fields), step or delivery("create"))
    return caught.value


async def test_a_record_becomes_an_email_that_carries_our_reference() -> None:
    step = delivery("create")
    async with mailbox() as (connector, office):
        receipt = await connector.create(message(data={"n": 1}, reply_to="fred@example.com"), step)
    (row,) = office.ledger.items
    assert receipt.reference == step.taken == row["reference"] == row["our_reference"] == "ABCD-EFGH"
    record = row["record"]
    assert (record["subject"], record["reply_to"]) == ("Missed bins [ref ABCD-EFGH]", "fred@example.com")
    assert record["message_id"] == "<ABCD-EFGH.create@council.example>" and record["data"] == {"n": 1}
    assert (record["from"], record["to"]) == ("hub@council.example", ["foi@council.example"])


async def test_what_comes_later_is_a_reply_to_the_first_email_and_every_attempt_has_one_name() -> None:
    async with mailbox() as (connector, office):
        await connector.update(message(), CASE, follow_up())
        for _ in range(2):
            await connector.attach(file("photo.jpg"), CASE, attaching())
        await connector.attach(file("photo.jpg", b"another"), CASE, attaching())
    records = [row["record"] for row in office.ledger.items]
    assert {record["references"] for record in records} == {"<ABCD-EFGH.create@council.example>"}
    update, first, again, other = (record["message_id"] for record in records)
    assert update == "<ABCD-EFGH-u1.update@council.example>" and first == again != other
    assert records[1]["files"][0]["name"] == "photo.jpg" and records[1]["files"][0]["size"] == 4


@pytest.mark.parametrize(
    ("stage", "code", "kind"),
    [
        ("mail", 421, Unavailable), ("mail", 451, Unavailable), ("mail", 530, Misconfigured),
        ("mail", 550, Misconfigured), ("mail", 552, Refused),
        ("rcpt", 450, Unavailable), ("rcpt", 451, Unavailable), ("rcpt", 550, Misconfigured),
        ("rcpt", 551, Misconfigured), ("rcpt", 599, Misconfigured),
        ("data", 451, Unavailable), ("data", 554, Refused), ("data", 530, Misconfigured), ("data", 250, Unavailable),
        ("rcpt", 666, Unavailable),
    ],
)  # fmt: skip
async def test_a_reply_before_the_email_went_up_means_that_nothing_was_taken(
    stage: str, code: int, kind: type[DeliveryFailure]
) -> None:
    step = delivery("create")
    async with mailbox(**{stage: code}) as (connector, office):
        failure = await failed(connector, step)
    assert isinstance(failure, kind) and failure.code in (f"smtp_{code}", "not_smtp")
    assert step.writes == 0 and office.ledger.items == []


@pytest.mark.parametrize("stage", ["mail", "rcpt"])
async def test_a_sender_or_mailbox_that_is_refused_is_looked_at_by_check_before_a_borough_is_halted(stage: str) -> None:
    async with mailbox(**{stage: 550}) as (connector, _):
        failure = await failed(connector)
        assert isinstance(failure, Misconfigured) and failure.suspect
        assert not (await connector.check()).ok


async def test_check_goes_as_far_as_the_mailbox_and_sends_nothing() -> None:
    async with mailbox() as (connector, office):
        assert (await connector.check()).ok
        assert office.ledger.items == []


async def test_signing_in_by_either_method_and_never_twice_with_a_wrong_password() -> None:
    known = {"username": "hub", "password": "hunter2-hunter2"}
    for offers in ("AUTH PLAIN", "AUTH LOGIN", "AUTH CRAM-MD5 LOGIN"):
        async with mailbox(settings=GOOD, offers=offers, **known) as (connector, office):
            await connector.create(message(), delivery("create"))
            assert len(office.ledger.items) == 1
    async with mailbox(settings=GOOD | {"password": "wrong"}, **known) as (connector, _):
        failure = await failed(connector)
    assert isinstance(failure, Misconfigured) and failure.code == "smtp_535"


@pytest.mark.parametrize("offers", ["8BITMIME", "AUTH GSSAPI"])
async def test_a_server_that_lets_nobody_sign_in_is_ours_to_mend(offers: str) -> None:
    async with mailbox(settings=GOOD, offers=offers) as (connector, _):
        assert (await failed(connector)).code == "smtp_no_auth"


async def test_a_server_without_starttls_gets_no_password_and_no_email() -> None:
    async with mailbox(settings=GOOD | {"security": "starttls"}) as (connector, office):
        failure = await failed(connector)
    assert isinstance(failure, Misconfigured) and failure.code == "smtp_no_starttls" and office.ledger.items == []


async def test_a_larger_email_than_the_server_takes_is_refused_before_it_goes_up() -> None:
    async with mailbox(offers="SIZE 500") as (connector, _):
        assert (await failed(connector, body="x" * 1000)).code == "smtp_too_large"


async def test_an_address_that_is_not_ascii_needs_a_server_that_takes_it() -> None:
    async with mailbox() as (connector, _):
        assert (await failed(connector, reply_to="zoë@example.com")).code == "smtp_no_smtputf8"
    async with mailbox(offers="SMTPUTF8, 8BITMIME") as (connector, office):
        await connector.create(message(reply_to="zoë@example.com"), delivery("create"))
        assert office.ledger.items[0]["record"]["reply_to"] == "zoë@example.com"


async def test_evidence_holds_the_conversation_without_the_password_or_the_files() -> None:
    with http_evidence() as log:
        async with mailbox(settings=GOOD) as (connector, _):
            await connector.create(message(), delivery("create"))
            await connector.attach(file("photo.jpg", b"\xff" * 900), CASE, attaching())
    first, second = log
    assert first.status == 250 and b"MAIL FROM:<hub@council.example>" in first.request and b"How many?" in first.request
    assert b"250 2.0.0 Ok: queued" in first.response and "‹photo.jpg, image/jpeg, 900 bytes›".encode() in second.request
    assert b"hunter2" not in b"".join(one.request + one.response for one in log)


async def test_dots_line_ends_and_long_lines_arrive_as_they_were_written() -> None:
    body = ".\n..\n.hidden\n" + "word " * 400 + "\n" + "x" * 3000 + "\nZoë 漢 🗑\r\nend"
    async with mailbox() as (connector, office):
        await connector.create(message(body=body), delivery("create"))
    arrived = office.ledger.items[0]["record"]["body"].replace("\r\n", "\n")
    assert arrived.rstrip("\n") == body.replace("\r\n", "\n")


@asynccontextmanager
async def server(talk: Talk) -> Any:
    """A server of a few lines, which hangs up when it has said them."""
    talks: list[asyncio.Task[None]] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append(asyncio.current_task())  # type: ignore[arg-type]
        try:
            await talk(reader, writer)
        finally:
            writer.close()

    made = await asyncio.start_server(hear, "127.0.0.1", 0, limit=2**24)
    try:
        yield email("127.0.0.1", made.sockets[0].getsockname()[1], patience=0.6)
    finally:
        made.close()
        for one in talks:
            one.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


def says(*replies: bytes, then: Talk | None = None) -> Talk:
    """A greeting, then one reply to each line; at the end it hangs up, or does as it is told."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(replies[0])
        for reply in replies[1:]:
            await reader.readline()
            writer.write(reply)
        if then is not None:
            await then(reader, writer)

    return talk


UP_TO_DATA = (b"220 hello\r\n", b"250 there\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n")


async def hangs_up_in_the_middle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(100_000)
    writer.transport.abort()


async def hangs_up_after_the_dot(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n.\r\n")
    writer.transport.abort()


async def stops_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    await asyncio.sleep(30)


@pytest.mark.parametrize(
    ("talk", "kind", "writes"),
    [
        (says(b"220 hello\r\n"), Unavailable, 0),
        (says(b"554 not you\r\n"), Misconfigured, 0),
        (says(b"421 later\r\n"), Unavailable, 0),
        (says(b"<html>\r\n"), Unavailable, 0),
        (says(*UP_TO_DATA[:3]), Unavailable, 0),
        (says(*UP_TO_DATA[:4], b"354-go\r\n354 on\r\n", then=hangs_up_in_the_middle), Unavailable, 0),
        (says(*UP_TO_DATA, then=stops_reading), Unavailable, 0),
        (says(*UP_TO_DATA, then=hangs_up_after_the_dot), Unclear, 1),
    ],
)
async def test_a_connection_that_breaks_is_unclear_only_after_the_final_dot(
    talk: Talk, kind: type[DeliveryFailure], writes: int
) -> None:
    step = delivery("create")
    async with server(talk) as connector:
        failure = await failed(connector, step, body="x" * 70 + "\n" + ("word " * 14 + "\n") * 200_000)
    assert isinstance(failure, kind) and step.writes == writes


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (b"250 ok\r\n", None), (b"251 ok\r\n", None), (b"250-ok\r\n250 really\r\n", None),
        (b"421 going down\r\n", Unavailable), (b"452 full\r\n", Unavailable), (b"552 too large\r\n", Refused),
        (b"554 spam\r\n", Refused), (b"535 who\r\n", Misconfigured), (b"354 more?\r\n", Unclear),
        (b"550 5.7.60 SMTP; Client does not have permissions to send as this sender\r\n", Misconfigured),
        (b"451 \xff\xfe\r\n", Unavailable),
        (b"000 huh\r\n", Unclear), (b"<html>\r\n", Unclear), (b"250", Unclear), (b"250-" + b"x" * 60_000, Unclear),
        (b"250-ok\r\n" * 9_000, Unclear),
    ],
)  # fmt: skip
async def test_what_comes_after_the_final_dot_decides(reply: bytes, kind: type[DeliveryFailure] | None) -> None:
    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n.\r\n")
        writer.write(reply)
        await reader.read()

    async with server(says(*UP_TO_DATA, then=answers)) as connector:
        if kind is None:
            await connector.create(message(), delivery("create"))
        else:
            assert isinstance(await failed(connector), kind)


async def test_an_answer_that_never_ends_is_cut_off_by_the_deadline() -> None:
    async def chatters(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"220-still here\r\n")
            await asyncio.sleep(0.05)

    async with server(chatters) as connector:
        assert isinstance(await failed(connector), Unavailable)


@pytest.mark.parametrize("mode", [Mode.COMMIT_THEN_TIMEOUT, Mode.COMMIT_THEN_DROP])
async def test_an_email_that_was_taken_and_never_confirmed_is_unclear(mode: Mode) -> None:
    async with mailbox(patience=0.3) as (connector, office):
        misbehave(office, mode)
        assert isinstance(await failed(connector), Unclear)
        assert len(office.ledger.items) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"sender": "hub"}, {"sender": "Hub <hub@council.example>"}, {"sender": "a@b.c\nRCPT TO:<x@y.z>"},
        {"to": []}, {"to": "a@b.c, d@e.f"}, {"to": "zoë@council.example"}, {"username": "hub"},
        {"username": "hub", "password": "x"}, {"host": "smtp://there"}, {"domain": "a b"},
        {"sender_name": "Hub\r\nBcc: x@y.z"},
    ],
)  # fmt: skip
def test_settings_that_could_not_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EmailSettings.model_validate({"host": "smtp.example", "security": "none", **SETTINGS, **wrong})


def test_the_port_is_the_usual_one_of_its_security() -> None:
    ports = [
        EmailSettings.model_validate({"host": "h", "security": s, **SETTINGS}).at[1]
        for s in ("none", "starttls", "tls")
    ]
    assert ports == [25, 587, 465]
