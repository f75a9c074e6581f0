"""What intake needs from the rest of the machine, and the room that is made of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from fastapi import Request

from hub.bulk import Bulk
from hub.core.retention import Keep
from hub.council import Councils
from hub.fuse import UNARMED, Fuse
from hub.intake.auth import Doorkeeper
from hub.intake.limits import Limiter, Rate
from hub.intake.readiness import Readiness
from hub.metrics import Metrics
from hub.operations import Operations
from hub.store.store import Store

MAX_BODY = 12 * 1024 * 1024  # ten attachments of 1 MiB in base64, and the words around them


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """Handed in by assembly; nothing here is looked up anywhere else."""

    store: Store
    councils: Callable[[], Councils]  #: the generation that is in force now
    operations: Operations
    bulk: Bulk  #: the same verbs on many
    ring: Callable[[str], None]  #: tell workers that a destination has work; never blocks, never raises
    clock: Callable[[], datetime]
    ids: Callable[[], str]
    references: Callable[[], str]
    metrics: Metrics = field(default_factory=Metrics)
    public_url: str = ""  #: what addresses in answers begin with; without it they are relative
    max_body: int = MAX_BODY
    serves: str = "all"  #: the role of this process: all, intake, console or worker
    rate: Rate = field(default_factory=Rate)
    monotonic: Callable[[], float] = time.monotonic
    fuse: Fuse = UNARMED
    keep: Keep = field(default_factory=Keep)  #: how long personal data lives


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """The dependencies and the little that intake remembers; one for each app."""

    deps: Deps
    doorkeeper: Doorkeeper
    limiter: Limiter
    readiness: Readiness
    base: str  #: the public URL without its last slash


def make_room(deps: Deps) -> Room:
    return Room(
        deps=deps,
        doorkeeper=Doorkeeper(deps.store, monotonic=deps.monotonic),
        limiter=Limiter(deps.rate),
        readiness=Readiness(deps.store, monotonic=deps.monotonic),
        base=deps.public_url.rstrip("/"),
    )


def room_of(request: Request) -> Room:
    """The room that a request came into. A FastAPI dependency, and a plain call on the hot path."""
    room: Room = request.app.state.room
    return room
