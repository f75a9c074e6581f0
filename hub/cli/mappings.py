"""`hub mappings`: tried without sending anything."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli import say
from hub.cli.check import tell
from hub.cli.options import Json
from hub.cli.submit import read_file
from hub.councils import Councils, Loaded, Preview, load, preview, read_tree, run_cases
from hub.errors import HubError, Invalid
from hub.registry import Registry
from hub.settings import Settings
from hub.standard import read_data

app = typer.Typer(name="mappings", no_args_is_help=True, help="Mappings, tried without sending anything.")


@app.command("test")
def run_all(
    path: Annotated[str | None, typer.Argument(metavar="[PATH]", help="a folder or file below the mappings")] = None,
    json_out: Json = False,
) -> int:
    """Run the cases: given this submission, expect that record."""
    files, loaded = _loaded()
    results = run_cases(files, loaded, path=path)
    if json_out:
        say.items([one.as_dict() for one in results])
    else:
        for one in results:
            say.line(f"{'ok  ' if one.ok else 'FAIL'} {one.file}")
            tell(one.problems)
    failed = sum(not one.ok for one in results)
    say.note(f"{len(results)} cases, {failed} failed.")
    return 1 if failed else 0


@app.command("preview")
def preview_one(
    council: Annotated[str, typer.Argument(help="slug or GSS code")],
    service: Annotated[str, typer.Argument(help="such as missed-bin")],
    file: Annotated[Path, typer.Argument(help="a submission as JSON; - is standard input")],
    trace: Annotated[bool, typer.Option("--trace", help="also which rule, from which path, made each value")] = False,
    json_out: Json = False,
) -> int:
    """What a submission would become: each delivery, its destination and its record."""
    _, loaded = _loaded()
    now = datetime.now(UTC)
    bodies = read_file(file)
    if len(bodies) != 1 or not isinstance(bodies[0], dict):
        raise typer.BadParameter("the file must hold one submission: a JSON object")
    known = _councils(loaded).find(council)
    body = {"version": 1} | bodies[0] | {"council": known.slug, "service": service}
    found = preview(_councils(loaded), known.slug, service, _data(body), _hub(known.slug, now))
    if json_out:
        say.items([one.as_dict(trace=trace) for one in found])
    else:
        for one in found:
            _tell(one, trace=trace)
        if not found:
            say.note("No route takes it; council.yaml says on what condition each does, and who takes tests.")
    return 1 if any(one.faults for one in found) else 0


def _loaded() -> tuple[dict[str, str], Loaded]:
    files = read_tree(Settings.read().mappings)
    return files, load(files, registry=Registry.discover(), secrets=None)


def _councils(loaded: Loaded) -> Councils:
    if loaded.councils is None:
        tell(loaded.findings, through=say.note)
        raise HubError("The council files have faults; mend those above, `hub check` looks again.")
    return loaded.councils


def _data(body: dict[str, Any]) -> dict[str, Any]:
    from hub.intake.taking import LONDON

    try:
        return read_data(body, today=datetime.now(LONDON).date()).data
    except Invalid as invalid:
        faults = "; ".join(f"{pointer} {message}" for pointer, message in invalid.faults)
        raise HubError(f"The submission is not of its contract's form: {faults}") from None


def _hub(council: str, now: datetime) -> dict[str, Any]:
    at = now.isoformat().replace("+00:00", "Z")
    return {
        "our_reference": "ABCD-EFGH", "reference": "ABCD-EFGH", "received_at": at, "council": council, "warnings": [],
    }  # fmt: skip


def _tell(one: Preview, *, trace: bool) -> None:
    say.line(f"{one.destination} {one.operation} ({one.route}), as {one.our_reference}")
    for fault in one.faults:
        say.line(f"  {fault}")
    if one.record is not None:
        say.line(json.dumps(one.record, ensure_ascii=False, indent=2))
    if trace and one.traced is not None:
        columns = {"leaf": "leaf", "rule": "rule", "from": "sources", "table": "table", "file": "file", "line": "line"}
        say.table([line.as_dict() for line in one.traced.lines], columns, empty="Nothing was traced.")
