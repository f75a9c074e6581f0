"""The hub of the version before, and the one after it, on one database."""

from __future__ import annotations

import ast
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog

from hub.cli.program import status
from hub.errors import StoreOutdated, StoreUnavailable
from hub.store import schema
from hub.store.engine import open_engines

MIGRATIONS = sorted((Path(schema.__file__).parent / "migrations" / "versions").glob("0*.py"))
#: What takes away or changes what a hub of the version before relies on. Indexes may come and go.
TAKES = {"alter_column", "drop_column", "drop_table", "rename_table", "drop_constraint", "execute", "bulk_insert"}


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    writing, reading = open_engines(database_url)
    yield writing
    writing.dispose()
    reading.dispose()


def stamp(engine: sa.Engine, revision: str) -> None:
    """As a hub with that migration would leave it."""
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


@pytest.mark.parametrize("path", MIGRATIONS[1:], ids=lambda path: path.stem)
def test_a_migration_only_adds(path: Path) -> None:
    calls = {
        node.func.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert calls & TAKES == set(), "the version before still uses it: see hub/decisions/0006"


@pytest.mark.parametrize("path", MIGRATIONS[1:], ids=lambda path: path.stem)
def test_a_column_that_is_added_needs_no_value_from_the_version_before(engine: sa.Engine, path: Path) -> None:
    schema.upgrade(engine, to=MIGRATIONS[MIGRATIONS.index(path) - 1].stem[:4])
    before = {table: {c["name"] for c in sa.inspect(engine).get_columns(table)} for table in _tables(engine)}
    schema.upgrade(engine, to=path.stem[:4])
    after = sa.inspect(engine)
    added = [column for table in before for column in after.get_columns(table) if column["name"] not in before[table]]
    assert [column["name"] for column in added if not column["nullable"] and column["default"] is None] == []
    assert {table: names - {c["name"] for c in after.get_columns(table)} for table, names in before.items()} == {
        table: set() for table in before
    }


def _tables(engine: sa.Engine) -> list[str]:
    return sa.inspect(engine).get_table_names()


def test_a_hub_runs_on_the_schema_of_a_later_one_and_says_so_once(engine: sa.Engine) -> None:
    schema.upgrade(engine)
    stamp(engine, "9999")
    with structlog.testing.capture_logs() as lines:
        schema.require(engine)
    assert [(line["event"], line["found"], line["known"]) for line in lines] == [
        ("store.newer_schema", "9999", schema.head())
    ]


def test_an_upgrade_by_the_version_before_leaves_a_later_schema_alone(engine: sa.Engine) -> None:
    schema.upgrade(engine)
    stamp(engine, "9999")
    schema.upgrade(engine)
    assert schema.current(engine) == "9999"


@pytest.mark.parametrize("found", ["0001", "0000", "first", "0001a"])
def test_a_schema_that_is_older_or_strange_is_refused(engine: sa.Engine, found: str) -> None:
    schema.upgrade(engine)
    stamp(engine, found)
    with pytest.raises(StoreOutdated, match=f"{found}.*hub db upgrade"):
        schema.require(engine)


@pytest.mark.parametrize(
    ("found", "code", "said"),
    [
        ("9999", 0, "newer than this hub's"),
        ("0001", 1, "run `hub db upgrade`"),
        (schema.head(), 0, "as this hub needs"),
    ],
)
def test_db_check_says_how_the_schema_stands(
    engine: sa.Engine, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    found: str, code: int, said: str,
) -> None:  # fmt: skip
    schema.upgrade(engine)
    stamp(engine, found)
    monkeypatch.setenv("HUB_DATABASE_URL", database_url)
    assert status(["db", "check"]) == code
    told = capsys.readouterr()
    assert said in told.out + told.err


def test_two_who_upgrade_at_once_do_it_once(postgres_url: str) -> None:
    engine, _ = open_engines(postgres_url)
    failures: list[BaseException] = []

    def upgrade() -> None:
        try:
            schema.upgrade(engine)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=upgrade) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == [] and schema.current(engine) == schema.head()
    engine.dispose()


def test_an_upgrade_is_not_cut_off_by_the_timeouts_of_everyday_work(postgres_url: str) -> None:
    engine, _ = open_engines(postgres_url)
    with engine.begin() as connection, schema.unhurried(connection):
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar_one() == "0"
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar_one() == "10s"
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar_one() == "30s"
    engine.dispose()


def test_a_database_that_does_not_answer_is_told_as_that() -> None:
    engine, _ = open_engines("postgresql+psycopg://postgres@127.0.0.1:1/hub")
    for ask in (schema.require, schema.upgrade):
        with pytest.raises(StoreUnavailable, match="see that it is up"):
            ask(engine)
    engine.dispose()
