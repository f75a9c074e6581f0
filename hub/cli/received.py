"""`hub received`: bodies in front ends' own formats, and what could not be mapped."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from hub.cli import say
from hub.cli.desk import at_desk, part
from hub.cli.options import Council, Cursor, Json, Key, Limit, Url

app = typer.Typer(name="received", no_args_is_help=True, help="What came in a front end's own format.")

_COLUMNS = {
    "id": "id",
    "reference": "reference",
    "council": "council",
    "format": "format",
    "profile": "profile",
    "state": "state",
    "why": "why",
    "received": "received_at",
}


@app.command("list")
def list_received(
    state: Annotated[Literal["mapped", "parked", "discarded"] | None, typer.Option(help="only those in it")] = None,
    council: Council = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    json_out: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """What was received, the newest first. Never the bodies: they are personal."""
    query = {"state": state, "council": council, "limit": limit, "cursor": cursor}
    found = at_desk(lambda desk: desk.ask("GET", "/v1/received", query=query), url=url, key=key)
    say.page(found, _COLUMNS, json_out=json_out, empty="Nothing fits.")


@app.command()
def show(
    id: Annotated[str, typer.Argument(metavar="ID", help="an id of `hub received list`")],
    json_out: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """One of them: its state, and why it was parked."""
    found = at_desk(lambda desk: desk.ask("GET", f"/v1/received/{part(id)}"), url=url, key=key)
    say.as_json(found) if json_out else say.facts(found)
