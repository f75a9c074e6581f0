"""The one order in which events are read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.store import jobs, tables
from hub.store.columns import Id, text_of
from hub.store.hot import Hot

BATCH = 500
NAME = "sequencer"
_EVENT = tables.event.c
_NUMBER = Hot.update(
    tables.event,
    {"id": Id, "seq": sa.BigInteger(), "hash": sa.LargeBinary()},
    where=lambda given: (_EVENT.id == given.id,),
    values=lambda given: {"feed_seq": given.seq, "hash": given.hash},
)


def sequence(connection: Connection, *, limit: int = BATCH) -> int:
    """Number committed events that have no number yet, and chain their hashes. Returns how many.

    Ids are given before the commit and commits come in any order, so a reader
    that trusted ids would miss events. Here only committed rows are seen, under
    the lock of one job row, and a later commit gets a later number.
    """
    state = jobs.lock_state(connection, NAME)
    if state is None:
        return 0
    query = sa.select(tables.event).where(_EVENT.feed_seq.is_(None)).order_by(_EVENT.id).limit(limit)
    rows = connection.execute(query).all()
    if not rows:
        return 0
    number, previous = int(state.get("seq", 0)), bytes.fromhex(state.get("hash", ""))
    numbered = []
    for row in rows:
        number += 1
        previous = chain(previous, number, row)
        numbered.append({"id": row.id, "seq": number, "hash": previous})
    _NUMBER.run(connection, numbered)
    jobs.keep_state(connection, NAME, {"seq": number, "hash": previous.hex()})
    return len(rows)


def chain(previous: bytes, number: int, row: Any) -> bytes:
    """The hash of an event: it covers the one before, so that a row changed or removed later shows."""
    detail = json.dumps(row.detail, sort_keys=True) if row.detail else ""
    told = f"{number}|{row.id}|{text_of(row.at)}|{row.kind}|{row.submission}|{row.delivery}|{row.actor}|{detail}"
    return hashlib.sha256(previous + told.encode()).digest()


def read(connection: Connection, *, after: int, limit: int = 100, front_end: str | None = None) -> Sequence[Any]:
    """Events after this number, in order: the only way anything outside the hub reads them."""
    query = sa.select(tables.event).where(_EVENT.feed_seq > after).order_by(_EVENT.feed_seq).limit(limit)
    if front_end is not None:
        query = query.where(_EVENT.front_end == front_end)
    return connection.execute(query).all()
