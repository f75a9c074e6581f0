"""What authors of connectors rely on: one vocabulary, complete, sorted, and cheap to import."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import BaseModel

import hub.connector
from hub import errors, model
from hub.connector import Connector, Delivery, Operation, ReplaySafety, StepKind, door

PROMISED = {
    "Answer", "Attachment", "Connector", "Delivery", "DeliveryFailure", "Health", "Http", "Misconfigured", "Operation",
    "PushRequest", "Receipt", "Refused", "ReplaySafety", "Soap", "StatusChange", "StepKind", "Unavailable", "Unclear",
    "UsernameToken",
}  # fmt: skip


def test_the_vocabulary_is_sorted_and_holds_what_is_promised() -> None:
    assert hub.connector.__all__ == sorted(hub.connector.__all__)
    assert set(hub.connector.__all__) >= PROMISED


def test_the_vocabulary_is_exactly_what_the_door_imports() -> None:
    tree = ast.parse(Path(hub.connector.__file__).read_text())
    imports = [one for one in tree.body if isinstance(one, ast.ImportFrom) and one.module != "__future__"]
    assert {name.asname or name.name for one in imports for name in one.names} == set(hub.connector.__all__)


def test_all_that_the_door_defines_is_in_the_vocabulary() -> None:
    defined = {name for name, one in vars(door).items() if inspect.isclass(one) and one.__module__ == door.__name__}
    assert defined <= set(hub.connector.__all__)


def test_all_four_failures_are_there_and_are_the_hubs_own() -> None:
    failures = {one.__name__ for one in errors.DeliveryFailure.__subclasses__()}
    assert failures == {"Unavailable", "Refused", "Unclear", "Misconfigured"}
    assert all(getattr(hub.connector, name) is getattr(errors, name) for name in failures)
    assert hub.connector.Receipt is model.Receipt


@pytest.mark.parametrize("name", hub.connector.__all__)
def test_every_word_says_what_it_is(name: str) -> None:
    word = getattr(hub.connector, name)
    assert not inspect.isclass(word) or inspect.getdoc(word)


def test_every_word_stands_in_the_page_for_authors() -> None:
    page = (Path(hub.connector.__file__).parent / "README.md").read_text()
    assert [name for name in hub.connector.__all__ if not re.search(rf"\b{name}\b", page)] == []


def test_importing_the_door_opens_no_zeep_and_no_web_server() -> None:
    script = (
        "import sys, hub.connector; print(*sorted({'zeep', 'requests', 'pytest', 'aiohttp.web'} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    assert loaded.stdout.strip() == ""


def _step(kind: StepKind) -> Delivery:
    at = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    return Delivery(our_reference="ABCD-EFGH", reference="ABCD-EFGH", operation="Report", received_at=at, kind=kind)


async def test_a_create_writes_once() -> None:
    step = _step(StepKind.CREATE)
    await step.sending()
    with pytest.raises(RuntimeError, match="a create may write once"):
        await step.sending()


async def test_a_create_of_which_nothing_was_done_may_write_again() -> None:
    step = _step(StepKind.CREATE)
    await step.sending()
    step.not_taken()
    await step.sending()
    assert step.writes == 1


@pytest.mark.parametrize("kind", [StepKind.ATTACH, StepKind.UPDATE, StepKind.CANCEL])
async def test_a_later_step_writes_as_often_as_the_product_needs_and_marks_each(kind: StepKind) -> None:
    step, marked = _step(kind), []

    async def on_sending() -> None:
        marked.append(step.writes)

    step.on_sending = on_sending
    for _ in range(3):
        await step.sending()
    assert marked == [0, 1, 2] and step.writes == 3


async def test_asking_for_a_number_writes_nothing() -> None:
    with pytest.raises(RuntimeError, match="ask for its number with `read`"):
        await _step(StepKind.NUMBER).sending()


def test_an_operation_that_says_nothing_is_unsafe_and_settles_with_its_destination() -> None:
    operation = Operation(BaseModel)
    assert (operation.replay_safety, operation.settle) == (ReplaySafety.UNSAFE, None)


@pytest.mark.parametrize("verb", ["find", "changes", "number", "attach", "update", "cancel", "receive", "check"])
def test_every_optional_verb_is_told_of_where_authors_look(verb: str) -> None:
    assert re.search(rf"\b{verb}\b", inspect.getdoc(Connector) or "")
    assert f"`{verb}`" in (Path(hub.connector.__file__).parent / "README.md").read_text()


def test_a_class_with_the_five_marks_is_a_connector() -> None:
    class Product:
        name = "product"
        simulator = "nowhere:app"
        Settings = hub.connector.Answer
        operations: dict[str, hub.connector.Operation] = {}  # noqa: RUF012

        async def create(self, record: object, delivery: object) -> hub.connector.Receipt:
            return hub.connector.Receipt(reference="1")

    assert isinstance(Product(), hub.connector.Connector)
