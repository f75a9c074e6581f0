"""`hub deliveries`: what is on its way, what is stuck, and the verbs that move it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from hub.cli import say
from hub.cli.advice import advice
from hub.cli.desk import Desk, at_desk, part
from hub.cli.moving import Moved, each, told
from hub.cli.options import Council, Cursor, Json, Key, Limit, Reason, Url
from hub.model import StepState

app = typer.Typer(name="deliveries", no_args_is_help=True, help="What is on its way, what is stuck; mend and replay.")

Ids = Annotated[list[str], typer.Argument(metavar="ID…", help="ids, or what their destinations were given")]
Destination = Annotated[str | None, typer.Option(help="only to this one: northborough/waste, or with --council: waste")]
Service = Annotated[str | None, typer.Option(help="only this service")]
Group = Annotated[str | None, typer.Option(help="only this group of failures (`hub deliveries groups`)")]


def _states(value: str | None) -> str | None:
    """The states as the API takes them. Raises BadParameter naming those there are."""
    unknown = sorted(set(value.split(",")) - {state.value for state in StepState}) if value else []
    if unknown:
        known = ", ".join(state.value for state in StepState)
        raise typer.BadParameter(f"there is no state {', '.join(unknown)}; there are {known}")
    return value


State = Annotated[
    str | None,
    typer.Option(help="only in these states, with commas: queued, dead, unclear …", callback=_states),
]
Since = Annotated[str | None, typer.Option(help="made at this time or later (ISO 8601; without a zone, London's)")]
Until = Annotated[str | None, typer.Option(help="made before this time")]
Rate = Annotated[float | None, typer.Option(min=0.01, help="how many a second, at most")]

_COLUMNS = {
    "id": "id",
    "our reference": "our_reference",
    "destination": "destination",
    "service": "service",
    "state": "state",
    "their reference": "reference",
    "attempts": "attempts",
    "fault": "fault_code",
    "waiting": "waiting",
    "issues": "issues",
}


@app.command("list")
def list_deliveries(
    council: Council = None,
    destination: Destination = None,
    service: Service = None,
    group: Group = None,
    state: State = None,
    since: Since = None,
    until: Until = None,
    q: Annotated[
        str | None, typer.Option("--q", help="a reference: the hub's, the council's or the front end's")
    ] = None,
    issues: Annotated[
        bool, typer.Option("--issues", help="only those of which a later part (a file) needs a person")
    ] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
    json_out: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Deliveries that have something in common, the newest first."""
    query = {
        "council": council, "destination": destination, "service": service, "group": group, "state": state,
        "since": since, "until": until, "q": q, "issues": "true" if issues else None, "limit": limit, "cursor": cursor,
    }  # fmt: skip
    found = at_desk(lambda desk: desk.ask("GET", "/v1/deliveries", query=query), url=url, key=key)
    say.page(found, _COLUMNS, json_out=json_out, empty="No delivery fits.")


@app.command()
def show(
    id: Annotated[str, typer.Argument(metavar="ID", help="its id, or what its destination was given")],
    json_out: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """One delivery with every step and attempt."""
    found = at_desk(lambda desk: desk.ask("GET", f"/v1/deliveries/{part(id)}"), url=url, key=key)
    if json_out:
        say.as_json(found)
        return
    say.facts({name: value for name, value in found.items() if name not in ("attempts", "steps")})
    steps = {
        "step": "position",
        "does": "kind",
        "file": "file",
        "state": "state",
        "attempts used": "attempts_used",
        "reason": "reason",
        "since": "updated_at",
    }
    say.table(found["steps"], steps, empty="It has no steps.")
    columns = {
        "step": "step",
        "started": "started_at",
        "trigger": "trigger",
        "by": "actor",
        "phase": "phase",
        "outcome": "outcome",
        "fault": "fault_code",
        "council files": "mapping_generation",
    }
    say.table(found["attempts"], columns, empty="Nothing was tried yet.")
    for each_line in advice(found):
        say.line(each_line)


@app.command()
def groups(
    council: Council = None, limit: Limit = 50, json_out: Json = False, url: Url = None, key: Key = None
) -> None:
    """Failures that are the same failure, the most recent first, and how many deliveries wait for a person.

    `hub deliveries list --group GROUP` lists those whose case failed so; `list --issues` those with a failed file.
    """
    query = {"council": council, "limit": limit}
    found = at_desk(lambda desk: desk.ask("GET", "/v1/groups", query=query), url=url, key=key)
    columns = {"waiting": "waiting", "what": "title", "first": "first_at", "last": "last_at", "group": "group"}
    say.page(found, columns, json_out=json_out, empty="Nothing has failed.")


@app.command()
def replay(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID…]", help="these ones; or say what they share")] = None,
    council: Council = None,
    destination: Destination = None,
    service: Service = None,
    group: Group = None,
    state: State = None,
    since: Since = None,
    until: Until = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say which, and do nothing")] = False,
    rate: Rate = None,
    reason: Annotated[str | None, typer.Option(help="why, for the audit; name no resident")] = None,
    new_case: Annotated[
        bool, typer.Option("--new-case", help="of delivered ones: make a second case on purpose")
    ] = False,
    json_out: Json = False,
    url: Url = None,
    key: Key = None,
) -> int:
    """Queue them again: same delivery, same reference, new attempt.

    Give ids, or at least one filter; filters mean dead letters unless --state says otherwise.
    """
    filters = {
        "council": council, "destination": destination, "service": service, "group": group, "state": state,
        "since": since, "until": until,
    }  # fmt: skip
    shared = {name: value for name, value in filters.items() if value is not None}
    if bool(ids) == bool(shared):
        raise typer.BadParameter("give ids, or at least one of --council --destination --service --group --state …")
    body = {"reason": reason, "new_case": new_case or None}
    body = {name: value for name, value in body.items() if value is not None}

    async def work(desk: Desk) -> list[Moved]:
        found = await _named(desk, ids) if ids else await _all(desk, {"state": "dead"} | shared)
        if dry_run:
            return [Moved(delivery=one, done=None) for one in found]
        return await each(desk, found, verb="replay", body=body, rate=rate)

    return told(at_desk(work, url=url, key=key), did="queued again", json_out=json_out)


@app.command()
def discard(
    ids: Ids,
    reason: Reason,
    json_out: Json = False,
    url: Url = None,
    key: Key = None,
) -> int:
    """Set them aside, with a reason. They can be replayed later."""

    async def work(desk: Desk) -> list[Moved]:
        return await each(desk, await _named(desk, ids), verb="discard", body={"reason": reason})

    return told(at_desk(work, url=url, key=key), did="discarded", json_out=json_out)


@app.command()
def resolve(
    ids: Ids,
    outcome: Annotated[Literal["delivered", "not_there", "discard"], typer.Option(help="what you found there")],
    reason: Reason,
    reference: Annotated[str | None, typer.Option(help="the council's own, as found there")] = None,
    json_out: Json = False,
    url: Url = None,
    key: Key = None,
) -> int:
    """Say what became of an unclear one, after looking in the council's system."""
    body = {"outcome": outcome, "reason": reason} | ({"reference": reference} if reference else {})

    async def work(desk: Desk) -> list[Moved]:
        return await each(desk, await _named(desk, ids), verb="resolve", body=body)

    return told(at_desk(work, url=url, key=key), did="resolved", json_out=json_out)


async def _named(desk: Desk, ids: list[str]) -> list[Any]:
    return [await desk.ask("GET", f"/v1/deliveries/{part(id)}") for id in dict.fromkeys(ids)]


async def _all(desk: Desk, query: dict[str, str]) -> list[Any]:
    """Every delivery that fits now, the oldest first: what fits later is not swept along."""
    found: list[Any] = []
    cursor = None
    while True:
        page = await desk.ask("GET", "/v1/deliveries", query={**query, "limit": 200, "cursor": cursor})
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found[::-1]
