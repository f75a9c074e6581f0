"""Is the database as this hub needs it, and how it is made so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hub.errors import StoreOutdated, StoreUnavailable
from hub.store.engine import is_sqlite
from hub.store.patience import store_is_away, unhurried

log = structlog.get_logger()

#: Any number, as long as every hub takes the same.
_LOCK = 0x636F756E63696C
_MIGRATIONS = Path(__file__).parent / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def head() -> str:
    """The newest migration that this hub knows."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current(engine: Engine) -> str | None:
    """The migration that the database is at; None while it has no tables. Raises StoreUnavailable."""
    with _named(), engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def fits(found: str | None) -> bool:
    """Whether this hub may run on a database at that migration: its own newest, or one that came after it.

    Migrations only add, so that a hub of the version before may run beside
    the next one, and may be put back.
    """
    return found == head() or _is_newer(found)


def upgrade(engine: Engine, *, to: str = "head") -> None:
    """Run every migration that is missing, in one transaction on PostgreSQL; a newer database stays as it is.

    A migration takes as long as it takes, but it does not wait long for its
    locks: everybody else would wait behind it. Raises StoreUnavailable.
    """
    if _is_newer(current(engine)):
        return
    config = _config()
    with _named(), engine.begin() as connection, unhurried(connection):
        if not is_sqlite(connection):
            # One after another: who comes second finds nothing left to do.
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def require(engine: Engine) -> None:
    """Raises StoreOutdated unless the database is at the newest migration or at one of a later hub."""
    found = current(engine)
    if not fits(found):
        raise StoreOutdated(
            f"The database schema is {found or 'empty'}, this hub needs {head()}; run `hub db upgrade`."
        )
    if found != head():
        log.warning("store.newer_schema", found=found, known=head(), meaning="a later hub runs beside this one")


def _is_newer(found: str | None) -> bool:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    return found is not None and found not in known and found.isdecimal() and int(found) > int(head())


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeout) as failure:
        if store_is_away(failure):
            raise StoreUnavailable(
                "The database does not answer, or not in time; see that it is up, then repeat this."
            ) from failure
        raise
