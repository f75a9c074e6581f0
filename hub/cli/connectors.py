"""`hub connectors`: the products the hub can speak to, described and tried."""

from __future__ import annotations

import asyncio
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli import new_connector, say
from hub.cli.options import Json
from hub.connector.door import Connector, Operation
from hub.errors import HubError, WrongState
from hub.registry import GROUP, Registry

app = typer.Typer(name="connectors", no_args_is_help=True, help="The products the hub can speak to.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="a connector; `hub connectors list` names them")]
_OPTIONAL = ("update", "cancel", "attach", "number", "find", "changes", "receive", "check")


@app.command("list")
def list_connectors(json_out: Json = False) -> None:
    """Every connector that an installed package declares."""
    registry = Registry.discover()
    found = {"items": [_short(registry, name) for name in registry.names], "next": None}
    columns = {"name": "name", "for": "about", "operations": "operations"}
    say.page(found, columns, json_out=json_out, empty="None is installed; is this the environment of the hub?")


@app.command()
def describe(name: Name, json_out: Json = False) -> None:
    """What a council fills in, what a record wants, and what a repeat does."""
    connector = Registry.discover().get(name)
    if json_out:
        say.as_json(_whole(connector))
        return
    say.line(f"{connector.name}: {_about(connector)}\n\nSettings (in council.yaml)")
    schema = connector.Settings.model_json_schema()
    say.table(_fields(schema), _FIELDS, empty="none")
    for part, inner in schema.get("$defs", {}).items():
        if "properties" in inner:
            say.line(f"\n{part}")
            say.table(_fields(inner), _FIELDS, empty="none")
    open_ended = hasattr(connector, "configured")
    for operation, declared in connector.operations.items():
        repeat = "what a repeat is follows from the settings" if open_ended else f"a repeat is {declared.replay_safety}"
        say.line(f"\n{operation} ({repeat})")
        if fields := _fields(declared.record.model_json_schema()):
            say.table(fields, _FIELDS, empty="")
        else:
            say.line("any fields: those that the council's system wants")
    for at, one in enumerate(_configured(connector), 1):
        repeats = ", ".join(f"{name} ({known['replay_safety']})" for name, known in one["operations"].items())
        where = f"example {at} (in `configured` of --json)"
        say.line(f"\nWith settings like {where} it can {', '.join(one['can'])}; repeats: {repeats}")


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="small letters, digits and underscores: acme_crm")],
    into: Annotated[
        Path | None, typer.Option(help="the package it goes into; connectors in a checkout, else this folder")
    ] = None,
) -> None:
    """Begin a connector: three small files that pass the kit, to be turned into the product's own."""
    if not new_connector.is_name(name):
        raise typer.BadParameter(f"{name} is no name; use small letters, digits and underscores")
    if into is None:
        into = Path("connectors") if Path("connectors", "__init__.py").is_file() else Path()
    if into.is_absolute() or not all(part.isidentifier() for part in into.parts):
        raise typer.BadParameter(f"{into} is no package below this folder; leave --into out, or name one")
    if name in Registry.discover().names:
        raise WrongState(f"There is a connector {name} already; choose another name.")
    for path in new_connector.write(name, into):
        say.line(str(path))
    module = ".".join((*into.parts, name))
    spoken = f"{module}:{new_connector.kind_of(name)}"
    say.note(f"Try it now: hub connectors test {spoken}")
    if new_connector.declare(name, module, Path("pyproject.toml")):
        say.note(f"pyproject.toml declares it; after `pip install --editable .` its name is {name}.")
    else:
        say.note(f'Declare it in pyproject.toml, under [project.entry-points."hub.connectors"]: {name} = "{spoken}"')


@app.command("test")
def try_out(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="a connector, or its module:Class; or --all")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="every connector there is")] = False,
    operation: Annotated[str | None, typer.Option(help="only this operation")] = None,
    json_out: Json = False,
) -> int:
    """Run the conformance kit: every way a back office can fail, offline, against the connector's own simulator."""
    if every == (name is not None):
        raise typer.BadParameter("give the name of a connector, or --all")
    registry = Registry.discover()
    reports = [
        report
        for connector in (map(registry.get, registry.names) if name is None else (_found(registry, name),))
        for report in _try(connector, operation)
    ]
    if json_out:
        say.items([report.as_dict() for report in reports])
    failed = sum(len(report.failed) for report in reports)
    say.note(f"{failed} checks failed." if failed else "The kit found nothing.")
    return 1 if failed else 0


def _found(registry: Registry, name: str) -> type[Connector]:
    """A connector by its name, or by `module:Class` where no package declares it yet."""
    if ":" not in name:
        return registry.get(name)
    sys.path.insert(0, str(Path.cwd()))
    point = EntryPoint(name=name, value=name, group=GROUP)
    return Registry(waiting={name: point.load}).get(name)


def _try(connector: type[Connector], operation: str | None) -> list[Any]:
    """A report on each operation, with each example of the settings where they make it another connector."""
    from hub.connector.testing.conformance import conform, trials
    from hub.connector.testing.trial import KitFault

    made = []
    try:
        wanted = [(at, name) for at, name in trials(connector) if operation in (None, name)]
        for at, name in wanted or [(1, operation or "")]:
            several = f", settings as in example {at}" if hasattr(connector, "configured") else ""
            say.note(f"{connector.name} {name}{several}")
            run = conform(connector, operation=name, example=at, say=lambda line: say.note(f"  {line}"))
            made.append(asyncio.run(run))
    except KitFault as fault:
        raise HubError(f"{connector.name} cannot be tried: {fault}") from fault
    return made


def _short(registry: Registry, name: str) -> dict[str, Any]:
    try:
        connector = registry.get(name)
    except HubError as failure:
        return {"name": name, "about": str(failure), "operations": []}
    return {"name": name, "about": _about(connector), "operations": list(connector.operations)}


def _whole(connector: type[Connector]) -> dict[str, Any]:
    return {
        "name": connector.name,
        "about": _about(connector),
        "simulator": connector.simulator,
        "can": _can(connector),
        "settings": connector.Settings.model_json_schema(),
        "operations": {
            name: _repeat(declared) | {"record": declared.record.model_json_schema()}
            for name, declared in connector.operations.items()
        },
        "configured": _configured(connector),
    }


def _can(connector: type[Connector]) -> list[str]:
    return ["create", *(verb for verb in _OPTIONAL if callable(getattr(connector, verb, None)))]


def _repeat(declared: Operation) -> dict[str, Any]:
    settle = declared.settle.total_seconds() if declared.settle is not None else None
    return {"replay_safety": declared.replay_safety.value, "settle_seconds": settle}


def _configured(connector: type[Connector]) -> list[dict[str, Any]]:
    """What it is with each example of its settings, where they make it another connector."""
    from hub.connector.testing.trial import configured, examples

    if not hasattr(connector, "configured"):
        return []
    known = examples(connector.Settings, what="settings that a council could have")
    return [
        {
            "settings": one,
            "can": _can(made := configured(connector, one)),
            "operations": {name: _repeat(declared) for name, declared in made.operations.items()},
        }
        for one in known
    ]


def _about(connector: type[Connector]) -> str:
    lines = (connector.__doc__ or "").strip().splitlines()
    return lines[0] if lines else ""


_FIELDS = {"field": "name", "needed": "needed", "type": "type", "what it is": "about"}


def _fields(schema: dict[str, Any]) -> list[dict[str, Any]]:
    needed = set(schema.get("required", ()))
    return [
        {"name": name, "needed": name in needed, "type": _type(field), "about": field.get("description", "")}
        for name, field in schema.get("properties", {}).items()
    ]


def _type(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_type(one) for one in field["anyOf"] if one.get("type") != "null")
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}))}"
    return str(field.get("type", "any"))
