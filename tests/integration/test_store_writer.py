"""The writer's thread is the hub's heart: nothing that is raised in it ends it, and nobody waits for it for ever."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar, Self

import pytest
import sqlalchemy as sa
import structlog
from sqlalchemy import Connection

from hub.errors import StoreUnavailable
from hub.intake.readiness import Readiness
from hub.store import tables
from hub.store.accept import Accept
from hub.store.patience import Patience
from hub.store.store import Store
from hub.store.writer import ROOM
from tests.stores import HASHER, SEALER, accept, open_store

BRISK = Patience(taken_up=timedelta(milliseconds=300), written=timedelta(milliseconds=200))


@dataclass(frozen=True, kw_only=True)
class Odd:
    """A thought that does as a test says while it is written."""

    rank: ClassVar[int] = 9

    act: Callable[[], object]

    @classmethod
    def write_all(cls, connection: Connection, thoughts: Sequence[Self]) -> list[Any]:
        return [thought.act() for thought in thoughts]

    def landed(self, connection: Connection) -> bool:
        return False

    def result_if_landed(self) -> Any:
        return None


@dataclass(frozen=True, kw_only=True)
class Short(Odd):
    """One whose kind answers for fewer than it was given."""

    act: Callable[[], object] = print

    @classmethod
    def write_all(cls, connection: Connection, thoughts: Sequence[Self]) -> list[Any]:
        return []


@dataclass
class Gate:
    """Holds the writer's thread until it is opened."""

    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> None:
        self.reached.set()
        self.opened.wait(20)


@pytest.fixture
def brisk(database_url: str) -> Iterator[Store]:
    """A store that waits for tenths of a second."""
    open_store(database_url).close()
    opened = Store(database_url, sealer=SEALER, hasher=HASHER, patience=BRISK)
    yield opened
    opened.close()


def raising(failure: BaseException) -> Callable[[], object]:
    def act() -> object:
        raise failure

    return act


def kept(store: Store, *thoughts: Accept) -> list[bool]:
    query = sa.select(tables.submission.c.id)
    ids = set(store.read_now(lambda connection: connection.execute(query).scalars().all()))
    return [thought.id in ids for thought in thoughts]


def writers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "store-writer"]


@asynccontextmanager
async def held(store: Store) -> AsyncIterator[Gate]:
    """The writer's thread stands still inside."""
    gate = Gate()
    holding = asyncio.ensure_future(store.write(Odd(act=gate.wait)))
    await asyncio.to_thread(gate.reached.wait, 10)
    try:
        yield gate
    finally:
        gate.opened.set()
        await asyncio.gather(holding, return_exceptions=True)


ODD = [
    ValueError("odd"), StopIteration(), StopAsyncIteration(), GeneratorExit(), asyncio.CancelledError(),
    KeyboardInterrupt(), SystemExit(1), MemoryError(), RecursionError(),
]  # fmt: skip


@pytest.mark.parametrize("failure", ODD, ids=lambda failure: type(failure).__name__)
async def test_whatever_one_thought_raises_its_neighbours_are_kept(store: Store, failure: BaseException) -> None:
    neighbours = [accept(), accept()]
    async with held(store) as gate:
        batch = [store.write(neighbours[0]), store.write(Odd(act=raising(failure))), store.write(neighbours[1])]
        answers = asyncio.gather(*batch, return_exceptions=True)
        await asyncio.sleep(0)
        gate.opened.set()
        first, odd, second = await answers
    assert isinstance(odd, Exception) and not isinstance(odd, StopIteration)
    assert (first.id, second.id) == (neighbours[0].id, neighbours[1].id) and kept(store, *neighbours) == [True, True]


async def test_a_kind_that_answers_for_too_few_harms_nobody_else(store: Store) -> None:
    answers = await asyncio.gather(store.write(Short()), store.write(accept()), return_exceptions=True)
    assert isinstance(answers[0], ValueError) and answers[1].replayed is False


def strike(thread: threading.Thread) -> None:
    """Raise SystemExit in a thread, wherever it is."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))


async def test_an_exception_from_nowhere_does_not_end_the_thread(brisk: Store) -> None:
    [thread] = writers()
    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            strike(thread)
            await asyncio.gather(brisk.write(accept()), return_exceptions=True)
        assert (await brisk.write(accept())).replayed is False
    assert thread.is_alive() and "store.writer_stumbled" in [line["event"] for line in lines]


def not_a_word(*_: object) -> Any:
    raise SystemExit


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_thread_that_died_after_all_is_replaced_by_the_next_who_writes(brisk: Store) -> None:
    [thread] = writers()
    structlog.configure(processors=[not_a_word])
    strike(thread)
    await asyncio.gather(brisk.write(accept()), return_exceptions=True)
    await asyncio.to_thread(thread.join, 10)
    structlog.reset_defaults()
    assert (await brisk.write(accept())).replayed is False
    assert thread not in writers() and len(writers()) == 1


async def test_who_waits_behind_a_thread_that_stands_still_is_told_in_good_time(brisk: Store) -> None:
    late = accept()
    async with held(brisk):
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match="behind"):
            await brisk.write(late)
        assert time.monotonic() - began < 3
    await brisk.write(accept())
    assert kept(brisk, late) == [False], "who was told so must not find it kept"


async def test_what_was_given_up_in_the_middle_of_a_batch_is_taken_out_of_it(brisk: Store) -> None:
    late, gate = accept(), Gate()
    async with held(brisk) as first:
        batch = [brisk.write(late), brisk.write(Odd(act=gate.wait))]
        answers = asyncio.gather(*batch, return_exceptions=True)
        await asyncio.sleep(0)
        first.opened.set()
        told = await answers
    patient = asyncio.ensure_future(brisk.write(accept()))
    gate.opened.set()
    await patient
    assert [type(each) for each in told] == [StoreUnavailable] * 2 and "Idempotency-Key" in str(told[0])
    assert kept(brisk, late) == [False]


async def test_what_was_given_up_is_forgotten_while_the_thread_stands_still(brisk: Store) -> None:
    async with held(brisk):
        late = Odd(act=print)
        gone = weakref.ref(late)
        waiting = [asyncio.ensure_future(brisk.write(late))]
        del late
        await asyncio.gather(*waiting, return_exceptions=True)
        waiting.clear()
        await asyncio.sleep(0.05)
        gc.collect()
        assert gone() is None


async def test_only_so_many_wait(brisk: Store) -> None:
    async with held(brisk):
        answers = await asyncio.gather(*[brisk.write(accept()) for _ in range(ROOM + 10)], return_exceptions=True)
    assert {type(answer) for answer in answers} == {StoreUnavailable}


async def test_a_thread_that_stands_still_is_not_ready(brisk: Store) -> None:
    readiness = Readiness(brisk, monotonic=time.monotonic)
    await readiness.check()
    async with held(brisk):
        await asyncio.sleep(1.1)
        with pytest.raises(StoreUnavailable):
            await readiness.check()
    await asyncio.sleep(1.1)
    await readiness.check()


async def test_a_slow_reader_is_told_in_good_time_and_delays_no_claim(database_url: str, brisk: Store) -> None:
    opened = Store(database_url, sealer=SEALER, hasher=HASHER, patience=replace(BRISK, read=timedelta(seconds=0.3)))
    gate = Gate()
    slow = [opened.read(lambda _: gate.wait()) for _ in range(10)]
    assert {type(each) for each in await asyncio.gather(*slow, return_exceptions=True)} == {StoreUnavailable}
    assert await asyncio.wait_for(opened.transact(lambda c: c.execute(sa.select(1)).scalar_one()), 5) == 1
    gate.opened.set()
    opened.close()
