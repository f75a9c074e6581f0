"""One order for readers, whatever order commits come in."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from datetime import UTC, datetime
from functools import partial

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.store import events, sequencer, tables
from hub.store.ids import uuid7
from hub.store.store import Store

EVENTS = 10_000
WRITERS = 3


def write_some(store: Store, dice: random.Random, number: int) -> None:
    left = number
    while left:
        some = min(left, dice.randint(1, 200))
        left -= some
        rows = [
            events.row(
                event_id=uuid7(), at=datetime.now(UTC), kind="test", council=None, front_end=None, submission=None
            )
            for _ in range(some)
        ]

        def work(connection: Connection, rows: list[dict[str, object]] = rows) -> None:
            events.INSERT.run(connection, rows)
            if not store.sqlite:  # ids are old by the time of the commit; SQLite has one writer, who must not sleep
                connection.execute(sa.text(f"SELECT pg_sleep({dice.random() * 0.05})"))

        if store.sqlite:
            asyncio.run(store.transact(work))
        else:
            store.transact_now(work)


def read_all(store: Store, seen: list[str], done: threading.Event) -> None:
    position = 0
    while True:
        over = done.is_set()
        read = partial(sequencer.read, after=position, limit=1_000)
        rows = store.read_now(read)
        seen.extend(row.id for row in rows)
        position = rows[-1].feed_seq if rows else position
        if over and not rows:
            return
        time.sleep(0.005)


async def test_three_writers_with_random_delays_are_read_once_each_and_in_order(store: Store) -> None:
    share = [EVENTS // WRITERS + (1 if n < EVENTS % WRITERS else 0) for n in range(WRITERS)]
    writers = [threading.Thread(target=write_some, args=(store, random.Random(n), share[n])) for n in range(WRITERS)]
    seen: list[str] = []
    done = threading.Event()
    reader = threading.Thread(target=read_all, args=(store, seen, done))
    for thread in (*writers, reader):
        thread.start()
    while any(thread.is_alive() for thread in writers):
        await store.transact(sequencer.sequence)
        await asyncio.sleep(0.005)
    while await store.transact(sequencer.sequence):
        continue
    done.set()
    await asyncio.to_thread(reader.join)
    assert len(seen) == len(set(seen)) == EVENTS


async def test_the_chain_shows_a_changed_event(store: Store) -> None:
    rows = [
        events.row(event_id=uuid7(), at=datetime.now(UTC), kind="test", council=None, front_end=None, submission=None)
        for _ in range(5)
    ]
    await store.transact(lambda connection: events.INSERT.run(connection, rows))
    await store.transact(sequencer.sequence)
    assert chain_holds(store)
    await store.transact(
        lambda c: c.execute(sa.update(tables.event).where(tables.event.c.feed_seq == 3).values(kind="other"))
    )
    assert not chain_holds(store)


def chain_holds(store: Store) -> bool:
    previous = b""
    for row in store.read_now(lambda connection: sequencer.read(connection, after=0)):
        previous = sequencer.chain(previous, row.feed_seq, row)
        if previous != bytes(row.hash):
            return False
    return True
