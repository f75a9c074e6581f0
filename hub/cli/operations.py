"""`hub operations`: replay and discard of many, drafted with a preview, then started and watched."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any, Final, Literal

import typer

from hub.cli import say
from hub.cli.deliveries import Destination, Group, Service, Since, State, Until
from hub.cli.desk import Desk, at_desk, part
from hub.cli.options import Council, Cursor, Json, Key, Limit, Reason, Url

app = typer.Typer(name="operations", no_args_is_help=True, help="Replay or discard many at once, and watch it.")

Id = Annotated[str, typer.Argument(metavar="ID", help="an id of `hub operations list`")]
Why = Annotated[str | None, typer.Option("--reason", help="why, for the audit; name no resident")]

#: How long `preview` waits for a list that does not grow: it is made by a worker, and perhaps none runs.
PATIENCE: Final = 10.0
_LOOK: Final = 0.25
_MAKING: Final = ("draft", "marking")


@app.command()
def preview(
    reason: Reason,
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID…]", help="these ones; or say what they share")] = None,
    kind: Annotated[Literal["replay", "discard"], typer.Option(help="what is done to each")] = "replay",
    council: Council = None,
    destination: Destination = None,
    service: Service = None,
    group: Group = None,
    state: State = None,
    since: Since = None,
    until: Until = None,
    rate: Annotated[float | None, typer.Option(min=0.01, help="how many a second, at most (a replay: 5)")] = None,
    canary: Annotated[
        int | None, typer.Option(min=1, help="so many go first; if one of them fails, it pauses itself")
    ] = None,
    include_unsafe: Annotated[
        bool, typer.Option("--include-unsafe", help="also what may have been taken; another person has to start it")
    ] = False,
    generation: Annotated[int | None, typer.Option(min=1, help="of the council files to use; else the newest")] = None,
    json_out: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Draft a replay or discard of many, and say what it would do. Nothing is done until it is started.

    Give ids, or at least one filter; filters mean dead letters unless --state says otherwise. Times may be
    relative (2h, 7d, today): they are fixed now.
    """
    filters = {
        "council": council, "destination": destination, "service": service, "group": group,
        "state": state.split(",") if state else None, "since": since, "until": until,
    }  # fmt: skip
    shared = {name: value for name, value in filters.items() if value is not None}
    if bool(ids) == bool(shared):
        raise typer.BadParameter("give ids, or at least one of --council --destination --service --group --state …")
    wish = {
        "kind": kind, "reason": reason, "rate": rate, "canary": canary, "generation": generation,
        "include_unsafe": include_unsafe or None,
    }  # fmt: skip
    asked = {name: value for name, value in wish.items() if value is not None}

    async def work(desk: Desk) -> Any:
        chosen = {"ids": await _ids(desk, ids)} if ids else {"state": ["dead"]} | shared
        made = await desk.ask("POST", "/v1/operations", body={**asked, "filter": chosen})
        return await _ready(desk, made)

    found = at_desk(work, url=url, key=key)
    if json_out:
        say.as_json(found)
        return
    _told(found)
    if found["state"] == "ready":
        say.note(f"Nothing is done yet: hub operations start {found['id']}")


@app.command("list")
def list_operations(
    state: Annotated[str | None, typer.Option(help="only in this state: ready, running, paused, done …")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    json_out: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Replays and discards of many, the newest first."""
    query = {"state": state, "limit": limit, "cursor": cursor}
    found = at_desk(lambda desk: desk.ask("GET", "/v1/operations", query=query), url=url, key=key)
    columns = {"id": "id", "kind": "kind", "state": "state", "how far": "progress", "by": "created_by", "why": "why"}
    say.page(found, columns, json_out=json_out, empty="There are none; `hub operations preview` drafts one.")


@app.command()
def show(
    id: Id,
    items: Annotated[bool, typer.Option("--items", help="the account of every item instead")] = False,
    state: Annotated[str | None, typer.Option(help="with --items: only those in it: failed, skipped …")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    json_out: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """How far one is, and why it stopped."""
    if items:
        query = {"state": state, "limit": limit, "cursor": cursor}
        path = f"/v1/operations/{part(id)}/items"
        found = at_desk(lambda desk: desk.ask("GET", path, query=query), url=url, key=key)
        columns = {
            "item": "position",
            "delivery": "delivery",
            "our reference": "our_reference",
            "destination": "destination",
            "state": "state",
            "why": "why",
        }
        say.page(found, columns, json_out=json_out, empty="No item fits.")
        return
    found = at_desk(lambda desk: desk.ask("GET", f"/v1/operations/{part(id)}"), url=url, key=key)
    say.as_json(found) if json_out else _told(found)


@app.command()
def start(id: Id, json_out: Json = False, url: Url = None, key: Key = None) -> None:
    """Let it run. One that includes the unsafe is started by another user, an approver."""
    _verb(id, "start", None, json_out=json_out, url=url, key=key)


@app.command()
def pause(id: Id, reason: Why = None, json_out: Json = False, url: Url = None, key: Key = None) -> None:
    """Release nothing more for now; what was released goes on."""
    _verb(id, "pause", reason, json_out=json_out, url=url, key=key)


@app.command()
def resume(id: Id, json_out: Json = False, url: Url = None, key: Key = None) -> None:
    """Go on. Where a canary failed, a new one goes first."""
    _verb(id, "resume", None, json_out=json_out, url=url, key=key)


@app.command()
def cancel(id: Id, reason: Why = None, json_out: Json = False, url: Url = None, key: Key = None) -> None:
    """Release nothing more, ever. What was released is not taken back."""
    _verb(id, "cancel", reason, json_out=json_out, url=url, key=key)


def _verb(id: str, verb: str, reason: str | None, *, json_out: bool, url: str | None, key: str | None) -> None:
    body = {"reason": reason} if reason is not None else None
    path = f"/v1/operations/{part(id)}/{verb}"
    now = at_desk(lambda desk: desk.ask("POST", path, body=body), url=url, key=key)
    if json_out:
        say.as_json(now)
        return
    done = now["progress"]
    why = f" {now['why']}" if now["why"] else ""
    say.line(f"{now['id']} is {now['state']}: {done['ended']} of {done['total']} have come to their end.{why}")


async def _ids(desk: Desk, names: list[str]) -> list[str]:
    """The ids of deliveries that may have been named by their references."""
    return [(await desk.ask("GET", f"/v1/deliveries/{part(name)}"))["id"] for name in dict.fromkeys(names)]


async def _ready(desk: Desk, made: Any) -> Any:
    """The operation once its list is whole, or as it is when nobody goes on making it."""
    with say.progress() as bar:
        task = bar.add_task("listing", total=None)
        grew = time.monotonic()
        while made["state"] in _MAKING and time.monotonic() - grew < PATIENCE:
            await asyncio.sleep(_LOOK)
            now = await desk.ask("GET", f"/v1/operations/{made['id']}")
            if now["progress"]["total"] != made["progress"]["total"]:
                grew = time.monotonic()
            made = now
            bar.update(task, completed=made["progress"]["total"])
    if made["state"] in _MAKING:
        say.note(f"Its list is made by a worker (`hub run`); look again: hub operations show {made['id']}")
    return made


def _told(found: Any) -> None:
    counts = {state: number for state, number in found["counts"].items() if number}
    shown = ("id", "kind", "state", "why", "filter", "reason", "rate", "canary", "created_by", "approved_by")
    say.facts({**{name: found[name] for name in shown}, "items": counts or None})
    if found["preview"] is None:
        return
    if found["state"] == "ready":
        _previewed(found["preview"])
        return
    rows = [{**place["counts"], **place} for place in found["destinations"]]
    columns = {"destination": "destination", **{state: state for state in counts}, "waiting": "waiting"}
    say.table(rows, columns, empty="Its list is empty.")


def _previewed(preview: Any) -> None:
    """What it would do, destination by destination."""
    places = {
        "destination": "destination",
        "a repeat is": "replay_safety",
        "paused": "paused",
        "breaker": "breaker",
        "items": "count",
        "would go": "goes",
        "set apart": "apart",
        "seconds": "seconds",
    }
    say.table(preview["destinations"], places, empty="Its list is empty.")
    found = {"found": "state", "items": "count", "would go": "goes", "why not": "why"}
    say.table(preview["found"], found, empty="Nothing fits.")
    changes = [
        {"destination": place["destination"], **change}
        for place in preview["destinations"]
        for change in place["changes"]
    ]
    if changes:
        columns = {"destination": "destination", "record": "kind", "of a sample": "count", "changed": "changed",
                   "added": "added", "removed": "removed", "where": "where"}  # fmt: skip
        say.table(changes, columns, empty="")
