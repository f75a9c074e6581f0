"""Intake on a store of its own with two pretend councils: what the tests of the front room stand in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from hub.bulk import Bulk
from hub.bulk_preview import Previewer
from hub.connector.testing.scriptable import Scriptable
from hub.council import Councils
from hub.councils import load
from hub.intake.app import make_app
from hub.intake.deps import Deps
from hub.intake.limits import Rate
from hub.model import ReplaySafety, Role
from hub.operations import Operations
from hub.past import Past
from hub.registry import Registry
from hub.standard import SERVICES
from hub.store import destinations, front_ends, schema, users
from hub.store.destinations import DestinationSpec
from hub.store.ids import reference, uuid7
from hub.store.patience import Patience
from hub.store.seal import Hasher, Sealer
from hub.store.store import Store
from tests.asgi import Answer, Caller
from tests.stores import empty_sqlite

NOW = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
KEY = "key of the shared front end"

_COUNCIL = """
council: {name}
slug: {slug}
gss: {gss}
calendar: england-and-wales
destinations:
  waste: {{connector: scriptable, settings: {{url: "http://127.0.0.1:9"}}}}
  crm: {{connector: scriptable, settings: {{url: "http://127.0.0.1:9"}}}}
routes:
"""
_BIN = """
service: missed-bin
connector: scriptable
each: container in details.containers
create:
  operation: CreateCase
  record: {title: "{{ container.waste_type }}", where: "{{ property.uprn | default('none') }}"}
"""
_COMPLAINT = """
service: complaint
connector: scriptable
create:
  operation: CreateCase
  record: {title: "{{ details.what_happened | shorten(80) }}"}
"""
FILES = {
    "northborough/council.yaml": _COUNCIL.format(name="Northborough", slug="northborough", gss="E07000999")
    + "  - {service: missed-bin, to: waste, mapping: missed-bin.yaml}\n"
    + "  - {service: complaint, to: crm, mapping: complaint.yaml, when: \"{{ details.kind == 'complaint' }}\"}\n",
    "northborough/missed-bin.yaml": _BIN,
    "northborough/complaint.yaml": _COMPLAINT,
    "southby/council.yaml": _COUNCIL.format(name="Southby", slug="southby", gss="E07000998")
    + "  - {service: complaint, to: crm, mapping: complaint.yaml}\n",
    "southby/complaint.yaml": _COMPLAINT,
}


REGISTRY = Registry({"scriptable": Scriptable})


@cache
def councils() -> Councils:
    loaded = load(FILES, registry=REGISTRY, secrets=None, generation=1)
    assert loaded.councils is not None, loaded.findings
    return loaded.councils


@dataclass(slots=True)
class House:
    """The app, its store, and what it rang."""

    app: FastAPI
    store: Store
    rung: list[str] = field(default_factory=list)

    def caller(self, key: str | None = KEY) -> Caller:
        return Caller(self.app, {} if key is None else {"authorization": f"Bearer {key}"})

    def front_end(self, name: str, *, councils: list[str] | None = None, services: list[str] | None = None) -> Caller:
        """A caller with a new front end's key."""
        key = f"key of {name}"

        def work(connection: Any) -> None:
            front_ends.add(
                connection, front_end=uuid7(), name=name, hashed=front_ends.key_hash(self.store.hasher, key),
                prefix=key[:8], councils=councils, services=services,
            )  # fmt: skip

        self.store.transact_now(work)
        return self.caller(key)

    def user(self, name: str, role: Role, *, councils: list[str] | None = None) -> Caller:
        """A caller with a new user's token."""
        token = f"token of {name}"

        def work(connection: Any) -> None:
            hashed = users.token_hash(self.store.hasher, token)
            users.add(connection, user=uuid7(), name=name, hashed=hashed, role=role, councils=councils)

        self.store.transact_now(work)
        return self.caller(token)

    async def published(self, caller: Caller | None = None, **changes: Any) -> Any:
        answer = await publish(caller or self.caller(), **changes)
        assert answer.status == 202, answer.body
        return answer.json()


@contextmanager
def house(
    url: str, *, new: bool = True, patience: Patience | None = None, blobs: Path | None = None, **settings: Any
) -> Iterator[House]:
    """`new`: an empty store; otherwise another process on one that is there."""
    if new and url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).write_bytes(empty_sqlite())
    store = Store(url, sealer=Sealer({"test": b"k" * 32}), hasher=Hasher(b"h" * 32), patience=patience, blobs=blobs)
    if new and not store.sqlite:
        schema.upgrade(store.writing)
    rung: list[str] = []
    specs = [
        DestinationSpec(id=d.id, council=d.council, name=d.name, connector=d.connector, concurrency=4, per_second=None)
        for d in councils().destinations()
    ]
    store.transact_now(lambda connection: destinations.sync(connection, specs))
    operations = Operations(store=store, ring=rung.append, safety_of=lambda *_: ReplaySafety.UNSAFE)
    past = Past(store, registry=REGISTRY)
    preview = Previewer(store=store, councils=councils, past=past, safety_of=lambda *_: ReplaySafety.UNSAFE)
    given: dict[str, Any] = {
        "store": store, "councils": councils, "operations": operations, "ring": rung.append,
        "bulk": Bulk(store=store, preview=preview),
        "clock": lambda: NOW, "ids": uuid7, "references": reference, "rate": Rate(per_second=1e6, burst=1000),
    }  # fmt: skip
    made = House(app=make_app(Deps(**{**given, **settings})), store=store, rung=rung)
    if new:
        made.front_end("the shared front end")
    try:
        yield made
    finally:
        store.close()


def body(service: str = "missed-bin", **changes: Any) -> dict[str, Any]:
    """A good example of the service, as if written on the day of NOW, with changes at its top level."""
    good, _ = SERVICES[service].examples(1, today=NOW.date())
    made: dict[str, Any] = good[0].as_dict()["body"]
    return {key: value for key, value in {**made, "council": "northborough", **changes}.items() if value is not None}


async def publish(caller: Caller, service: str = "missed-bin", *, key: str | None = None, **changes: Any) -> Answer:
    headers = {} if key is None else {"idempotency_key": key}
    return await caller.post("/v1/submissions", body(service, **changes), **headers)
