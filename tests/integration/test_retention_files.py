"""Files, forms and what was said afterwards are forgotten with the submission that they belong to, and never before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub.dispatch.orphans import OLDER
from hub.dispatch.retention import Retention
from hub.fuse import CrashPoint
from hub.model import StepKind, StepState
from hub.store import attachments, follow_ups, jobs, retention, tables
from hub.store.accept import Accept
from hub.store.attachments import NewFile
from hub.store.blobs import new_name
from hub.store.follow_ups import FollowUp
from hub.store.ids import uuid7
from hub.store.retention import Forgotten
from hub.store.store import Store
from tests.files import JPEG, stream
from tests.integration.test_retention import ago, body, forgetting, id_of, kept, put
from tests.stores import FRONT_END, SEALER

__all__ = ["forgetting"]
_FILE = tables.attachment.c


async def file_of(store: Store, *, name: str | None = None, days: float = 0, row: bool = True) -> NewFile:
    """A file that waits for a submission, written so many days ago; without its row, an orphan."""
    named = name or new_name()
    durable = await store.blobs.keep(named, stream(JPEG))
    made = NewFile(
        id=named, name=SEALER.seal(b"bin.jpg", place=attachments.place(named)), media_type="image/jpeg",
        size=durable.size, sha256=durable.sha256, blob=durable.blob,
    )  # fmt: skip
    os.utime(store.blobs.root / durable.blob, times=(ago(days).timestamp(),) * 2)
    if row:
        await store.transact(lambda c: attachments.add(c, [made], front_end=FRONT_END))
        await set_file(store, made, expires_at=ago(days - 1))
    return made


async def set_file(store: Store, file: NewFile, **values: Any) -> None:
    change = sa.update(tables.attachment).where(_FILE.id == file.id).values(**values)
    await store.transact(lambda c: c.execute(change))


async def claimed(store: Store, made: Accept) -> NewFile:
    file = await file_of(store)
    await set_file(store, file, submission=made.id, expires_at=None)
    return file


async def said(store: Store, about: Accept) -> str:
    new = uuid7()
    words = FollowUp(
        id=new, submission=about.id, front_end=FRONT_END, kind=StepKind.UPDATE, told="comment",
        body=SEALER.seal(b'{"text": "still there"}', place=follow_ups.place(new)),
    )  # fmt: skip
    await store.transact(lambda c: follow_ups.add(c, words))
    return new


async def words(store: Store, follow_up: str) -> bytes | None:
    row = tables.follow_up.c
    return await store.read(lambda c: c.execute(sa.select(row.body).where(row.id == follow_up)).scalar_one())


async def received(store: Store, *, id: str, state: str, **values: Any) -> None:
    row = {
        "id": id, "reference": uuid7()[-9:], "council": "northborough", "format": "xgov", "profile": "complaint",
        "state": state, "body": b"sealed", "received_at": ago(100), **values,
    }  # fmt: skip
    await store.transact(lambda c: c.execute(sa.insert(tables.received).values(**row)))


async def form_of(store: Store, id: str) -> bytes | None:
    row = tables.received.c
    return await store.read(lambda c: c.execute(sa.select(row.body).where(row.id == id)).scalar_one())


def there(store: Store, file: NewFile) -> bool:
    return (store.blobs.root / file.blob).exists()


async def rows(store: Store) -> set[str]:
    return set(await store.read(lambda c: c.execute(sa.select(_FILE.id)).scalars().all()))


async def test_everything_of_a_submission_is_forgotten_together(store: Store, forgetting: Retention) -> None:
    old = await kept(store, accepted=92, state=StepState.DELIVERED, since=91)
    file, comment = await claimed(store, old), await said(store, old)
    await received(store, id=old.id, state="mapped")
    await put(store, old, StepState.DELIVERED, since=91)
    assert await forgetting.run(dry=True) == Forgotten(contents=1)
    assert await forgetting.run() == Forgotten(contents=1, files=1)
    assert (await body(store, old), await words(store, comment), await form_of(store, old.id)) == (None, None, None)
    assert not there(store, file) and await rows(store) == set()


async def test_what_is_still_a_persons_keeps_its_files_and_words(store: Store, forgetting: Retention) -> None:
    old = await kept(store, accepted=92, state=StepState.DEAD, since=91)
    file, comment = await claimed(store, old), await said(store, old)
    assert await forgetting.run() == Forgotten()
    assert there(store, file) and await words(store, comment) is not None


async def test_a_follow_up_that_waits_keeps_the_whole_case(store: Store, forgetting: Retention) -> None:
    old = await kept(store, accepted=92, state=StepState.DELIVERED, since=91)
    await said(store, old)
    assert await forgetting.run() == Forgotten()


async def test_what_is_said_after_everything_was_forgotten_is_forgotten_too(
    store: Store, forgetting: Retention
) -> None:
    old = await kept(store, accepted=92, state=StepState.DELIVERED, since=91)
    await forgetting.run()
    comment = await said(store, old)
    await put(store, old, StepState.DELIVERED, since=91)
    looked_at = sa.update(tables.submission_content).values(expires_at=ago(0))
    await store.transact(lambda c: c.execute(looked_at.where(tables.submission_content.c.submission == old.id)))
    await forgetting.run()
    assert await words(store, comment) is None


async def test_a_file_that_nothing_named_is_forgotten_after_its_day(store: Store, forgetting: Retention) -> None:
    old, fresh = await file_of(store, days=1.2), await file_of(store, days=0.9)
    held = await file_of(store, days=5)
    await store.transact(lambda c: attachments.hold(c, [held.id], front_end=FRONT_END))
    assert await forgetting.run() == Forgotten(files=1)
    assert [there(store, file) for file in (old, fresh, held)] == [False, True, True]
    assert await rows(store) == {fresh.id, held.id}


async def test_a_form_that_was_set_aside_is_forgotten_on_its_day_and_one_that_is_parked_never(
    store: Store, forgetting: Retention
) -> None:
    over, later, parked = uuid7(), uuid7(), uuid7()
    await received(store, id=over, state="discarded", expires_at=ago(1))
    await received(store, id=later, state="discarded", expires_at=ago(-1))
    await received(store, id=parked, state="parked")
    assert await forgetting.run() == Forgotten(received=1)
    assert [await form_of(store, id) is not None for id in (over, later, parked)] == [False, True, True]


class Died(Exception):
    """What a SIGKILL is to the run."""


async def test_dying_between_the_bytes_and_their_row_costs_nothing_but_time(
    store: Store, forgetting: Retention
) -> None:
    file = await file_of(store, days=2)

    def die(point: CrashPoint) -> None:
        raise Died

    with pytest.raises(Died):
        await replace(forgetting, reach=die).run()
    assert not there(store, file) and await rows(store) == {file.id}
    assert await forgetting.run() == Forgotten(files=1)
    assert await rows(store) == set()


async def test_a_file_without_a_row_is_swept_up_when_it_is_a_day_old(store: Store, forgetting: Retention) -> None:
    orphan = await file_of(store, name=id_of(ago(3)), days=3, row=False)
    fresh = await file_of(store, days=0, row=False)
    owned = await file_of(store, name=id_of(ago(3)), days=3)
    await set_file(store, owned, expires_at=None)
    (store.blobs.root / (orphan.blob[:-1] + "f.part")).write_bytes(b"half")
    os.utime(store.blobs.root / (orphan.blob[:-1] + "f.part"), times=(ago(3).timestamp(),) * 2)
    await store.transact(lambda c: jobs.ensure(c, {retention.NAME: timedelta(hours=1)}))
    await forgetting.run()
    assert [there(store, file) for file in (orphan, fresh, owned)] == [False, True, True]
    assert [path.name for path in store.blobs.root.rglob("*.part")] == []


_KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from hub.store.blobs import Blobs, new_name
from hub.store.seal import Sealer
from tests.files import stream

blobs = Blobs(Path(sys.argv[1]), Sealer({"test": b"k" * 32}))
asyncio.run(blobs.keep(sys.argv[2], stream(b"x" * 100_000)))
os.kill(os.getpid(), signal.SIGKILL)
"""


async def test_who_is_killed_between_the_file_and_the_commit_leaves_nothing_for_long(
    store: Store, forgetting: Retention
) -> None:
    name = id_of(ago(2))
    killed = [sys.executable, "-c", _KILLED, str(store.blobs.root), name]
    done = subprocess.run(killed, cwd=Path(__file__).parents[2], timeout=30, check=False)  # noqa: ASYNC221
    [left] = [path for path in store.blobs.root.rglob("*") if path.is_file()]
    assert (done.returncode, left.name) == (-signal.SIGKILL, name)
    await forgetting.run()
    assert left.exists(), "its transaction may be under way for all that the clocks say"
    os.utime(left, times=((ago(2) - OLDER).timestamp(),) * 2)
    await store.transact(lambda c: c.execute(sa.update(tables.job).values(state={})))
    await forgetting.run()
    assert not left.exists()
