"""The verbs of staff on many deliveries at once: draft, start, pause, resume, cancel, and the account of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection

from hub.bulk_preview import Previewer
from hub.core.bulk import DEFAULT_RATE, ItemState, OperationKind, OperationState
from hub.errors import Invalid, NotAllowed, NotThere, WrongState
from hub.model import Role, User
from hub.store import audit, bulk, bulk_run, generations
from hub.store.bulk import Tally, Wish
from hub.store.engine import database_now
from hub.store.paging import Page
from hub.store.store import Store

LOCAL: Final = "local"  #: the id of whoever sits at this machine; not a named user
_ABSENT: Final = "There is no operation with that id in your councils; `hub operations list` shows those there are."


@dataclass(frozen=True, slots=True)
class Bulk:
    """Each verb is one transaction with its audit row. What follows is done by a job of the workers, in stages."""

    store: Store
    preview: Previewer
    stages: int = 1  #: of a list that are made while its author waits; the job makes the rest

    async def draft(self, wish: Wish, *, actor: User) -> Any:
        """A new operation: nothing is done until somebody starts it. A short list is whole, and previewed, at once.

        Raises Invalid where the wish names what is not there.
        """
        _need(actor, Role.OPERATOR)
        if wish.kind is OperationKind.REPLAY and wish.rate is None:
            wish = replace(wish, rate=DEFAULT_RATE)

        def work(connection: Connection) -> str:
            _check(connection, wish)
            made = bulk.draft(connection, wish, by=actor.name)
            _note(connection, bulk.get(connection, made), "operation_drafted", actor, reason=wish.reason)
            return made

        made = await self.store.transact(work)
        for _ in range(self.stages):
            if await self.store.transact(lambda connection: bulk.mark(connection, made)):
                await self.finish(made)
                break
        return await self.show(made, actor=actor)

    async def finish(self, operation: str) -> None:
        """Preview an operation whose list is whole: from then on it can be started."""
        told = await self.preview.make(operation)
        await self.store.transact(lambda connection: bulk.ready(connection, operation, preview=told))

    async def start(self, operation: str, *, actor: User) -> Any:
        """Let it run. One that includes the unsafe takes another person than its author, who may approve."""
        _need(actor, Role.OPERATOR)

        def work(connection: Connection) -> None:
            row = _mine(bulk.lock(connection, operation), actor)
            if row.state != OperationState.READY.value:
                raise WrongState(_NOT_READY[OperationState(row.state)])
            if row.include_unsafe:
                _approves(row, actor)
            approved = actor.name if row.include_unsafe else None
            bulk.change(connection, row, OperationState.RUNNING, started_by=actor.name, approved_by=approved,
                        started_at=database_now(connection))  # fmt: skip
            _note(connection, row, "operation_started", actor, reason=row.reason)

        return await self._say(operation, work, actor)

    async def pause(self, operation: str, *, actor: User, reason: str | None = None) -> Any:
        """Release nothing more, from now on; what was released goes on to its end."""
        _need(actor, Role.OPERATOR)

        def work(connection: Connection) -> None:
            row = _mine(bulk.lock(connection, operation), actor)
            if row.state != OperationState.RUNNING.value:
                raise WrongState(f"This operation is {row.state}; only one that is running can be paused.")
            why = f"Paused by {actor.name}{f': {reason}' if reason else '.'}"
            bulk.change(connection, row, OperationState.PAUSED, why=why)
            _note(connection, row, "operation_paused", actor, reason=reason)

        return await self._say(operation, work, actor)

    async def resume(self, operation: str, *, actor: User) -> Any:
        """Go on. Where a canary failed, a new one goes first."""
        _need(actor, Role.OPERATOR)

        def work(connection: Connection) -> None:
            row = _mine(bulk.lock(connection, operation), actor)
            if row.state != OperationState.PAUSED.value:
                raise WrongState(f"This operation is {row.state}; only one that is paused can be resumed.")
            bulk.change(connection, row, OperationState.RUNNING, why=None)
            _note(connection, row, "operation_resumed", actor)

        return await self._say(operation, work, actor)

    async def cancel(self, operation: str, *, actor: User, reason: str | None = None) -> Any:
        """Release nothing more, ever. What was released is not taken back; the account follows it to its end."""
        _need(actor, Role.OPERATOR)

        def work(connection: Connection) -> None:
            row = _mine(bulk.lock(connection, operation), actor)
            if row.state in (OperationState.DONE.value, OperationState.CANCELLED.value):
                raise WrongState(f"This operation is {row.state}; there is nothing left to cancel.")
            out = Tally(row.counts or {}).of(ItemState.QUEUED)
            on = f" {out} had been released and go on to their end." if out else ""
            why = f"Cancelled by {actor.name}{f': {reason}' if reason else '.'}{on}"
            bulk.change(connection, row, OperationState.CANCELLED, why=why)
            _note(connection, row, "operation_cancelled", actor, reason=reason)

        answer = await self._say(operation, work, actor)
        await self.store.transact(
            lambda connection: bulk_run.advance(connection, operation, safety_of=self.preview.safety_of)
        )
        return await self.show(answer.id, actor=actor)

    async def show(self, operation: str, *, actor: User) -> Any:
        """One operation. Raises NotThere, also for one that reaches into other councils than the user's."""
        return _mine(await self.store.read(lambda connection: bulk.get(connection, operation)), actor)

    async def items(
        self, operation: str, *, actor: User, state: ItemState | None = None, behind: int = 0, limit: int = 50
    ) -> Page[Any]:
        """The account of every item."""
        await self.show(operation, actor=actor)
        return await self.store.read(
            lambda connection: bulk.items(connection, operation, state=state, behind=behind, limit=limit)
        )

    async def _say(self, operation: str, work: Callable[[Connection], None], actor: User) -> Any:
        await self.store.transact(work)
        return await self.show(operation, actor=actor)


_MAKING = "Its list is still being made; look again when it is ready."
_NOT_READY: Final = {
    OperationState.DRAFT: _MAKING,
    OperationState.MARKING: _MAKING,
    OperationState.RUNNING: "It is running already.",
    OperationState.PAUSED: "It is paused; resume it.",
    OperationState.DONE: "It is done; draft another one for what is left.",
    OperationState.CANCELLED: "It is cancelled; draft another one.",
}


def _need(actor: User, role: Role) -> None:
    if not actor.may(role):
        raise NotAllowed(f"Your role is {actor.role.value}; this needs {role.value}. Ask an admin of the hub.")


def _mine(row: Any, actor: User) -> Any:
    councils: Sequence[str] | None = None if actor.councils is None else sorted(actor.councils)
    if not bulk.within(row, councils):
        raise NotThere(_ABSENT)
    return row


def _approves(row: Any, actor: User) -> None:
    """Whether this person may start what may make a case twice. Raises NotAllowed."""
    if actor.name == row.created_by or actor.id == LOCAL or not actor.may(Role.APPROVER):
        raise NotAllowed(
            "It includes deliveries whose repeat may make a second case, so it takes two people: "
            f"another named user than {row.created_by}, with the role approver, has to start it."
        )


def _check(connection: Connection, wish: Wish) -> None:
    """Every name in the wish is that of something. Raises Invalid."""
    faults: list[tuple[str, str]] = []
    if wish.ids:
        known = bulk.known_ids(connection, wish.ids, councils=wish.wanted.councils)
        faults += [
            (f"#/filter/ids/{at}", "There is no delivery with that id in your councils; leave it out.")
            for at, id in enumerate(wish.ids)
            if id not in known
        ]
    if wish.generation is not None and generations.get(connection, wish.generation) is None:
        faults.append(("#/generation", "There is no such generation of council files; leave it out for the newest."))
    if faults:
        raise Invalid(faults, "The operation names what is not there; every fault is listed.")


def _note(connection: Connection, row: Any, verb: str, actor: User, *, reason: str | None = None) -> None:
    audit.record(
        connection, actor=actor.name, verb=verb, council=bulk_run.council_of(row), subject=row.id, reason=reason,
        detail={"kind": row.kind},
    )  # fmt: skip
