"""Taking in: once for each key, durable, and no neighbour suffers for another."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from hub.errors import KeyReused, NotThere
from hub.model import SubmissionStatus
from hub.store import submissions, tables
from hub.store.accept import ReferenceTaken
from hub.store.store import Store
from tests.stores import FRONT_END, accept


def count(store: Store, table: sa.Table) -> int:
    return store.read_now(
        lambda connection: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
    )


async def test_a_repeated_key_gets_the_first_answer(store: Store) -> None:
    first = await store.write(accept(key="k"))
    again = await store.write(accept(key="k"))
    assert (again.id, again.replayed) == (first.id, True)
    assert count(store, tables.submission) == 1


async def test_a_key_with_other_content_is_refused(store: Store) -> None:
    await store.write(accept(key="k"))
    with pytest.raises(KeyReused):
        await store.write(accept(key="k", content="other"))


async def test_twenty_at_once_with_one_key_make_one_submission(store: Store) -> None:
    answers = await asyncio.gather(*[store.write(accept(key="k")) for _ in range(20)])
    assert len({answer.id for answer in answers}) == 1
    assert [answer.replayed for answer in answers].count(False) == 1


async def test_one_that_cannot_be_written_does_not_spoil_its_neighbours(store: Store) -> None:
    await store.write(accept(told="AAAA-BBBB"))
    thoughts = [accept(), accept(told="AAAA-BBBB"), accept()]
    answers = await asyncio.gather(*[store.write(one) for one in thoughts], return_exceptions=True)
    assert [type(answer).__name__ for answer in answers] == ["Accepted", ReferenceTaken.__name__, "Accepted"]
    assert count(store, tables.submission) == 3


async def test_an_accepted_submission_has_its_delivery_its_step_and_its_first_event(store: Store) -> None:
    await store.write(accept(parts=2))
    assert [count(store, table) for table in (tables.delivery, tables.step, tables.event)] == [2, 2, 1]


async def test_a_submission_is_found_by_id_and_by_reference_in_any_case(store: Store) -> None:
    taken = await store.write(accept())
    for name in (taken.id, taken.reference, taken.reference.lower()):
        view = store.read_now(lambda connection, name=name: submissions.status(connection, name))
        assert (view.id, view.status) == (taken.id, SubmissionStatus.ACCEPTED)


async def test_another_front_end_sees_nothing_of_it(store: Store) -> None:
    taken = await store.write(accept())
    with pytest.raises(NotThere):
        store.read_now(lambda c: submissions.status(c, taken.id, front_end="01900000-0000-7000-8000-000000000000"))
    assert store.read_now(lambda c: submissions.status(c, taken.id, front_end=FRONT_END)).id == taken.id


async def test_a_commit_without_an_answer_is_read_back_before_anything_runs_again(store: Store) -> None:
    dialect, real = store.writing.dialect, store.writing.dialect.do_commit

    def lose_the_answer(connection: object) -> None:
        dialect.do_commit = real  # type: ignore[method-assign]
        real(connection)  # type: ignore[arg-type]
        raise dialect.loaded_dbapi.OperationalError("server closed the connection unexpectedly")

    dialect.do_commit = lose_the_answer  # type: ignore[method-assign]
    taken = await store.write(accept())
    assert store.read_now(lambda c: submissions.status(c, taken.id)).reference == taken.reference
    assert count(store, tables.submission) == 1


async def test_a_key_is_forgotten_when_its_time_is_over(store: Store) -> None:
    first, later = accept(key="k"), accept(key="k", content="other")
    assert first.idempotency is not None
    over = replace(first, idempotency=replace(first.idempotency, expires_at=first.accepted_at))
    await store.write(over)
    assert (await store.write(later)).replayed is False
    assert count(store, tables.submission) == 2
