"""What is said of a case afterwards, taken in: a comment, a cancellation, more evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import to_json
from sqlalchemy import Connection

from hub.errors import Conflict, NotAllowed, NotThere
from hub.intake import files
from hub.intake.deps import Deps
from hub.intake.naming import id_or_reference
from hub.intake.taking import KEY_LIFE, REFUSED
from hub.model import FrontEnd, StepKind
from hub.standard.follow_up import FollowUpKind
from hub.store import follow_ups, submissions
from hub.store.accept import IdempotencyKey
from hub.store.follow_ups import Added, Calls, FollowUp, Words
from hub.store.submissions import FollowUpView

_KINDS: Final[Mapping[str, StepKind]] = {
    FollowUpKind.COMMENT: StepKind.UPDATE,
    FollowUpKind.CANCEL: StepKind.CANCEL,
    FollowUpKind.EVIDENCE: StepKind.ATTACH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A follow-up that is durable."""

    added: Added
    view: FollowUpView
    submission: str
    reference: str
    remarks: Sequence[Mapping[str, str]]


async def say(
    data: Mapping[str, Any],
    *,
    submission: str,
    front_end: FrontEnd,
    deps: Deps,
    key: str | None = None,
    sent: bytes | None = None,
) -> Said:
    """Say it to every system that has the case; it is durable when this returns, and then the bells are rung.

    `data` is of the contract's form (`standard.follow_up`), `submission` an id
    or a reference, `sent` what a repeat is compared by where that is not the
    data. Raises NotThere, NotAllowed, Invalid,
    KeyReused, Conflict and StoreUnavailable, and then nothing was kept.
    """
    name = id_or_reference(submission)
    if name is None:
        raise NotThere("That is neither an id nor a reference of a submission; use one from your 202.")
    about = await deps.store.read(lambda connection: submissions.find(connection, name, front_end=front_end.id))
    if not front_end.may(council=about.council, service=about.service):
        raise NotAllowed("Your key reaches this council or service no more; ask the hub's administrator for one.")
    admitted = await files.admit(data, front_end=front_end.id, deps=deps, keyed=key is not None)
    idempotency = None if key is None else IdempotencyKey(
        scope="v1",
        key_hash=deps.store.hasher.digest("idempotency", key),
        fingerprint=deps.store.hasher.digest("follow_up", about.id, sent or to_json(data)),
        expires_at=deps.clock() + KEY_LIFE,
    )  # fmt: skip
    new = composed(
        data, submission=about.id, front_end=front_end.id, deps=deps, admitted=admitted, idempotency=idempotency
    )
    try:
        added, view = await _write(new, calls(deps, about.council), deps)
    except REFUSED:
        await files.forget(admitted, deps=deps)
        raise
    if added.replayed:
        await files.forget(admitted, deps=deps)
    else:
        for destination in added.destinations:
            deps.ring(destination)
    return Said(added=added, view=view, submission=about.id, reference=about.reference, remarks=admitted.remarks)


def composed(
    data: Mapping[str, Any],
    *,
    submission: str,
    front_end: str,
    deps: Deps,
    admitted: files.Admitted = files.NONE,
    idempotency: IdempotencyKey | None = None,
) -> FollowUp:
    """What the store writes down: the words sealed, and which verb carries them. `data` is of the contract's form."""
    made, whole = deps.ids(), admitted.in_place(data)
    words = words_of(whole)
    return FollowUp(
        id=made,
        submission=submission,
        front_end=front_end,
        told=data["kind"],
        kind=words.kind,
        body=deps.store.sealer.seal(to_json(whole), place=follow_ups.place(made)),
        files=words.files,
        new=admitted.new,
        claims=admitted.claims(submission) if admitted.named else (),
        idempotency=idempotency,
    )


def words_of(data: Mapping[str, Any]) -> Words:
    """What it asks of a system. Evidence with words is a note, and its files beside it."""
    kind = _KINDS[data["kind"]]
    return Words(
        kind=StepKind.UPDATE if kind is StepKind.ATTACH and "text" in data else kind,
        files=[each["id"] for each in data.get("attachments", ())],
    )


def calls(deps: Deps, council: str) -> Calls:
    """The connector's operations for a follow-up, as the council files have them now."""

    def call(route: str, kind: StepKind) -> str | None:
        try:
            return deps.councils().find(council).route(route).call(kind.value)
        except NotThere:  # the route is gone: a worker says so, and a person decides
            return None

    return call


async def _write(new: FollowUp, call_of: Calls, deps: Deps) -> tuple[Added, FollowUpView]:
    def work(connection: Connection) -> tuple[Added, FollowUpView]:
        added = follow_ups.add(connection, new, call_of=call_of)
        return added, submissions.follow_up(connection, added.id)

    try:
        return await deps.store.transact(work)
    except Conflict:
        # Another process committed this key in the same moment, so now its answer can be read.
        return await deps.store.transact(work)
