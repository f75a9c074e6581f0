"""What a connector is, and what it is given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar, cast, runtime_checkable

from pydantic import BaseModel, ConfigDict

from hub.model import Receipt, ReplaySafety, StepKind

if TYPE_CHECKING:  # the seam takes a Delivery, so at run time it imports this module and not the other way
    from hub.connector.http import Http


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing a product can be asked to do.

    `record` is the pydantic model of what the product's fields want: mappings
    are checked against it offline, and every record is validated by it before
    anything is sent. `replay_safety` says what a repeat does. `settle` is how
    long after an attempt a case may still turn up in a look (`find` or
    `changes`): until then "not there" proves nothing. None is the
    destination's own timeout; a council may set another.
    """

    record: type[BaseModel]
    replay_safety: ReplaySafety = field(kw_only=True, default=ReplaySafety.UNSAFE)
    settle: timedelta | None = field(kw_only=True, default=None)


class FreeRecord(BaseModel):
    """A record of whatever fields a mapping gives it: for products whose fields only a council knows.

    Nothing in it is judged or converted. A subclass adds the example that the
    conformance kit tries.
    """

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Any]

    def tree(self) -> dict[str, Any]:
        """The record as the mapping made it, in its order and its types."""
        return dict(self.__pydantic_extra__)


class BadSetting(ValueError):
    """A setting cannot be used. `at` says which, from the settings down; the text names what would do."""

    def __init__(self, text: str, *, at: tuple[str | int, ...] = ()) -> None:
        super().__init__(text)
        self.at = at


async def _nothing(*_: object) -> None:
    """Outside the hub (in a test or a script) nobody keeps the marks."""


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One step on its way to a destination, as its connector sees it.

    The seams call `sending` before the first byte of a write; a connector
    calls `took` as soon as the product has accepted the write: with a token if
    it has `number`, with the product's reference if not. From then on the hub
    never repeats the create, whatever is raised.

    A create writes once. An update, a cancellation or an attachment may write
    as often as the product needs. Asking for a number writes nothing.
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
        """Commit that a write is about to leave. Called by the seams."""
        if self.kind is StepKind.CREATE and self.writes:
            raise RuntimeError("a create may write once; look things up with `read`")
        if self.kind is StepKind.NUMBER:
            raise RuntimeError("the case is there; ask for its number with `read`")
        await self.on_sending()
        self.writes += 1  # not before: whoever is cut off while that is committed has sent nothing

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

    `create` is the one verb that is required; the others are found by name:

    - `async find(our_reference) -> Receipt | None`: the case under exactly our
      reference, None where the product has none. Needed by `lookup`.
    - `async changes(since) -> AsyncIterator[StatusChange]` (an async generator):
      every case made or moved since then, with our reference. Needed by `listing`.
    - `async number(token, delivery) -> Receipt`: the council's own number of a
      case that `took(token)` said is there; Unavailable while there is none.
    - `async attach(attachment, receipt, delivery) -> None`: a file to the case.
    - `async update(record, receipt, delivery) -> Receipt`, and `cancel` alike.
    - `receive(request) -> list[StatusChange]`: a push; verifies its caller.
    - `async check() -> Health`: a read that proves address and key.

    `find`, `changes` and `number` are reads, so they never raise Unclear, and a
    look that could not be made raises: it never says "not there". Each returns,
    or raises one of the four `DeliveryFailure`s; anything else that escapes is
    a bug and counts as Unclear.

    A connector that is declared in the council file (any REST system, say) has
    a class method as well:

    - `configured(settings) -> type[Connector]`: the class as these settings
      make it, with the operations, replay safeties and verbs that they allow
      (`tailored` makes it). It is given the settings as they are written, so a
      value may still be `env:NAME` or `file:/path` (a secret always is; of the
      others only those that nobody can resolve here); it may read files that
      they name, and opens no socket. It raises BadSetting (or lets pydantic's
      ValidationError out), which `hub check` shows with file and line. The class
      itself declares all that any settings could allow.
    """

    name: ClassVar[str]
    simulator: ClassVar[str]
    Settings: ClassVar[type[BaseModel]]
    operations: ClassVar[Mapping[str, Operation]]

    def __init__(self, settings: Any, http: Http) -> None: ...

    async def create(self, record: Any, delivery: Delivery) -> Receipt: ...


Kind = TypeVar("Kind")


def tailored(
    connector: type[Kind], *, operations: Mapping[str, Operation], without: Collection[str] = ()
) -> type[Kind]:
    """What `configured` returns: this connector with these operations, and without these optional verbs."""
    members = {"__doc__": connector.__doc__, "__module__": connector.__module__, "operations": operations}
    return cast("type[Kind]", type(connector.__name__, (connector,), members | dict.fromkeys(without)))
