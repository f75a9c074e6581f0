"""The same form again, with other content: the first result stands, and the difference becomes a note to its case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from hub import standard
from hub.core import leftovers
from hub.core.sheets import READERS, Misshapen
from hub.errors import HubError, StoreUnavailable
from hub.intake import follow_ups
from hub.intake.deps import Deps
from hub.intake.forms.packet import Later, Packet
from hub.intake.forms.translating import canonical
from hub.model import FrontEnd, ReceivedState
from hub.standard.cleaning import clean
from hub.store import attachments, received
from hub.store.keep import Kept

log = structlog.get_logger("hub.intake")

_LONGEST: Final = 4000
_MOST_LATER: Final = 10
_AGAIN = "The same form was sent again. What is different now:"
_FILES = "(more files, which are with this note)"


async def note_difference(
    kept: Kept, *, value: Any, files: Sequence[str], front_end: FrontEnd, format: str, deps: Deps
) -> None:
    """Keep what a repeat says differently: as a comment on its case, once; of a parked one, beside its body.

    `files` are ids of those that came along with the repeat. Raises
    StoreUnavailable; the front end then repeats it.
    """
    again = Later(body=canonical(value), attachments=files)
    if kept.state is not ReceivedState.MAPPED:
        await deps.store.transact(lambda connection: _put_beside(connection, kept, again, front_end, deps))
        return
    row = await deps.store.read(lambda connection: received.with_body(connection, kept.id))
    before = Packet.open(row.body, deps.store.sealer, id=kept.id).body if row.body is not None else b"{}"
    await tell(again, before=standard.parse(before), submission=kept.id, front_end=front_end, format=format, deps=deps)


async def tell(again: Later, *, before: Any, submission: str, front_end: FrontEnd, format: str, deps: Deps) -> None:
    """Say the difference to every destination that has the case; of the same repeat only once."""
    now = standard.parse(again.body)
    files = _new_files(before, now, again.attachments)
    lines = difference(before, now, format=format)
    if not lines and not files:
        return
    text = "\n".join([_AGAIN, *lines, *([_FILES] if files else ())])
    said: dict[str, Any] = {"kind": "comment", "text": _cleaned(text)[:_LONGEST]}
    if files:
        said["attachments"] = [{"id": each} for each in files]
    try:
        key = deps.store.hasher.digest("content", submission, again.body).hex()
        await follow_ups.say(said, submission=submission, front_end=front_end, deps=deps, key=key)
    except StoreUnavailable:
        raise
    except HubError as refused:
        # The first result stands all the same; what was said before is with the council.
        log.warning("form.note_refused", submission=submission, error=type(refused).__name__)


def difference(before: Any, now: Any, *, format: str) -> list[str]:
    """What a form says that it did not say before, question by question. For the case, never for a log."""
    first, second = _answers(before, format), _answers(now, format)
    lines = [f"{key}: {_shown(value)}" for key, value in second.items() if first.get(key) != value]
    return lines + [f"{key}: (no answer any more)" for key in first if key not in second]


def _answers(value: Any, format: str) -> Mapping[str, Any]:
    try:
        return leftovers.unread(READERS[format](value).answers, frozenset())
    except Misshapen:
        return {}


def _shown(value: Any) -> str:
    kept, _ = leftovers.answer(value)
    return kept if isinstance(kept, str) else "; ".join(kept)


def _new_files(before: Any, now: Any, files: Sequence[str]) -> list[str]:
    """The ids of files that did not come before. A form names its files in `files`, in their order, with digests."""
    first, second = (each.get("files", []) if isinstance(each, dict) else [] for each in (before, now))
    if len(second) != len(files):
        return list(files) if first != second else []
    return [id for id, named in zip(files, second, strict=True) if named not in first]


def _cleaned(text: str) -> str:
    tree, _ = clean({"text": text.encode(errors="replace").decode()})
    return str(tree["text"])


def _put_beside(connection: Connection, kept: Kept, again: Later, front_end: FrontEnd, deps: Deps) -> None:
    sealer = deps.store.sealer
    row = received.locked(connection, kept.id)
    if row.body is None or row.state == ReceivedState.MAPPED.value:
        return
    packet = Packet.open(row.body, sealer, id=kept.id)
    if any(again.body == each.body for each in packet.later) or len(packet.later) >= _MOST_LATER:
        return
    received.put(connection, kept.id, body=packet.with_later(again).seal(sealer, id=kept.id))
    if again.attachments:
        attachments.hold(connection, again.attachments, front_end=front_end.id)
