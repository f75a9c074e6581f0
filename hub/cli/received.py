"""`hub received`: bodies in front ends' own formats, and what could not be mapped."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli import say
from hub.cli.desk import Desk, at_desk, every, part
from hub.cli.options import Council, Cursor, Json, Key, Limit, Url
from hub.errors import HubError
from hub.model import ReceivedState

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

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]…", help="ids or references of `hub received list`")]
Format = Annotated[str | None, typer.Option(help="only this format, such as xgov")]
ProfileName = Annotated[str | None, typer.Option("--profile", help="only this profile")]


@app.command("list")
def list_received(
    state: Annotated[ReceivedState | None, typer.Option(help="only those in it")] = None,
    council: Council = None,
    format: Format = None,
    profile: ProfileName = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    json_out: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """What was received, the newest first. Never the bodies: they are personal."""
    query = {
        "state": state.value if state else None, "council": council, "format": format, "profile": profile,
        "limit": limit, "cursor": cursor,
    }  # fmt: skip
    found = at_desk(lambda desk: desk.ask("GET", "/v1/received", query=query), url=url, key=key)
    say.page(found, _COLUMNS, json_out=json_out, empty="Nothing fits.")


@app.command()
def show(
    id: Annotated[str, typer.Argument(metavar="ID", help="an id or reference of `hub received list`")],
    json_out: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """One of them: its state, and why it was parked."""
    found = at_desk(lambda desk: desk.ask("GET", f"/v1/received/{part(id)}"), url=url, key=key)
    if json_out:
        say.as_json(found)
        return
    say.facts(found)
    if found["state"] == ReceivedState.PARKED.value:
        say.note(f"Mend that, `hub reload`, then `hub received replay {found['reference']}`; or `discard` it.")


@app.command()
def replay(
    ids: Ids = None,
    council: Council = None,
    format: Format = None,
    profile: ProfileName = None,
    reason: Annotated[str | None, typer.Option(help="why; a discarded one needs it")] = None,
    json_out: Json = False,
    url: Url = None,
    key: Key = None,
) -> int:
    """Run parked ones through their profile as it is now: those named, or all of a council, format or profile."""
    chosen = {"council": council, "format": format, "profile": profile}
    if bool(ids) == any(chosen.values()):
        raise typer.BadParameter("name ids, or choose by --council, --format or --profile")

    parked = {**chosen, "state": ReceivedState.PARKED.value}

    async def work(desk: Desk) -> list[Any]:
        named = ids or [each["id"] for each in await every(desk, "/v1/received", query=parked)]
        body = {"reason": reason} if reason else {}
        return [await _one(desk, id, body) for id in named]

    done = at_desk(work, url=url, key=key)
    if json_out:
        say.items(done)
    else:
        for each in done:
            why = f": {each['why']}" if each["why"] else ""
            say.line(f"{each['reference'] or each['id']} {each['state']}{why}")
    left = sum(each["state"] != ReceivedState.MAPPED.value for each in done)
    mend = " Mend what is said above, `hub reload`, and replay them again." if left else ""
    say.note(f"{len(done) - left} are submissions now, {left} are not.{mend}")
    return 1 if left else 0


@app.command()
def discard(
    ids: Annotated[list[str], typer.Argument(metavar="ID…", help="ids or references of `hub received list`")],
    reason: Annotated[str, typer.Option(help="why, for the audit; name no resident")],
    json_out: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Set parked ones aside."""

    async def work(desk: Desk) -> list[Any]:
        body = {"reason": reason}
        return [await desk.ask("POST", f"/v1/received/{part(id)}/discard", body=body) for id in ids]

    done = at_desk(work, url=url, key=key)
    if json_out:
        say.items(done)
    else:
        for each in done:
            say.line(f"{each['reference']} {each['state']}")


async def _one(desk: Desk, id: str, body: dict[str, Any]) -> Any:
    """One that is refused stops none of the others."""
    try:
        return await desk.ask("POST", f"/v1/received/{part(id)}/replay", body=body)
    except HubError as refused:
        return {"id": id, "reference": None, "state": "refused", "why": str(refused)}
