"""What Infreemation receives, off the wire."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.infreemation import Infreemation
from connectors.infreemation.simulator import InfreemationBackOffice
from hub.connector.testing import Sent
from tests.offices import on_the_wire

RECORD: dict[str, Any] = {
    "type": "FOI",
    "requester": "Fred Smith",
    "contact": "fred@hotmail.com",
    "contacttype": "email",
    "body": "Dear FOI team, …",
}


async def _sent(record: dict[str, Any], *, url: str = "{url}/sandbox") -> Sent:
    settings = {"url": url, "key": "APIkey", "username": "username"}
    (request,) = await on_the_wire(Infreemation, InfreemationBackOffice(), settings=settings, record=record)
    return request


async def test_a_request_without_a_subject_is_what_foi_for_councils_sends() -> None:
    request = await _sent(RECORD)
    assert (request.method, request.target) == ("POST", "/sandbox/foi/")
    assert json.loads(request.body) == {"rt": "create", **RECORD, "key": "APIkey", "username": "username"}


async def test_everything_that_may_be_given_is_sent() -> None:
    request = await _sent({**RECORD, "type": "EIR", "subject": "Missed Bins", "category": "Waste"})
    sent = json.loads(request.body)
    assert (sent["type"], sent["subject"], sent["category"]) == ("EIR", "Missed Bins", "Waste")


async def test_no_credential_is_in_a_header_or_the_address() -> None:
    request = await _sent(RECORD)
    elsewhere = request.target + str(request.headers)
    assert "APIkey" not in elsewhere
    assert "Authorization" not in request.headers


@pytest.mark.parametrize("url", ["{url}/live", "{url}/live/", "{url}/live/foi", "{url}/live/foi/"])
async def test_the_address_is_right_however_a_council_writes_it(url: str) -> None:
    assert (await _sent(RECORD, url=url)).target == "/live/foi/"
