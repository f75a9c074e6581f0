"""Files at the door: named safely, told by their bytes, sealed and kept before anything speaks of them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from hub.errors import Invalid, StoreUnavailable
from hub.intake.deps import Deps
from hub.intake.naming import is_id
from hub.intake.problems import stop
from hub.standard.file_names import safe_name
from hub.standard.file_types import NotTaken, Sniffer
from hub.store import attachments
from hub.store.attachments import Claim, NewFile
from hub.store.blobs import new_name
from hub.store.engine import database_now

LARGEST: Final = 25 * 1024 * 1024
#: Above this, reading what came inside a submission leaves the event loop: everybody else's request would wait.
LARGE: Final = 128 * 1024
THE_FILE: Final = "#/file"

_EMPTY: Final = "This file is empty; send one with something in it."
_OTHERWISE: Final = "This file is {found}, whatever its `media_type` says; it is passed on as that."
_NO_ID: Final = "This is no `id` of POST /v1/attachments; send the one that it answered."
_TWICE: Final = "This file stands here twice; name each once."


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file that is durable, and what may be said of it to its sender."""

    id: str
    name: str
    media_type: str
    size: int
    sha256: bytes
    row: NewFile
    expires_at: datetime | None = None

    def told(self) -> dict[str, Any]:
        """As the content of a submission holds it."""
        return {"id": self.id, "name": self.name, "media_type": self.media_type, "size": self.size}


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """The files of one submission: what its content says of them, and what the store has to do about them."""

    attachments: Sequence[Mapping[str, Any]] = ()
    new: Sequence[NewFile] = ()  #: that came inside it
    named: Sequence[tuple[str, str]] = ()  #: that were uploaded before: (id, pointer)
    remarks: Sequence[Mapping[str, str]] = ()
    front_end: str = ""

    def claims(self, submission: str) -> list[Claim]:
        return [
            Claim(file=file, pointer=pointer, submission=submission, front_end=self.front_end)
            for file, pointer in self.named
        ]

    def in_place(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """The data of a submission with its files as they are kept."""
        return {**data, "attachments": [dict(one) for one in self.attachments]} if self.attachments else data


NONE: Final = Admitted()


async def one(content: bytes) -> AsyncIterator[bytes]:
    """Bytes in hand, as a stream."""
    yield content


async def keep(
    chunks: AsyncIterable[bytes], *, name: str, told: str, front_end: str, deps: Deps, cap: int = LARGEST
) -> Kept:
    """Store a file that no submission has yet: sealed, durable, and waiting for one for 24 hours.

    `name` and `told` are what its sender calls it. Raises Invalid for one that
    is not taken, Stop for one that is too large, StoreUnavailable; and then
    nothing is kept.
    """
    about = _Inside(name=name, told=told, content=b"", pointer=THE_FILE)
    kept = await _seal(chunks, about, deps=deps, cap=cap)
    expires = await deps.store.transact(lambda c: attachments.add(c, [kept.row], front_end=front_end))
    return replace(kept, expires_at=expires)


async def admit(data: Mapping[str, Any], *, front_end: str, deps: Deps, keyed: bool = False) -> Admitted:
    """The files of a submission or follow-up: those inside it are stored, those it names are looked up.

    Only the store can say whether a named file may be had, in the transaction
    that takes it. With a key (`keyed`) that is left to it wholly: a repeat
    names files that its first time has taken. Raises Invalid with every fault
    at once, and StoreUnavailable; what was stored by then is swept up later.
    """
    listed: Sequence[Mapping[str, Any]] = data.get("attachments", ())
    if not listed:
        return NONE
    named = [(each["id"], f"#/attachments/{at}/id") for at, each in enumerate(listed) if "id" in each]
    known, faults = await _looked_up(named, front_end=front_end, deps=deps, keyed=keyed)
    if sum(len(each.get("content_base64", "")) for each in listed) > LARGE:
        inside = await asyncio.to_thread(_inside, listed, faults)
    else:
        inside = _inside(listed, faults)
    attachments.refuse(faults)
    told = {name: _told(name, known.get(name), deps) for name, _ in named}
    stored = {at: await _seal(one(found.content), found, deps=deps) for at, found in inside.items()}
    return Admitted(
        attachments=tuple(
            stored[at].told() if at in stored else told[each["id"]] for at, each in enumerate(listed)
        ),
        new=tuple(kept.row for kept in stored.values()),
        named=tuple(named),
        remarks=tuple(found.remark for found in inside.values() if found.remark),
        front_end=front_end,
    )  # fmt: skip


async def forget(admitted: Admitted, *, deps: Deps) -> None:
    """The first time is answered again, so its files are there: what this repeat brought is not needed."""
    if admitted.new:
        with suppress(StoreUnavailable):  # then they are swept up
            await deps.store.blobs.remove([file.blob for file in admitted.new])


async def _looked_up(
    named: Sequence[tuple[str, str]], *, front_end: str, deps: Deps, keyed: bool
) -> tuple[Mapping[str, Any], list[tuple[str, str]]]:
    """The rows of named files by id, and what is wrong with what was named."""
    wanted = [file for file, _ in named if is_id(file)]
    if not named:
        return {}, []
    known, now = await deps.store.read(
        lambda connection: (attachments.known(connection, wanted, front_end=front_end), database_now(connection))
    )
    faults, seen = [], set()
    for file, pointer in named:
        why = None if keyed else attachments.why_not(known.get(file), now=now)
        if not is_id(file):
            why = _NO_ID
        elif file in seen:
            why = _TWICE
        seen.add(file)
        faults += [(pointer, why)] if why else []
    return known, faults


def _told(file: str, row: Any, deps: Deps) -> Mapping[str, Any]:
    """What is known of a named file; a repeat may name one that is forgotten by now."""
    if row is None or not row.name:
        return {"id": file}
    name = deps.store.sealer.open(row.name, place=attachments.place(file)).decode()
    return {"id": file, "name": name, "media_type": row.media_type, "size": row.size}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inside:
    """A file that came inside a submission, and what its bytes say that it is."""

    name: str
    told: str
    content: bytes
    pointer: str
    remark: Mapping[str, str] | None = None


def _inside(listed: Sequence[Mapping[str, Any]], faults: list[tuple[str, str]]) -> dict[int, _Inside]:
    """Those by their place in the list; what cannot be taken is added to `faults`."""
    found: dict[int, _Inside] = {}
    for at, each in enumerate(listed):
        if "content_base64" not in each:
            continue
        content, sniffer = base64.b64decode(each["content_base64"]), Sniffer()
        sniffer.feed(content)
        pointer = f"#/attachments/{at}/content_base64"
        try:
            media_type = _answer(sniffer, content=bool(content), name=each["name"], told=each["media_type"])
        except NotTaken as failure:
            faults.append((pointer, str(failure)))
            continue
        same = each["media_type"].split(";")[0].strip().lower() == media_type
        remark = None if same else {
            "pointer": f"#/attachments/{at}/media_type", "message": _OTHERWISE.format(found=media_type),
        }  # fmt: skip
        found[at] = _Inside(name=each["name"], told=each["media_type"], content=content, pointer=pointer, remark=remark)
    return found


def _answer(sniffer: Sniffer, *, content: bool, name: str, told: str) -> str:
    if not content:
        raise NotTaken(_EMPTY)
    return sniffer.answer(name=name, told=told)


async def _seal(chunks: AsyncIterable[bytes], about: _Inside, *, deps: Deps, cap: int = LARGEST) -> Kept:
    """Sealed and durable, and not written down yet. Raises what `keep` raises."""
    sniffer, file, found = Sniffer(), new_name(), ""

    async def watched() -> AsyncIterator[bytes]:
        nonlocal found
        size = 0
        async for chunk in chunks:
            size += len(chunk)
            if size > cap:
                detail = f"A file may have {cap // (1024 * 1024)} MB; send a smaller one."
                raise stop("too-large", detail, headers={"Connection": "close"})
            sniffer.feed(chunk)
            yield chunk
        try:
            found = _answer(sniffer, content=bool(size), name=about.name, told=about.told)
        except NotTaken as failure:
            raise Invalid([(about.pointer, str(failure))], "This file cannot be taken.") from None

    kept = await deps.store.blobs.keep(file, watched())
    name = safe_name(about.name, media_type=found)
    sealed = deps.store.sealer.seal(name.encode(), place=attachments.place(file))
    row = NewFile(id=file, name=sealed, media_type=found, size=kept.size, sha256=kept.sha256, blob=kept.blob)
    return Kept(id=file, name=name, media_type=found, size=kept.size, sha256=kept.sha256, row=row)
