"""Who of the staff is asking, in which role, for which councils."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request

from hub.errors import NotAllowed
from hub.intake.deps import room_of
from hub.intake.gate import note_of
from hub.model import Role, User


def _with(role: Role) -> Callable[[Request], Coroutine[Any, Any, User]]:
    async def user(request: Request) -> User:
        found = await room_of(request).doorkeeper.user(request.scope, role)
        note_of(request.scope).who = found.id
        return found

    return user


Viewer = Annotated[User, Depends(_with(Role.VIEWER))]
Operator = Annotated[User, Depends(_with(Role.OPERATOR))]


def scope_of(user: User, *, council: str | None) -> list[str] | None:
    """The councils a list is made for; None for all. Raises NotAllowed for one that the user may not see."""
    if council is None:
        return None if user.councils is None else sorted(user.councils)
    if not user.sees(council):
        seen = ", ".join(sorted(user.councils or ())) or "none"
        raise NotAllowed(f"Your councils are: {seen}. Ask an admin for more.")
    return [council]
