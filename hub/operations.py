"""The verbs ops staff may use: replay, discard, resolve, pause, resume."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.resolving import ResolvedBy
from hub.errors import NotAllowed, NotThere, WrongState
from hub.model import DeliveryKind, Lane, ReplaySafety, Role, StepKind, StepState, User
from hub.store import audit, deliveries, destinations, events, tables
from hub.store.deliveries import Lockable, Stuck
from hub.store.engine import database_now
from hub.store.ids import uuid7
from hub.store.store import Store
from hub.store.submissions import DeliveryView

_WISH = "new_case_requested"
Resolution = Literal["delivered", "not_there", "discard"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a verb changed: the delivery as it is now."""

    delivery: DeliveryView


@dataclass(frozen=True, slots=True)
class Operations:
    """Each verb is one transaction: the change, its event and its audit row. Then the bell is rung."""

    store: Store
    ring: Callable[[str], None]
    safety_of: Callable[[str, str, StepKind], ReplaySafety]  #: by council, route name and kind

    async def replay(
        self, delivery: str, *, actor: User, reason: str | None = None, new_case: Literal[True] | None = None
    ) -> Done:
        """A person queues it again: same delivery, same reference, new attempt.

        Raises WrongState where the state forbids it, saying what to do instead.
        """
        _need(actor, Role.OPERATOR)

        def work(connection: Connection) -> str | None:
            target = _target(connection, delivery, actor)
            if target.state is StepState.DELIVERED and (new_case or not target.stuck):
                return self._second_case(connection, target, actor=actor, reason=reason, asked=new_case)
            for step in _to_replay(target, reason):
                lane = Lane.REPLAY if step.state is not StepState.QUEUED else Lane.FRESH
                deliveries.requeue(connection, step.step, lane=lane, reason=reason)
            _tell(connection, target, kind=events.REPLAYED, verb="replay", actor=actor, reason=reason)
            return target.delivery

        replayed = await self.store.transact(work)
        if replayed is None:
            raise WrongState(
                "A repeat makes a second case there, so it takes two people: your wish is noted, "
                "and another user who may approve has to ask for the same."
            )
        return await self._done(replayed)

    def _second_case(
        self, connection: Connection, target: Lockable, *, actor: User, reason: str | None, asked: bool | None
    ) -> str | None:
        """The new delivery's id; None when it takes another person, which is then noted."""
        if target.kind == DeliveryKind.FOLLOW_UP.value:
            raise WrongState("What was said is there; to say more, let the front end send a further update.")
        if not asked:
            raise WrongState("It is delivered; to make a second case on purpose send new_case with a reason.")
        if not reason:
            raise WrongState("A second case needs a reason.")
        safety = self.safety_of(target.council, target.route, StepKind.CREATE)
        if safety is ReplaySafety.UNSAFE and not _second_person(connection, target, actor=actor):
            audit.record(connection, actor=actor.name, verb=_WISH, council=target.council,
                         subject=target.delivery, reason=reason)  # fmt: skip
            return None
        made = _new_case(connection, target)
        _tell(connection, target, kind=events.REPLAYED, verb="new_case", actor=actor, reason=reason)
        return made

    async def discard(self, delivery: str, *, actor: User, reason: str) -> Done:
        """Set it aside, with a reason. It can be replayed later."""
        _need(actor, Role.OPERATOR)
        if not reason.strip():
            raise WrongState("A discard needs a reason; say why nobody has to deliver this.")

        def work(connection: Connection) -> str:
            target = _target(connection, delivery, actor)
            for step in _in_state(target, StepState.QUEUED, StepState.DEAD):
                deliveries.settle(connection, step.step, state=StepState.DISCARDED, reason=reason)
            later = target.state is StepState.DELIVERED or target.kind == DeliveryKind.FOLLOW_UP.value
            kind = events.LATER_DONE if later else events.DISCARDED
            _tell(connection, target, kind=kind, verb="discard", actor=actor, reason=reason)
            return target.delivery

        return await self._done(await self.store.transact(work))

    async def resolve(
        self, delivery: str, *, outcome: Resolution, actor: User, reason: str, reference: str | None = None
    ) -> Done:
        """A person says what became of an unclear one, after looking in the council's system."""
        _need(actor, Role.OPERATOR)
        if not reason.strip():
            raise WrongState("A resolution needs a reason; say what you saw in the council's system.")

        def work(connection: Connection) -> str:
            target = _target(connection, delivery, actor)
            kind = _resolve(connection, target, outcome=outcome, reference=reference, reason=reason)
            told: dict[str, str] = {"outcome": outcome, "by": ResolvedBy.PERSON.value}
            _tell(connection, target, kind=kind, verb="resolve", actor=actor, reason=reason, detail=told)
            return target.delivery

        return await self._done(await self.store.transact(work))

    async def pause(self, destination: str, *, actor: User, reason: str) -> None:
        """Ask nothing of this destination until a person resumes it. Uses no attempts."""
        _need(actor, Role.OPERATOR)

        def work(connection: Connection) -> None:
            row = _destination(connection, destination, actor)
            destinations.pause(connection, destination, by=actor.name, reason=reason)
            audit.record(connection, actor=actor.name, verb="pause", council=row.council, subject=destination,
                         reason=reason)  # fmt: skip

        await self.store.transact(work)

    async def resume(self, destination: str, *, actor: User) -> None:
        _need(actor, Role.OPERATOR)

        def work(connection: Connection) -> None:
            row = _destination(connection, destination, actor)
            destinations.resume(connection, destination)
            audit.record(connection, actor=actor.name, verb="resume", council=row.council, subject=destination)

        await self.store.transact(work)
        self.ring(destination)

    async def _done(self, delivery: str) -> Done:
        view = await self.store.read(lambda connection: deliveries.get(connection, delivery))
        self.ring(view.destination)
        return Done(delivery=view)


_WHY_NOT = {
    StepState.QUEUED: "It is queued already.",
    StepState.SENDING: "It is being sent right now; look again in a minute.",
    StepState.UNCLEAR: "It may have been taken; resolve it first: look in the council's system and say what you found.",
    StepState.DEAD: "It is a dead letter.",
    StepState.DELIVERED: "It is delivered; there is nothing to set aside.",
    StepState.DISCARDED: "It is discarded already.",
}


def _need(actor: User, role: Role) -> None:
    if not actor.may(role):
        raise NotAllowed(f"Your role is {actor.role.value}; this needs {role.value}. Ask an admin of the hub.")


def _target(connection: Connection, delivery: str, actor: User) -> Lockable:
    target = deliveries.lock(connection, delivery)
    if not actor.sees(target.council):
        raise NotThere("There is no delivery with that id; `hub deliveries list` shows those there are.")
    return target


def _destination(connection: Connection, destination: str, actor: User) -> sa.Row[tuple[object, ...]]:
    row = destinations.get(connection, destination)
    if not actor.sees(row.council):
        raise NotThere(f"There is no destination {destination}; `hub destinations list` names those there are.")
    return row  # type: ignore[no-any-return]


def _to_replay(target: Lockable, reason: str | None) -> list[Stuck]:
    """What a replay queues again. Raises WrongState saying what to do instead."""
    found = _in_state(target, StepState.DEAD, StepState.DISCARDED, StepState.QUEUED)
    if target.state is StepState.DISCARDED and not reason:
        raise WrongState("It was discarded with a reason; give a reason to bring it back.")
    if target.state is StepState.QUEUED and target.behind is not None:
        raise WrongState("It waits behind an earlier part of the same case; settle that one, and this goes by itself.")
    return found


def _in_state(target: Lockable, *states: StepState) -> list[Stuck]:
    """The steps that a verb moves, or WrongState where there are none."""
    found = [step for step in target.steps if step.state in states]
    if not found:
        state = target.steps[0].state if target.steps else target.state
        raise WrongState(_WHY_NOT[state])
    return found


def _resolve(
    connection: Connection, target: Lockable, *, outcome: Resolution, reference: str | None, reason: str
) -> str:
    unclear = [step for step in target.steps if step.state is StepState.UNCLEAR]
    if not unclear:
        raise WrongState(f"It is {target.state.value}, not unclear; there is nothing to resolve.")
    of_create = target.state is StepState.UNCLEAR and target.kind == DeliveryKind.CASE.value
    for step in unclear:
        match outcome:
            case "delivered":
                deliveries.settle(connection, step.step, state=StepState.DELIVERED, reason=reason)
            case "not_there":
                deliveries.requeue(connection, step.step, lane=Lane.REPLAY, reason=reason)
            case "discard":
                deliveries.settle(connection, step.step, state=StepState.DISCARDED, reason=reason)
    if outcome == "delivered" and reference and of_create:
        deliveries.set_reference(connection, target.delivery, reference)
    if outcome == "not_there":
        return events.RESOLVED
    if not of_create:
        return events.LATER_DONE
    return events.DELIVERED if outcome == "delivered" else events.DISCARDED


def _second_person(connection: Connection, target: Lockable, *, actor: User) -> bool:
    """Whether somebody else has asked for this second case since the last one, and this one may approve."""
    row = tables.audit.c
    asked: set[str] = set()
    acts = sa.select(row.actor, row.verb).where(row.subject == target.delivery).order_by(row.id)
    for act in connection.execute(acts):
        if act.verb == _WISH:
            asked.add(act.actor)
        elif act.verb == "new_case":
            asked.clear()  # every further one takes two people again
    return actor.may(Role.APPROVER) and bool(asked - {actor.name})


def _new_case(connection: Connection, target: Lockable) -> str:
    now = database_now(connection)
    # Two who ask at once, of any case of this submission, are one after the other, and so are their numbers.
    locked = sa.select(tables.submission.c.id).where(tables.submission.c.id == target.submission)
    connection.execute(locked.with_for_update())
    delivery = tables.delivery.c
    newest = sa.select(sa.func.max(delivery.generation)).where(
        delivery.order_key == target.order_key, delivery.destination == target.destination,
        delivery.route == target.route, delivery.item_index.is_not_distinct_from(target.item_index),
    )  # fmt: skip
    made, generation = uuid7(), connection.execute(newest).scalar_one() + 1
    stem = target.our_reference.split("-r")[0]
    connection.execute(
        sa.insert(tables.delivery).values(
            id=made, submission=target.submission, kind=DeliveryKind.CASE.value, council=target.council,
            service=target.service, destination=target.destination, route=target.route, order_key=target.order_key,
            item_index=target.item_index, generation=generation, our_reference=f"{stem}-r{generation}",
            joined=False, created_at=now,
        )
    )  # fmt: skip
    connection.execute(
        sa.insert(tables.step).values(
            id=uuid7(), delivery=made, submission=target.submission, destination=target.destination,
            order_key=target.order_key, position=0, kind=StepKind.CREATE.value, call=target.call,
            state=StepState.QUEUED.value, lane=Lane.REPLAY.value, due_at=now, attempts_used=0, lease_token=0,
            updated_at=now,
        )
    )  # fmt: skip
    return made


def _tell(
    connection: Connection,
    target: Lockable,
    *,
    kind: str,
    verb: str,
    actor: User,
    reason: str | None,
    detail: dict[str, str] | None = None,
) -> None:
    event = events.row(
        event_id=uuid7(), at=database_now(connection), kind=kind, council=target.council,
        front_end=target.front_end, submission=target.submission, delivery=target.delivery, actor=actor.name,
        detail=detail,
    )  # fmt: skip
    events.INSERT.run(connection, [event])
    audit.record(
        connection, actor=actor.name, verb=verb, council=target.council, subject=target.delivery, reason=reason,
        detail=detail,
    )  # fmt: skip
