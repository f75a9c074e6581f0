"""The desk for forms: from a front end's own body to a submission, or to a place where staff see it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from hub import standard
from hub.council import Council
from hub.errors import Conflict, Invalid, NotAllowed, NotThere, StoreUnavailable
from hub.fuse import CrashPoint
from hub.intake import files
from hub.intake.deps import Deps
from hub.intake.forms.packet import Packet
from hub.intake.forms.repeats import note_difference
from hub.intake.forms.translating import Translated, canonical, translate
from hub.intake.taking import LARGE, LONDON, Letter, compose
from hub.model import FrontEnd
from hub.store.accept import Accept, IdempotencyKey, ReferenceTaken
from hub.store.keep import Keep, Kept

#: How long the same body is taken for a repeat, where its format has no id of its own: two neighbours may write alike.
BODY_LIFE: Final = timedelta(hours=24)
_LONGEST_NAME: Final = 64
_DRAWS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A body in a front end's own format, its sender known."""

    front_end: FrontEnd
    council: str  #: slug or GSS code, as it stands in the address
    format: str
    profile: str
    body: bytes  #: JSON, without credentials: what is sealed, and what a replay reads again
    received_at: datetime
    value: Any = None  #: the same, parsed; None: not yet
    scope: str = ""  #: whose keys these are; by itself `{format}:{council}:{profile}`
    key: str | None = None  #: the format's own id of a submission; None: an HMAC of the body, for 24 hours
    key_life: timedelta | None = None  #: of its own id; None: as long as the case is known
    attachments: Sequence[str] = ()  #: ids of files that came along, stored already by the same front end
    trace: str | None = None


async def take_form(form: Form, *, deps: Deps) -> Kept:
    """Keep a form; it is durable when this returns, as a submission or parked.

    Raises NotThere (no such council), NotAllowed (the key's councils and
    services), standard.Unreadable and StoreUnavailable, and then nothing was
    kept. What cannot be mapped is not refused: the resident was told
    "received" before it came here.
    """
    council = deps.councils().find(form.council)
    if not form.profile.isprintable() or not 0 < len(form.profile) <= _LONGEST_NAME:
        raise NotThere("A profile's name has at most 64 printable characters; use the address that staff gave you.")
    _reaches(form, council)
    large = len(form.body) > LARGE
    desk = _Desk(form=form, council=council, deps=deps)
    if large:
        await asyncio.to_thread(desk.read)
    else:
        desk.read()
    kept = await desk.keep(large=large)
    if kept.differs:
        await note_difference(
            kept, value=desk.value, files=form.attachments, front_end=form.front_end, format=form.format, deps=deps
        )
    return kept


def _reaches(form: Form, council: Council) -> None:
    """Raises NotAllowed. A profile that there is not yet has no service to be refused for."""
    mine = form.front_end
    known = council.profiles(form.format).get(form.profile)
    if mine.councils is not None and council.slug not in mine.councils:
        raise NotAllowed(f"Your key is not for {council.slug}; ask the hub's administrator for one that is.")
    if known is not None and not mine.may(council=council.slug, service=known.service):
        raise NotAllowed(f"Your key is not for {known.service}; ask the hub's administrator for one that is.")


@dataclass(slots=True, kw_only=True)
class _Desk:
    """One form on its way into the store."""

    form: Form
    council: Council
    deps: Deps
    value: Any = None
    translated: Translated = field(default_factory=Translated)
    admitted: files.Admitted = files.NONE
    idempotency: IdempotencyKey | None = None

    def read(self) -> None:
        """What it says, and what it is known by. Raises standard.Unreadable."""
        form = self.form
        self.value = standard.parse(form.body) if form.value is None else form.value
        self.idempotency = self._key(canonical(self.value))
        self.translated = translate(
            self.value,
            council=self.council,
            format=form.format,
            profile=form.profile,
            today=form.received_at.astimezone(LONDON).date(),
            attachments=form.attachments,
        )

    def _key(self, content: bytes) -> IdempotencyKey:
        form, digest = self.form, self.deps.store.hasher.digest
        scope = form.scope or f"{form.format}:{self.council.slug}:{form.profile}"
        life = BODY_LIFE if form.key is None else form.key_life
        return IdempotencyKey(
            scope=scope,
            key_hash=digest("body", content) if form.key is None else digest("idempotency", form.key),
            fingerprint=digest("content", self.council.slug, form.format, form.profile, content),
            expires_at=None if life is None else form.received_at + life,
        )

    async def keep(self, *, large: bool) -> Kept:
        await self._admit()
        for _ in range(_DRAWS):
            thought = await asyncio.to_thread(self._thought) if large else self._thought()
            try:
                kept = await self._write(thought)
            except ReferenceTaken:
                continue  # one in a million millions: draw again
            except Invalid as invalid:
                # A file that came along cannot be had any more; what was written stays a person's to see.
                self._park(invalid)
                continue
            await self._after(kept, thought)
            return kept
        raise StoreUnavailable

    async def _admit(self) -> None:
        read = self.translated.read
        if read is None or "attachments" not in read.data:
            return
        try:
            sender = self.form.front_end.id
            self.admitted = await files.admit(read.data, front_end=sender, deps=self.deps, keyed=True)
        except Invalid as invalid:
            self._park(invalid)

    def _park(self, invalid: Invalid) -> None:
        why = "\n".join(f"{pointer}: {said}" for pointer, said in invalid.faults)
        self.translated = replace(self.translated, read=None, why=why)

    def _thought(self) -> Keep:
        form, deps = self.form, self.deps
        id, reference = deps.ids(), deps.references()
        packet = Packet(body=form.body, attachments=form.attachments, trace=form.trace)
        assert self.idempotency is not None
        return Keep(
            id=id,
            reference=reference,
            council=self.council.slug,
            format=form.format,
            profile=form.profile,
            front_end=form.front_end.id,
            received_at=form.received_at,
            body=packet.seal(deps.store.sealer, id=id),
            idempotency=self.idempotency,
            event_id=deps.ids(),
            service=self.translated.service,
            accept=self._accept(id, reference),
            why=self.translated.why,
            attachments=form.attachments,
        )

    def _accept(self, id: str, reference: str) -> Accept | None:
        if self.translated.read is None:
            return None
        form = self.form
        letter = Letter(front_end=form.front_end, raw=b"", received_at=form.received_at, trace=form.trace)
        return compose(
            self.translated.read, self.council, letter, self.deps,
            id=id, reference=reference, remarks=self.translated.remarks, admitted=self.admitted,
        )  # fmt: skip

    async def _write(self, thought: Keep) -> Kept:
        try:
            kept: Kept = await self.deps.store.write(thought)
        except Conflict:
            # Another process committed this key in the same moment, so now its answer can be read.
            kept = await self.deps.store.write(thought)
        return kept

    async def _after(self, kept: Kept, thought: Keep) -> None:
        if kept.replayed:
            await files.forget(self.admitted, deps=self.deps)
            return
        self.deps.fuse.reach(CrashPoint.AFTER_COMMIT_BEFORE_BELL)
        for destination in {delivery.destination for delivery in thought.accept.deliveries} if thought.accept else ():
            self.deps.ring(destination)
