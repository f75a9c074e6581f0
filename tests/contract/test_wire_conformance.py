"""The conformance kit passes the connectors that keep its promises, and catches those that lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from pydantic import ConfigDict

from connectors.infreemation import Infreemation
from connectors.jadu import Jadu
from connectors.whitespace import CreateWorksheet, Whitespace
from hub.connector import Connector, Delivery, Operation, Receipt, ReplaySafety, Unavailable, Unclear
from hub.connector.testing.conformance import conform
from hub.connector.testing.scriptable import ALL, CreateCase, Scriptable
from hub.connector.testing.trial import KitFault


async def _failed(kind: type[Connector], **how: Any) -> list[str]:
    report = await conform(kind, say=lambda _: None, **how)
    return [check.name for check in report.failed]


@pytest.mark.parametrize("kind", [Whitespace, Jadu, Infreemation, *ALL])
async def test_ours_conform(kind: type[Connector]) -> None:
    assert await _failed(kind) == []


async def test_a_claim_to_be_idempotent_that_is_a_lie_is_caught() -> None:
    class Liar(Whitespace):
        """Worksheets."""

        operations: ClassVar[Mapping[str, Operation]] = {
            "CreateWorksheet": Operation(CreateWorksheet, replay_safety=ReplaySafety.IDEMPOTENT)
        }

    assert await _failed(Liar, only=["delivers", "replay_safety"]) == ["what a repeat does is what it declares"]


async def test_the_same_claim_is_caught_when_the_back_office_does_not_keep_it() -> None:
    failed = await _failed(Scriptable, only=["delivers", "replay_safety"], options={"idempotent": False})
    assert failed == ["what a repeat does is what it declares"]


async def test_a_connector_that_calls_an_unclear_create_unavailable_is_caught() -> None:
    class Eager(Scriptable):
        """Cases."""

        async def create(self, record: CreateCase, delivery: Delivery) -> Receipt:
            try:
                return await super().create(record, delivery)
            except Unclear as unclear:
                raise Unavailable from unclear

    assert await _failed(Eager, only=["delivers", "commit_then_timeout", "commit_then_drop", "refused"]) == [
        "a case that is made and never confirmed is Unclear",
        "a connection that breaks after the case is made is Unclear",
    ]


async def test_a_connector_that_blocks_the_event_loop_is_caught() -> None:
    class Blocking(Scriptable):
        """Cases."""

        async def create(self, record: CreateCase, delivery: Delivery) -> Receipt:
            import urllib.request

            await delivery.sending()
            body = f'{{"our_reference": "{delivery.our_reference}"}}'.encode()
            request = urllib.request.Request(f"{self._register.url}/cases", data=body, method="POST")
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: ASYNC210
                said = answer.read().decode()
            await delivery.took(said)
            return Receipt(reference=said.split('"')[3])

    assert await _failed(Blocking, only=["slow"]) == [
        "a slow answer within the deadline is a receipt, and the event loop turns meanwhile"
    ]


async def test_a_connector_that_makes_its_case_with_a_read_is_caught() -> None:
    class Sly(Scriptable):
        """Cases."""

        async def create(self, record: CreateCase, delivery: Delivery) -> Receipt:
            body = {"our_reference": delivery.our_reference}
            answer = await self._register.http.read("POST", f"{self._register.url}/cases", json=body)
            await delivery.took(answer.json()["reference"])
            return Receipt(reference=answer.json()["reference"])

    assert await _failed(Sly, only=["delivers", "marks"]) == [
        "it marks the write before it leaves, and the case as soon as it is taken"
    ]


async def test_a_connector_without_an_example_is_told_what_to_add() -> None:
    class Bare(CreateCase):
        model_config = ConfigDict(json_schema_extra={})

    class Unfinished(Scriptable):
        """Cases."""

        operations: ClassVar[Mapping[str, Operation]] = {"CreateCase": Operation(Bare)}

    with pytest.raises(KitFault, match="Bare carries no example"):
        await conform(Unfinished)


async def test_the_kit_says_one_line_a_check() -> None:
    lines: list[str] = []
    await conform(Scriptable, only=["delivers", "refused"], say=lines.append)
    assert lines[0] == "ok   a create makes one case and returns its reference"
    assert len(lines) == 2


async def test_a_check_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(KitFault, match="there is no check deliver; there are declares, delivers"):
        await conform(Scriptable, only=["deliver"])
