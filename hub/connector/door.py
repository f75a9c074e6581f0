"""What a connector is, and what it is given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel

from hub.model import Receipt, ReplaySafety, StepKind

if TYPE_CHECKING:  # the seam takes a Delivery, so at run time it imports this module and not the other way
    from hub.connector.http import Http


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing a product can be asked to do.

    `record` is the pydantic model of what the product's fields want: mappings
    are checked against it offline, and every record is validated by it before
    anything is sent. `replay_safety` says what a repeat does.
    """

    record: type[BaseModel]
    replay_safety: ReplaySafety = field(kw_only=True, default=ReplaySafety.UNSAFE)


async def _nothing(*_: object) -> None:
    """Outside the hub (in a test or a script) nobody keeps the marks."""


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One step on its way to a destination, as its connector sees it.

    The seams call `sending` before the first byte of a write; a connector
    calls `took` as soon as the product has accepted the write, with the
    product's reference or a token to fetch it by. From then on the hub never
    repeats the create, whatever is raised.
    """

    our_reference: str  #: the reference the destination is given; the same in every attempt
    reference: str  #: the hub's reference, which the resident was told
    operation: str  #: a name in the connector's `operations`
    received_at: datetime
    kind: StepKind = StepKind.CREATE
    on_sending: Callable[[], Awaitable[None]] = _nothing
    on_took: Callable[[str], Awaitable[None]] = _nothing
    writes: int = 0
    taken: str | None = None

    async def sending(self) -> None:
        """Commit that a write is about to leave. Called by the seams, once per create."""
        if self.kind is StepKind.CREATE and self.writes:
            raise RuntimeError("a create may write once; look things up with `read`")
        self.writes += 1
        await self.on_sending()

    def not_taken(self) -> None:
        """Allow the write again: the product has said that it did nothing (an expired session)."""
        self.writes = max(0, self.writes - 1)

    async def took(self, reference_or_token: str) -> None:
        """Commit that the product has accepted the write; the create is never repeated after this."""
        self.taken = reference_or_token
        await self.on_took(reference_or_token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What `check` found; `detail` is for staff and holds no secret."""

    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file on its way to a destination; `chunks` streams its bytes."""

    name: str
    media_type: str
    size: int
    chunks: Callable[[], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """The product says that a case moved. `status` is the product's own word."""

    reference: str
    status: str
    at: datetime
    our_reference: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRequest:
    """What a back office pushed to the hub, as it came."""

    method: str
    headers: Mapping[str, str]
    body: bytes


@runtime_checkable
class Connector(Protocol):
    """Code that speaks one product's protocol, and knows no council.

    `create` is the one verb that is required. `update`, `cancel`, `attach`,
    `find`, `changes`, `receive` and `check` are optional and found by name.
    Each returns, or raises one of the four `DeliveryFailure`s; anything else
    that escapes is a bug and counts as Unclear.
    """

    name: ClassVar[str]
    simulator: ClassVar[str]
    Settings: ClassVar[type[BaseModel]]
    operations: ClassVar[Mapping[str, Operation]]

    def __init__(self, settings: Any, http: Http) -> None: ...

    async def create(self, record: Any, delivery: Delivery) -> Receipt: ...
