"""What a receiver of hooks gets, off the wire, and what its answers mean."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.webhook import Message, Webhook, signing
from connectors.webhook.simulator import WebhookReceiver
from hub.connector import (
    DeliveryFailure,
    Http,
    Misconfigured,
    Receipt,
    Refused,
    ReplaySafety,
    StepKind,
    Unavailable,
    Unclear,
)
from hub.connector.testing import BackOffice, Call, Reply, Tap, json_reply, serving, tapped
from hub.connector.testing.conformance import conform
from hub.connector.testing.trial import photo
from tests.offices import delivery, stranger

SECRET, FORMER = (
    f"whsec_{b64encode(text).decode()}" for text in (b"conformance-secret-of-the-hub", b"the one that it had before..")
)
MESSAGE = {"type": "missed_bin.reported", "data": {"ref": "ABCD-EFGH", "café": ["ü", 1, None, True]}}


class Canned(WebhookReceiver):
    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply

    def answer(self, call: Call) -> Reply:
        return self.reply


@asynccontextmanager
async def hooked(office: BackOffice | None = None, **settings: Any) -> AsyncIterator[tuple[Webhook, Tap]]:
    async with serving(office or WebhookReceiver()) as address, tapped(address.url) as tap:
        http = Http(timeout=timedelta(seconds=5))
        stated = {"url": f"{tap.url}/hook?to=council", "secrets": [SECRET], **settings}
        try:
            yield Webhook(Webhook.Settings.model_validate(stated), http), tap
        finally:
            await http.close()


async def _post(office: BackOffice | None = None, **settings: Any) -> tuple[Receipt, Tap]:
    async with hooked(office, **settings) as (webhook, tap):
        return await webhook.create(Message.model_validate(MESSAGE), delivery("create")), tap


@pytest.mark.parametrize("example", [1, 2])
async def test_each_way_of_being_declared_conforms(example: int) -> None:
    report = await conform(Webhook, example=example, say=lambda _: None)
    assert [str(check) for check in report.failed] == []


def test_a_signature_is_that_of_the_standard() -> None:
    """shared/standards.md 3.3: a vector made with another implementation."""
    key = signing.key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    made = signing.headers([key], id="msg_p5jXN8AQM9LWM0D4loKWxJek", at=1614265330, body=body)
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_the_very_bytes_that_leave_are_signed() -> None:
    receipt, tap = await _post()
    (sent,) = tap.sent()
    assert (sent.method, sent.target, receipt.reference) == ("POST", "/hook?to=council", "ABCD-EFGH")
    assert (json.loads(sent.body), sent.headers["Content-Type"]) == (MESSAGE, "application/json")
    assert sent.headers["webhook-id"] == "ABCD-EFGH-create"
    assert abs(time.time() - int(sent.headers["webhook-timestamp"])) < 5
    content = f"ABCD-EFGH-create.{sent.headers['webhook-timestamp']}.".encode() + sent.body
    mark = hmac.digest(b64decode(SECRET[6:]), content, hashlib.sha256)
    assert sent.headers["webhook-signature"] == f"v1,{b64encode(mark).decode()}"


async def test_while_a_secret_changes_both_sign() -> None:
    office = WebhookReceiver()
    office.option["secrets"] = [FORMER]
    _, tap = await _post(office, secrets=[SECRET, FORMER])
    marks = tap.sent()[0].headers["webhook-signature"].split(" ")
    assert len(marks) == len({*marks}) == 2 and all(mark.startswith("v1,") for mark in marks)
    assert len(office.ledger.items) == 1


async def test_every_attempt_has_the_same_id_and_every_other_word_another_one() -> None:
    async with hooked() as (webhook, tap):
        for _ in range(2):
            await webhook.create(Message.model_validate(MESSAGE), delivery("create"))
        receipt = Receipt(reference="ABCD-EFGH")
        step = delivery("update", our_reference="ABCD-EFGH-u1", kind=StepKind.UPDATE)
        await webhook.update(Message.model_validate({"text": "x"}), receipt, step)
        await webhook.attach(photo(), receipt, delivery("attach", kind=StepKind.ATTACH))
    ids = [sent.headers["webhook-id"] for sent in tap.sent()]
    assert ids[:3] == ["ABCD-EFGH-create", "ABCD-EFGH-create", "ABCD-EFGH-u1-update"]
    assert ids[3].startswith("ABCD-EFGH-attach-")
    file = json.loads(tap.sent()[3].body)
    assert (file["reference"], file["attachment"]["name"]) == ("ABCD-EFGH", "by the gate.jpg")
    assert len(b64decode(file["attachment"]["content_base64"])) == photo().size == file["attachment"]["size"]


async def test_the_councils_number_is_read_where_it_says_so() -> None:
    receipt, _ = await _post(reference="/data/id")
    assert receipt == Receipt(reference="MSG-000001")
    with pytest.raises(Unclear) as raised:
        await _post(Canned(json_reply({"data": {"id": 0}})), reference="/data/id")
    assert raised.value.code == "webhook_no_reference"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=204),
        Reply(body=b"OK", content_type="text/html"),
        Reply(status=202, body=b"{", content_type="text/x"),
    ],
)
async def test_any_success_is_one_whatever_its_body(reply: Reply) -> None:
    assert (await _post(Canned(reply)))[0] == Receipt(reference="ABCD-EFGH")


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (Reply(body=b" <html>Back soon</html>", content_type="text/html"), Unclear, "webhook_web_page"),
        (Reply(status=410), Misconfigured, "webhook_gone"),
        (Reply(status=302, headers={"Location": "/x"}), Misconfigured, "redirect"),
        (Reply(status=422), Refused, "http_422"),
        (Reply(status=429, headers={"Retry-After": "3"}), Unavailable, "http_429"),
        (Reply(status=502), Unclear, "http_502"),
    ],
)
async def test_what_is_no_success(reply: Reply, kind: type[DeliveryFailure], code: str) -> None:
    with pytest.raises(kind) as raised:
        await _post(Canned(reply))
    assert raised.value.code == code
    if isinstance(raised.value, Misconfigured):
        assert not raised.value.suspect


async def test_what_json_cannot_hold_is_refused_before_anything_is_sent() -> None:
    async with hooked() as (webhook, tap):
        with pytest.raises(Refused):
            await webhook.create(Message.model_validate({"x": float("nan")}), delivery("create"))
    assert tap.sent() == []


@pytest.mark.parametrize("secret", ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!!"])
def test_a_secret_that_is_none_is_not_quoted(secret: str) -> None:
    with pytest.raises(ValidationError, match="base64 of 24 to 64 bytes") as raised:
        Webhook.Settings.model_validate({"url": "http://x", "secrets": [secret]})
    assert "c2hvcnQ" not in str(raised.value.errors(include_input=False))


def test_a_repeat_is_safe_only_where_a_council_says_so() -> None:
    stated = {"url": "env:URL", "secrets": ["env:SECRET"]}
    assert Webhook.configured(stated).operations["create"].replay_safety is ReplaySafety.UNSAFE
    sure = Webhook.configured(stated | {"deduplicates": True, "attachments": "leave"})
    assert {each.replay_safety for each in sure.operations.values()} == {ReplaySafety.IDEMPOTENT}
    assert not callable(sure.attach) and callable(sure.update)


async def test_the_pretend_receiver_believes_nobody_else() -> None:
    async with stranger(WebhookReceiver()) as caller:
        body = b'{"a":1}'
        for key, at, id in ((FORMER, 0, "m"), (SECRET, -301, "m"), (SECRET, 301, "m"), (SECRET, 0, "")):
            signed = signing.headers([signing.key_of(key)], id=id, at=int(time.time()) + at, body=body)
            assert (await caller.ask("POST", "/hook", data=body, headers=signed)).status == 401
        signed = signing.headers([signing.key_of(SECRET)], id="m", at=int(time.time()), body=body)
        assert (await caller.ask("POST", "/hook", data=b'{"a":2}', headers=signed)).status == 401
        assert (await caller.ask("POST", "/hook", data=body, headers=signed)).status == 202
