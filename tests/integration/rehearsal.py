"""Products that can be asked, list, attach or number, for tests of what follows an unclear create."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hub.connector import Attachment, Delivery, Receipt, ReplaySafety, StatusChange, Unavailable, Unclear
from tests.integration.test_dispatch import Script, product

EVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class Desk:
    """What the pretend product holds, and how it answers."""

    cases: dict[str, str] = field(default_factory=dict)  #: its numbers by our reference
    seen_from: datetime = EVER  #: nothing is found before this
    looks: list[str] = field(default_factory=list)
    creates: list[str] = field(default_factory=list)
    attached: list[tuple[str, bytes]] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)  #: of looks, one after the other
    attach_failures: list[Exception] = field(default_factory=list)
    takes: bool = True  #: commits before it fails to answer
    answers: bool = False

    def has(self, ours: str) -> str | None:
        self.looks.append(ours)
        if self.failures:
            raise self.failures.pop(0)
        return self.cases.get(ours) if datetime.now(UTC) >= self.seen_from else None


def desk_product(desk: Desk, *, safety: ReplaySafety, verbs: tuple[str, ...] = ()) -> type[Any]:
    """A connector whose create is taken and never answered (unless `answers`), with these optional verbs."""
    base = product(Script([]), safety=safety)

    async def create(self: Any, record: Any, delivery: Delivery) -> Receipt:
        await delivery.sending()
        desk.creates.append(delivery.our_reference)
        number = f"C-{len(desk.creates)}"
        if desk.takes:
            desk.cases[delivery.our_reference] = number
        if "number" in verbs:
            await delivery.took(f"token of {delivery.our_reference}")
            return Receipt(token=delivery.taken)
        if desk.answers:
            return Receipt(reference=number)
        raise Unclear(code="read_timeout")

    async def find(self: Any, our_reference: str) -> Receipt | None:
        found = desk.has(our_reference)
        return Receipt(reference=found) if found else None

    async def changes(self: Any, since: datetime) -> AsyncIterator[StatusChange]:
        desk.looks.append(since.isoformat())
        await asyncio.sleep(0.1)
        for ours, number in desk.cases.items():
            yield StatusChange(reference=number, status="Open", at=datetime.now(UTC), our_reference=ours)

    async def attach(self: Any, attachment: Attachment, receipt: Receipt, delivery: Delivery) -> None:
        await delivery.sending()
        if desk.attach_failures:
            raise desk.attach_failures.pop(0)
        content = b"".join([chunk async for chunk in attachment.chunks()])
        desk.attached.append((f"{receipt.reference} {attachment.name}", content))

    async def number(self: Any, token: str, delivery: Delivery) -> Receipt:
        found = desk.has(token.removeprefix("token of "))
        if found is None:
            raise Unavailable(code="not_yet")
        return Receipt(reference=found)

    known = {"find": find, "changes": changes, "attach": attach, "number": number}
    members = {"create": create, **{name: known[name] for name in verbs}}
    return type("Desked", (base,), {**members, "__doc__": base.__doc__})
