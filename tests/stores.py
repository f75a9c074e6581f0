"""Stores for tests, and thoughts to put into them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hub.model import ReplaySafety, StepState
from hub.store import claims, destinations, jobs, schema
from hub.store.accept import Accept, IdempotencyKey, NewDelivery
from hub.store.attempts import Conclude
from hub.store.claims import Claimed, Terms
from hub.store.destinations import DestinationSpec
from hub.store.engine import open_engines
from hub.store.ids import reference, uuid7
from hub.store.seal import Hasher, Sealer
from hub.store.sequencer import NAME
from hub.store.store import Store

SEALER = Sealer({"test": b"k" * 32})
HASHER = Hasher(b"h" * 32)
FRONT_END = uuid7()
WASTE = "northborough/waste"


def open_store(url: str, *, cap: int = 4, per_second: float | None = None, blobs: Path | None = None) -> Store:
    """A store with its schema and one destination."""
    store = Store(url, sealer=SEALER, hasher=HASHER, blobs=blobs)
    lay(store, url)
    add_destination(store, WASTE, cap=cap, per_second=per_second)
    store.transact_now(lambda connection: jobs.ensure(connection, {NAME: timedelta(seconds=1)}))
    return store


def lay(store: Store, url: str) -> None:
    """The newest schema, in a store that nothing was asked of yet. Migrating takes longer than most tests."""
    file = Path(url.removeprefix("sqlite:///"))
    if not store.sqlite:
        schema.upgrade(store.writing)
    elif not file.exists() or not file.stat().st_size:
        file.write_bytes(empty_sqlite())


@cache
def empty_sqlite() -> bytes:
    """An SQLite file with the newest schema."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        engine, reading = open_engines(f"sqlite:///{path}")
        schema.upgrade(engine)
        engine.dispose()
        reading.dispose()
        return path.read_bytes()


def add_destination(store: Store, name: str, *, cap: int = 4, per_second: float | None = None) -> None:
    council, _, short = name.partition("/")
    spec = DestinationSpec(id=name, council=council, name=short, connector="x", concurrency=cap, per_second=per_second)
    store.transact_now(lambda connection: destinations.sync(connection, [spec]))


def accept(
    *, key: str | None = None, content: str = "same", destination: str = WASTE, told: str | None = None, parts: int = 1
) -> Accept:
    submission, told = uuid7(), told or reference()
    now = datetime.now(UTC)
    idempotency = None
    if key is not None:
        idempotency = IdempotencyKey(
            scope="v1", key_hash=HASHER.digest(key), fingerprint=HASHER.digest(content), expires_at=None
        )
    return Accept(
        id=submission,
        reference=told,
        council="northborough",
        service="missed-bin",
        version=1,
        front_end=FRONT_END,
        front_end_reference=None,
        channel="web",
        accepted_at=now,
        due_by=None,
        warnings=(),
        faults=(),
        test=False,
        trace_id=None,
        body=SEALER.seal(b"{}", place=f"submission_content|{submission}|1"),
        attrs=(),
        deliveries=tuple(
            NewDelivery(
                id=uuid7(),
                step=uuid7(),
                destination=destination,
                route="missed-bin->waste",
                item_index=part if parts > 1 else None,
                our_reference=told if parts == 1 else f"{told}-{part + 1}",
            )
            for part in range(parts)
        ),
        idempotency=idempotency,
        event_id=uuid7(),
    )


def terms(
    *, worker: str | None = None, safety: ReplaySafety = ReplaySafety.UNSAFE, lease: timedelta = timedelta(seconds=60)
) -> Terms:
    return Terms(worker=worker or uuid7(), lease=lease, generation=1, safety_of=lambda _route, _kind: safety, ids=uuid7)


async def claim(store: Store, *, limit: int = 10, on: Terms | None = None) -> Sequence[Claimed]:
    chosen = on or terms()
    found = await store.transact(lambda connection: claims.claim(connection, WASTE, limit=limit, terms=chosen))
    return found.claimed


def conclude(claimed: Claimed, *, state: StepState = StepState.DELIVERED, **changes: Any) -> Conclude:
    values: dict[str, Any] = {
        "attempt": claimed.attempt,
        "step": claimed.step,
        "token": claimed.token,
        "delivery": claimed.delivery,
        "submission": claimed.submission,
        "council": claimed.council,
        "front_end": claimed.front_end,
        "outcome": "delivered" if state is StepState.DELIVERED else "refused",
        "state": state,
        "attempts_used": claimed.attempts_used + 1,
        "destination": claimed.destination,
        "event_id": uuid7(),
        "their_reference": "WS-1" if state is StepState.DELIVERED else None,
    }
    return Conclude(**values | changes)
