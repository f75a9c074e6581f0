"""Migrations and tables say the same, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from hub.errors import SettingsError, StoreOutdated
from hub.store import canaries, schema, tables
from hub.store.engine import open_engines
from hub.store.seal import Hasher, SealBroken, Sealer
from hub.store.store import Store
from tests.stores import HASHER, SEALER


def test_migrations_make_exactly_the_tables_of_tables_py(store: Store) -> None:
    with store.writing.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []


def test_migrations_are_numbered_without_a_gap() -> None:
    names = sorted(path.name for path in (Path(schema.__file__).parent / "migrations/versions").glob("0*.py"))
    assert [name[:4] for name in names] == [f"{number:04d}" for number in range(1, len(names) + 1)]


def test_a_database_without_tables_names_the_remedy(database_url: str) -> None:
    engine, _ = open_engines(database_url)
    with pytest.raises(StoreOutdated, match="hub db upgrade"):
        schema.require(engine)
    engine.dispose()


def test_a_wrong_key_is_found_at_start(store: Store) -> None:
    store.transact_now(lambda c: canaries.check(c, SEALER, HASHER))
    store.transact_now(lambda c: canaries.check(c, SEALER, HASHER))
    with pytest.raises(SettingsError, match="HUB_ENCRYPTION_KEYS"):
        store.transact_now(lambda c: canaries.check(c, Sealer({"test": b"x" * 32}), HASHER))
    with pytest.raises(SettingsError, match="HUB_HASH_KEY"):
        store.transact_now(lambda c: canaries.check(c, SEALER, Hasher(b"x" * 32)))


def test_what_was_sealed_for_one_row_does_not_open_in_another() -> None:
    sealed = SEALER.seal(b"a name", place="submission_content|1|1")
    assert SEALER.open(sealed, place="submission_content|1|1") == b"a name"
    with pytest.raises(SealBroken):
        SEALER.open(sealed, place="submission_content|2|1")


def test_an_old_key_still_opens_after_a_new_one_seals() -> None:
    both = Sealer({"new": b"n" * 32, "test": b"k" * 32})
    assert both.open(SEALER.seal(b"x", place="p"), place="p") == b"x"
    with pytest.raises(SealBroken):
        SEALER.open(both.seal(b"x", place="p"), place="p")
