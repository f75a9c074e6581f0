"""`hub db`: is the database as this hub needs it?"""

from __future__ import annotations

import typer

from hub.cli import say
from hub.cli.options import Json
from hub.settings import Settings
from hub.store import schema
from hub.store.engine import open_engines

app = typer.Typer(name="db", no_args_is_help=True, help="The database's schema.")


@app.command()
def upgrade() -> None:
    """Bring the schema of HUB_DATABASE_URL to what this hub needs. Safe to run again."""
    writing, _ = open_engines(Settings.read().database_url)
    try:
        before = schema.current(writing)
        schema.upgrade(writing)
    finally:
        writing.dispose()
    after = schema.head()
    if before != after and schema.fits(before):
        say.note(f"The schema is {before}, newer than this hub's {after}; nothing is to be done.")
    elif before == after:
        say.note(f"The schema is {after}.")
    else:
        say.note(f"The schema was {before or 'empty'}, it is {after} now.")


@app.command()
def check(json_out: Json = False) -> int:
    """Say whether the schema is what this hub needs; exit status 1 when it is not."""
    writing, _ = open_engines(Settings.read().database_url)
    try:
        found = schema.current(writing)
    finally:
        writing.dispose()
    wanted, fits = schema.head(), schema.fits(found)
    if json_out:
        say.as_json({"ok": fits, "found": found, "wanted": wanted})
    elif found == wanted:
        say.line(f"The schema is {found}, as this hub needs it.")
    elif fits:
        say.line(f"The schema is {found}, newer than this hub's {wanted}; it may run on it.")
    else:
        say.failure(f"The schema is {found or 'empty'}, this hub needs {wanted}; run `hub db upgrade`.")
    return 0 if fits else 1
