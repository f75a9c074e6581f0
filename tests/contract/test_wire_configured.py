"""The kit on connectors that are declared in the council file: each example is another connector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import pytest

from connectors.rest import Record, Rest
from hub.connector import Delivery, Operation, Receipt, ReplaySafety, tailored
from hub.connector.testing.conformance import conform, trials
from hub.connector.testing.scriptable import Scriptable
from hub.connector.testing.trial import KitFault, configured, creates


async def _failed(kind: type[Any], **how: Any) -> list[str]:
    report = await conform(kind, say=lambda _: None, **how)
    return [check.name for check in report.failed]


def test_there_is_a_trial_for_every_example_and_none_for_what_is_no_create() -> None:
    assert trials(Rest) == [(1, "create"), (2, "create"), (3, "create")]
    assert trials(Scriptable) == [(1, "CreateCase")]
    assert creates(Rest) == ["create"]


async def test_the_class_is_the_one_that_the_example_makes() -> None:
    report = await conform(Rest, example=2, only=["declares"], say=lambda _: None)
    assert (report.ok, report.as_dict()["example"]) == (True, 2)
    with pytest.raises(KitFault, match="update makes no case here; create could be tried"):
        await conform(Rest, operation="update")


async def test_a_safety_that_the_settings_do_not_bear_out_is_caught() -> None:
    class Sure(Rest):
        """Cases."""

        @classmethod
        def configured(cls, settings: Mapping[str, Any]) -> type[Self]:
            safe = {"create": Operation(Record, replay_safety=ReplaySafety.IDEMPOTENT)}
            return tailored(cls, operations=safe, without=("update", "cancel", "attach"))

    assert await _failed(Sure, only=["replay_safety"]) == ["what a repeat does is what it declares"]


async def test_an_update_that_makes_a_case_is_caught() -> None:
    class Eager(Rest):
        """Cases."""

        async def update(self, record: Record, receipt: Receipt, delivery: Delivery) -> Receipt:
            call = self._settings.create.model_copy(update={"path": "/notes"})
            await self._send(call, delivery, {"json": record.tree()}, {})
            return receipt

    assert await _failed(Eager, only=["update", "cancel"]) == [
        "an update goes to its case, and one that fails makes no second case"
    ]


async def test_a_cancellation_that_nobody_marked_is_caught() -> None:
    class Sly(Rest):
        """Cases."""

        async def cancel(self, record: Record, receipt: Receipt, delivery: Delivery) -> Receipt:
            await self._http.read("DELETE", f"{self._settings.url}/cases/{receipt.reference}")
            return receipt

    assert await _failed(Sly, only=["cancel"]) == [
        "a cancellation goes to its case, and one that fails makes no second case"
    ]


def test_an_operation_that_the_settings_took_away_is_gone() -> None:
    class Bare(Rest):
        """Cases."""

        operations: ClassVar[Mapping[str, Operation]] = Rest.operations

    made = configured(Bare, {"url": "http://x", "create": {"path": "/c", "reference": "/id"}})
    assert list(made.operations) == ["create"] and made.__doc__ == "Cases."
