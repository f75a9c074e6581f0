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
from hub.councils import Councils, Loaded, load, preview, read_tree, run_cases
from hub.errors import HubError, Invalid
from hub.registry import Registry
from hub.settings import Settings
from hub.standard import read_data

app = typer.Typer(name="mappings", no_args_is_help=True, help="Mappings, tried without sending anything.")


@app.command()
def test(
    path: Annotated[str | None, typer.Argument(metavar="[PATH]", help="a folder or file below the mappings")] = None,
    json_out: Json = False,  # noqa: FBT002
) -> int:
    """Run the cases: given this submission, expect that record."""
    files, loaded = _loaded()
    results = run_cases(files, loaded, path=path)
    if json_out:
        say.items([one.as_dict() for one in results])
    else:
        for one in results:
            say.line(str(one))
    failed = sum(not one.ok for one in results)
    say.note(f"{len(results)} cases, {failed} failed.")
    return 1 if failed else 0


@app.command("preview")
def preview_one(
    council: Annotated[str, typer.Argument(help="slug or GSS code")],
    service: Annotated[str, typer.Argument(help="such as missed-bin")],
    file: Annotated[Path, typer.Argument(help="a submission as JSON; - is standard input")],
    trace: Annotated[bool, typer.Option("--trace", help="also which rule, from which path, made each value")] = False,  # noqa: FBT002
    json_out: Json = False,  # noqa: FBT002
) -> int:
    """What a submission would become: each delivery, its destination and its record."""
    _, loaded = _loaded()
    now = datetime.now(UTC)
    bodies = read_file(file)
    if len(bodies) != 1 or not isinstance(bodies[0], dict):
        raise typer.BadParameter("the file must hold one submission: a JSON object")
    body = {"council": council, "service": service, "version": 1} | bodies[0]
    found = preview(_councils(loaded), council, service, _data(body), _hub(council, now))
    if json_out:
        say.items([one.as_dict() for one in found])
    else:
        for one in found:
            _tell(one, trace=trace)
    return 1 if any(one.fault for one in found) else 0


def _loaded() -> tuple[dict[str, str], Loaded]:
    files = read_tree(Settings.read().mappings)
    return files, load(files, registry=Registry.discover(), secrets=None)


def _councils(loaded: Loaded) -> Councils:
    if loaded.councils is None:
        tell(loaded.findings)
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


def _tell(one: Any, *, trace: bool) -> None:
    say.line(f"{one.destination} by the route {one.route}")
    if one.fault:
        say.line(f"  {one.fault}")
        return
    say.line(json.dumps(one.record, ensure_ascii=False, indent=2))
    if trace:
        for leaf in one.trace:
            say.line(f"  {leaf}")
