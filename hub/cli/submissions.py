"""`hub submissions`: what happened to this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from hub.cli import say
from hub.cli.desk import Desk, at_desk, every, part
from hub.cli.options import Cursor, Json, Key, Limit, Url
from hub.errors import HubError

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
    unrouted: Annotated[bool, typer.Option("--unrouted", help="only those that a person has to route")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
    json_out: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Submissions, the newest first."""
    query = {"reference": reference, "council": council, "limit": limit, "cursor": cursor}
    if unrouted:
        query["unrouted"] = "true"
    found = at_desk(lambda desk: desk.ask("GET", "/v1/submissions", query=query), url=url, key=key)
    empty = "Every submission is routed." if unrouted else "No submission fits; `hub submit FILE` publishes some."
    say.page(found, _COLUMNS, json_out=json_out, empty=empty)


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


@app.command()
def replay(
    references: Annotated[list[str] | None, typer.Argument(metavar="[REF]…", help="references, or ids")] = None,
    unrouted: Annotated[bool, typer.Option("--unrouted", help="all that a person has to route")] = False,
    council: Annotated[str | None, typer.Option(help="with --unrouted: only of this council")] = None,
    reason: Annotated[str | None, typer.Option(help="why; one that was set aside needs it")] = None,
    json_out: Json = False,
    url: Url = None,
    key: Key = None,
) -> int:
    """Route those again that no route took, or that a route failed for, by the council files as they are now."""
    if bool(references) == unrouted:
        raise typer.BadParameter("name references, or choose all with --unrouted")
    if council and not unrouted:
        raise typer.BadParameter("--council goes with --unrouted")

    async def work(desk: Desk) -> list[Any]:
        chosen = {"council": council, "unrouted": "true"}
        named = references or [each["reference"] for each in await every(desk, "/v1/submissions", query=chosen)]
        return [await _routed(desk, name, {"reason": reason} if reason else {}) for name in named]

    done = at_desk(work, url=url, key=key)
    if json_out:
        say.items(done)
    else:
        for each in done:
            why = f": {'; '.join(each['why'])}" if each["why"] else ""
            say.line(f"{each['reference']} {each['status']}{why}")
    left = sum(bool(each["why"]) for each in done)
    mend = " Mend what is said above, `hub reload`, and replay them again." if left else ""
    say.note(f"{len(done) - left} are routed now, {left} are not.{mend}")
    return 1 if left else 0


@app.command()
def discard(
    references: Annotated[list[str], typer.Argument(metavar="REF…", help="references, or ids")],
    reason: Annotated[str, typer.Option(help="why, for the audit; name no resident")],
    json_out: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Set those aside that cannot be routed. What their other routes delivered stays."""

    async def work(desk: Desk) -> list[Any]:
        body = {"reason": reason}
        return [await desk.ask("POST", f"/v1/submissions/{part(name)}/discard", body=body) for name in references]

    done = at_desk(work, url=url, key=key)
    if json_out:
        say.items(done)
    else:
        for each in done:
            say.line(f"{each['reference']} {each['status']}")


async def _routed(desk: Desk, name: str, body: dict[str, Any]) -> Any:
    """One that is refused stops none of the others."""
    try:
        return await desk.ask("POST", f"/v1/submissions/{part(name)}/replay", body=body)
    except HubError as refused:
        return {"reference": name, "status": "refused", "why": [str(refused)]}


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
    if found["final"]:
        return f"It was set aside without a delivery. {why}".rstrip()
    return f"It has no deliveries: a person must route it (`hub submissions replay`). {why}".rstrip()
