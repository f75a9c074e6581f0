"""`hub destinations`: councils' systems, and whether they are asked."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli import say
from hub.cli.desk import Desk, at_desk, part
from hub.cli.options import Council, Json, Key, Reason, Url

app = typer.Typer(name="destinations", no_args_is_help=True, help="Councils' systems, and whether they are asked.")

Name = Annotated[str, typer.Argument(metavar="COUNCIL/NAME", help="such as northborough/waste")]


@app.command("list")
def list_destinations(
    council: Council = None,
    json_out: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Every destination, and whether it is asked."""
    found = at_desk(lambda desk: desk.ask("GET", "/v1/destinations", query={"council": council}), url=url, key=key)
    columns = {
        "destination": "id",
        "connector": "connector",
        "at once": "concurrency",
        "per second": "per_second",
        "paused": "paused",
        "breaker": "breaker",
    }
    say.page(found, columns, json_out=json_out, empty="There are none; council files declare them.")


@app.command()
def pause(
    name: Name,
    reason: Reason,
    json_out: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Ask nothing of it until a person resumes it. Uses no attempts."""
    _told(_verb(name, "pause", {"reason": reason}, url=url, key=key), json_out=json_out)


@app.command()
def resume(
    name: Name,
    json_out: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Ask it again."""
    _told(_verb(name, "resume", None, url=url, key=key), json_out=json_out)


def _verb(name: str, verb: str, body: Any, *, url: str | None, key: str | None) -> Any:
    council, slash, short = name.partition("/")
    if not slash:
        raise typer.BadParameter(f"{name} is not COUNCIL/NAME; `hub destinations list` names those there are")

    async def ask(desk: Desk) -> Any:
        return await desk.ask("POST", f"/v1/destinations/{part(council)}/{part(short)}/{verb}", body=body)

    return at_desk(ask, url=url, key=key)


def _told(now: Any, *, json_out: bool) -> None:
    if json_out:
        say.as_json(now)
        return
    paused = now["paused"]
    how = f"paused by {paused['by']}: {paused['reason']}" if paused else "asked again"
    say.line(f"{now['id']} is {how}.")
