"""`hub submissions`: what happened to this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from hub.cli import say
from hub.cli.desk import at_desk, part
from hub.cli.options import Cursor, Json, Key, Limit, Url

app = typer.Typer(name="submissions", no_args_is_help=True, help="What happened to this one.")

_COLUMNS = {
    "reference": "reference",
    "council": "council",
    "service": "service",
    "status": "status",
    "received": "received_at",
    "front end's own": "front_end_reference",
}


@app.command("list")
def list_submissions(
    reference: Annotated[str | None, typer.Option(help="the hub's reference, or the front end's")] = None,
    council: Annotated[str | None, typer.Option(help="only of this council, by its slug")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    json_out: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Submissions, the newest first."""
    query = {"reference": reference, "council": council, "limit": limit, "cursor": cursor}
    found = at_desk(lambda desk: desk.ask("GET", "/v1/submissions", query=query), url=url, key=key)
    say.page(found, _COLUMNS, json_out=json_out, empty="No submission fits; `hub submit FILE` publishes some.")


@app.command()
def show(
    reference: Annotated[str, typer.Argument(metavar="REF", help="a reference, or an id")],
    json_out: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Where one submission is now, and each of its deliveries."""
    found = at_desk(lambda desk: desk.ask("GET", f"/v1/submissions/{part(reference)}"), url=url, key=key)
    if json_out:
        say.as_json(found)
        return
    apart = ("deliveries", "updates", "warnings", "follow_ups", "why")
    say.facts({name: value for name, value in found.items() if name not in apart})
    for warning in found["warnings"]:
        say.line(f"warning  {warning['pointer']} {warning['message']}")
    columns = {
        "destination": "destination",
        "connector": "connector",
        "state": "state",
        "their reference": "reference",
        "our reference": "our_reference",
        "attempts": "attempts",
        "waiting": "waiting",
        "issues": "issues",
    }
    say.table(found["deliveries"], columns, empty=_without(found))
    for follow_up in found["follow_ups"]:
        say.line(f"{follow_up['kind']}  said {follow_up['received_at']}, {follow_up['status']}")
        say.table(follow_up["deliveries"], columns, empty="It went to no system: a person must read it.")
    for delivery in _of(found):
        if delivery["issues"] or (delivery["state"] in ("dead", "unclear") and not delivery["waiting"]):
            say.note(f"A person's: `hub deliveries show {delivery['id']}` says why, and what to do.")


def _of(found: Mapping[str, Any]) -> list[Any]:
    """Every delivery of it, those of its follow-ups too."""
    return [*found["deliveries"], *(one for said in found["follow_ups"] for one in said["deliveries"])]


def _without(found: Mapping[str, Any]) -> str:
    """Why a submission has no deliveries; one without a version is a form that is none yet."""
    why = "; ".join(found.get("why", ()))
    if "version" not in found:
        does = "was set aside" if found["final"] else "is parked"
        why = why.rstrip(".") or "it could not be mapped"
        return f"It {does} as it came: {why}. See `hub received show {found['reference']}`."
    return f"It has no deliveries: a person must route it. {why}".rstrip()
