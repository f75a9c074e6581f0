"""What staff do with a body that is parked: run it through its profile as it is now, or set it aside."""

from __future__ import annotations

import asyncio
from typing import Any

from hub import standard
from hub.errors import HubError, Invalid, NotThere, WrongState
from hub.intake import files
from hub.intake.deps import Deps
from hub.intake.forms.packet import Packet
from hub.intake.forms.repeats import tell
from hub.intake.forms.translating import Translated, translate
from hub.intake.taking import LONDON, Letter, compose
from hub.model import FrontEnd, ReceivedState, User
from hub.store import front_ends, received
from hub.store.accept import Accept
from hub.store.received import Act

_FORGOTTEN = "What was sent is forgotten by now; ask its sender for it again, or discard this."


async def replay(id: str, *, deps: Deps, user: User, reason: str | None) -> Any:
    """Try it again, with the id and the reference that its sender was told; the row as it is then.

    Raises NotThere, WrongState and StoreUnavailable. One that still cannot be
    mapped stays parked, with the new reason why.
    """
    row = await deps.store.read(lambda connection: received.with_body(connection, id))
    if not user.sees(row.council):
        raise NotThere("Nothing was received under that id in your councils; GET /v1/received lists what was.")
    _may_be_replayed(row, reason)
    mending = _Mending(row=row, deps=deps, act=Act(actor=user.name, at=deps.clock(), reason=reason))
    await mending.run()
    return await deps.store.read(lambda connection: received.get(connection, id))


async def discard(id: str, *, deps: Deps, user: User, reason: str) -> Any:
    """Set it aside; the row as it is then. What was sent is forgotten when other content would be.

    Raises NotThere and WrongState.
    """
    row = await deps.store.read(lambda connection: received.with_body(connection, id))
    if not user.sees(row.council):
        raise NotThere("Nothing was received under that id in your councils; GET /v1/received lists what was.")
    held = Packet.open(row.body, deps.store.sealer, id=id).files if row.body is not None else ()
    act = Act(actor=user.name, at=deps.clock(), reason=reason)
    await deps.store.transact(
        lambda connection: received.discard(connection, id, act=act, expires_at=act.at + deps.keep.content, files=held)
    )
    return await deps.store.read(lambda connection: received.get(connection, id))


def _may_be_replayed(row: Any, reason: str | None) -> None:
    if row.state == ReceivedState.MAPPED.value:
        raise WrongState("It is a submission already; replay its deliveries (`hub deliveries replay`).")
    if row.state == ReceivedState.DISCARDED.value and not reason:
        raise WrongState("Somebody has discarded it; say why it is wanted after all (`reason`).")
    if row.body is None:
        raise WrongState(_FORGOTTEN)


class _Mending:
    """One body on its second way."""

    def __init__(self, *, row: Any, deps: Deps, act: Act) -> None:
        self.row, self.deps, self.act = row, deps, act
        self.packet = Packet.open(row.body, deps.store.sealer, id=row.id)

    async def run(self) -> None:
        front_end = await self.deps.store.read(lambda connection: front_ends.find_by_id(connection, self.row.front_end))
        value, translated = await asyncio.to_thread(self._translate, front_end)
        try:
            thought = await self._thought(translated, front_end)
            await self.deps.store.transact(lambda connection: received.mend(connection, thought, act=self.act))
        except Invalid as invalid:
            why = "\n".join(f"{pointer}: {said}" for pointer, said in invalid.faults)
            await self._stays(why)
        except _StillParked as parked:
            await self._stays(str(parked))
        else:
            await self._went(thought, value, front_end)

    def _translate(self, front_end: FrontEnd) -> tuple[Any, Translated]:
        row = self.row
        try:
            value = standard.parse(self.packet.body)
            council = self.deps.councils().find(row.council)
        except HubError as failure:
            return None, Translated(why=str(failure))
        translated = translate(
            value,
            council=council,
            format=row.format,
            profile=row.profile,
            today=row.received_at.astimezone(LONDON).date(),
            attachments=self.packet.attachments,
        )
        if translated.service is not None and not front_end.may(council=council.slug, service=translated.service):
            why = f"the front end's key is not for {translated.service} of {council.slug}; widen it, then replay"
            return value, Translated(service=translated.service, why=why)
        return value, translated

    async def _thought(self, translated: Translated, front_end: FrontEnd) -> Accept:
        if translated.read is None:
            raise _StillParked(translated.why)
        admitted = await files.admit(translated.read.data, front_end=front_end.id, deps=self.deps, keyed=True)
        row = self.row
        letter = Letter(front_end=front_end, raw=b"", received_at=row.received_at, trace=self.packet.trace)
        council = self.deps.councils().find(row.council)
        return compose(
            translated.read, council, letter, self.deps,
            id=row.id, reference=row.reference, remarks=translated.remarks, admitted=admitted,
        )  # fmt: skip

    async def _stays(self, why: str) -> None:
        row = self.row
        await self.deps.store.transact(
            lambda connection: received.park(connection, row.id, council=row.council, why=why, act=self.act)
        )

    async def _went(self, thought: Accept, value: Any, front_end: FrontEnd) -> None:
        for destination in {delivery.destination for delivery in thought.deliveries}:
            self.deps.ring(destination)
        for each in self.packet.later:
            await tell(
                each, before=value, submission=thought.id, front_end=front_end, format=self.row.format, deps=self.deps
            )


class _StillParked(HubError):
    """It still cannot be mapped."""
