"""The conformance kit catches a connector that lies about repeats, looks, numbers and files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from hub.connector import (
    Attachment,
    Connector,
    Delivery,
    DeliveryFailure,
    Operation,
    Receipt,
    Refused,
    ReplaySafety,
    StatusChange,
    Unclear,
)
from hub.connector.testing.conformance import conform
from hub.connector.testing.scriptable import (
    CreateCase,
    Scriptable,
    ScriptableListing,
    ScriptableLookup,
    ScriptableNumber,
    ScriptableRejects,
    ScriptableUnsafe,
)

SETTLE = timedelta(milliseconds=500)


async def _lie(kind: type[Connector], check: str = "replay_safety", **options: Any) -> str:
    """What the kit says of the one check that this connector fails; nothing, where it passes."""
    report = await conform(kind, say=lambda _: None, only=["delivers", check], options=options)
    assert [failed.name for failed in report.failed] in ([], [report.checks[-1].name])
    return "".join(failed.detail for failed in report.failed)


def _settling(safety: ReplaySafety) -> Mapping[str, Operation]:
    return {"CreateCase": Operation(CreateCase, replay_safety=safety, settle=SETTLE)}


async def test_a_case_that_is_made_twice_by_one_that_claims_to_be_idempotent() -> None:
    assert "a repeat made case number 2" in await _lie(Scriptable, idempotent=False)


async def test_a_case_that_is_made_twice_by_one_that_claims_to_reject() -> None:
    assert "a repeat made case number 2" in await _lie(ScriptableRejects, rejects_duplicates=False)


async def test_a_repeat_that_is_refused_and_not_returned() -> None:
    class Refusing(ScriptableUnsafe):
        """Cases."""

        simulator: ClassVar[str] = ScriptableRejects.simulator
        operations: ClassVar[Mapping[str, Operation]] = ScriptableRejects.operations

    assert "return the case that is there" in await _lie(Refusing)


async def test_a_repeat_that_returns_another_number() -> None:
    class Guessing(ScriptableRejects):
        """Cases."""

        async def create(self, record: CreateCase, delivery: Delivery) -> Receipt:
            try:
                return await self._register.create(record, delivery)
            except Refused:
                await delivery.took("CASE-999999")
                return Receipt(reference="CASE-999999")

    assert "CASE-999999" in await _lie(Guessing)


async def test_a_look_that_never_finds_anything() -> None:
    class Blind(ScriptableLookup):
        """Cases."""

        async def find(self, our_reference: str) -> Receipt | None:
            return None

    assert "no look finds the case just made" in await _lie(Blind)


async def test_a_look_that_finds_somebody_elses_case() -> None:
    class Latest(ScriptableLookup):
        """Cases."""

        last: Receipt | None = None

        async def create(self, record: CreateCase, delivery: Delivery) -> Receipt:
            self.last = await super().create(record, delivery)
            return self.last

        async def find(self, our_reference: str) -> Receipt | None:
            return self.last or await super().find(our_reference)

    assert "find() gives" in (said := await _lie(Latest)) or "was never made" in said


async def test_a_look_that_takes_the_beginning_of_a_reference_for_it() -> None:
    class Beginning(ScriptableLookup):
        """Cases."""

        def __init__(self, *seams: Any) -> None:
            super().__init__(*seams)
            self._made: dict[str, Receipt] = {}

        async def create(self, record: CreateCase, delivery: Delivery) -> Receipt:
            self._made[delivery.our_reference] = made = await super().create(record, delivery)
            return made

        async def find(self, our_reference: str) -> Receipt | None:
            near = [receipt for ours, receipt in self._made.items() if ours.startswith(our_reference)]
            return near[0] if near else None

    assert "find() gives" in (said := await _lie(Beginning)) or "exactly that reference" in said


async def test_a_look_that_could_not_be_made_and_says_not_there() -> None:
    class Careless(ScriptableLookup):
        """Cases."""

        async def find(self, our_reference: str) -> Receipt | None:
            try:
                return await super().find(our_reference)
            except DeliveryFailure:
                return None

    assert 'says "not there" on timeout' in await _lie(Careless)


async def test_a_look_that_is_unclear() -> None:
    class Doubtful(ScriptableLookup):
        """Cases."""

        async def find(self, our_reference: str) -> Receipt | None:
            try:
                return await super().find(our_reference)
            except DeliveryFailure as failure:
                raise Unclear from failure

    assert "raises Unclear on timeout; a read is Unavailable" in await _lie(Doubtful)


async def test_a_case_that_turns_up_later_than_is_declared() -> None:
    class Hasty(ScriptableLookup):
        """Cases."""

        operations: ClassVar[Mapping[str, Operation]] = _settling(ReplaySafety.LOOKUP)

    assert "settle is 0.5 s: the hub would have sent it again; declare a longer" in await _lie(Hasty, late=1.0)


async def test_an_index_that_is_late_and_declared_to_be() -> None:
    assert await _lie(ScriptableLookup, late=0.3) == ""
    assert await _lie(ScriptableListing, late=0.3) == ""


async def test_a_late_listing_of_which_nothing_is_declared() -> None:
    class Silent(ScriptableListing):
        """Cases."""

        operations: ClassVar[Mapping[str, Operation]] = {
            "CreateCase": Operation(CreateCase, replay_safety=ReplaySafety.LISTING)
        }

    assert "no settle is declared" in await _lie(Silent, late=1.2)


async def test_a_listing_that_leaves_ours_out() -> None:
    class Anonymous(ScriptableListing):
        """Cases."""

        async def changes(self, since: datetime) -> AsyncIterator[StatusChange]:
            async for one in super().changes(since):
                yield StatusChange(reference=one.reference, status=one.status, at=one.at)

    assert "no look finds the case just made" in await _lie(Anonymous)


async def test_a_listing_of_which_only_the_first_page_is_read() -> None:
    class Impatient(ScriptableListing):
        """Cases."""

        async def changes(self, since: datetime) -> AsyncIterator[StatusChange]:
            seen = 0
            async for one in super().changes(since):
                if (seen := seen + 1) <= 2:
                    yield one

    assert "no look finds the case just made" in await _lie(Impatient, page_size=2)
    assert await _lie(ScriptableListing, page_size=2) == ""


async def test_a_listing_that_ends_early_when_it_cannot_be_read() -> None:
    class Careless(ScriptableListing):
        """Cases."""

        async def changes(self, since: datetime) -> AsyncIterator[StatusChange]:
            try:
                async for one in super().changes(since):
                    yield one
            except DeliveryFailure:
                return

    assert 'changes() says "not there" on timeout' in await _lie(Careless)


class Waiting(ScriptableNumber):
    """Cases whose number is waited for before anybody is told that they are there."""

    async def create(self, record: CreateCase, delivery: Delivery) -> Receipt:
        answer = await self._register._file(record, delivery)
        made = await self._register.number(answer.json()["token"])
        await delivery.took(made.reference or "")
        return made


async def test_a_number_that_is_asked_for_before_the_case_is_marked_as_taken() -> None:
    assert "took(…) was not called before a read failed" in await _lie(Waiting, "reads")
    assert "call took(token)" in await _lie(Waiting, "number")


async def test_a_number_that_is_late_is_waited_for() -> None:
    assert await _lie(ScriptableNumber, "number", number_seconds=0.3) == ""


async def test_a_number_that_is_not_the_cases() -> None:
    class Inventive(ScriptableNumber):
        """Cases."""

        async def number(self, token: str, delivery: Delivery) -> Receipt:
            return Receipt(reference=token)

    assert "number() gives" in await _lie(Inventive, "number")


async def test_a_file_that_goes_to_a_case_of_its_own() -> None:
    class Eager(Scriptable):
        """Cases."""

        async def attach(self, attachment: Attachment, receipt: Receipt, delivery: Delivery) -> None:
            body = {"our_reference": f"{delivery.our_reference}-2", "see": receipt.reference}
            await self._register.http.write(delivery, "POST", f"{self._register.url}/cases", json=body)

    assert "left rows of CASE-000002, CASE-000003" in await _lie(Eager, "attach")


async def test_a_file_whose_failure_is_kept_quiet() -> None:
    class Quiet(Scriptable):
        """Cases."""

        async def attach(self, attachment: Attachment, receipt: Receipt, delivery: Delivery) -> None:
            try:
                await super().attach(attachment, receipt, delivery)
            except DeliveryFailure:
                return

    assert "an attachment on refuse is well" in await _lie(Quiet, "attach")


async def test_a_file_that_is_sent_nowhere() -> None:
    class Idle(Scriptable):
        """Cases."""

        async def attach(self, attachment: Attachment, receipt: Receipt, delivery: Delivery) -> None:
            return

    assert "nothing was marked" in await _lie(Idle, "attach")
