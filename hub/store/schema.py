"""Is the database as this hub needs it, and how it is made so."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from hub.errors import StoreOutdated

_MIGRATIONS = Path(__file__).parent / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def head() -> str:
    """The newest migration that this hub knows."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine) -> None:
    """Run every migration that is missing, in one transaction on PostgreSQL."""
    config = _config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def require(engine: Engine) -> None:
    """Raises StoreOutdated unless the database is at the newest migration."""
    found = current(engine)
    if found != head():
        raise StoreOutdated(
            f"The database schema is {found or 'empty'}, this hub needs {head()}; run `hub db upgrade`."
        )
