"""The command line as a whole: every command, and how a failure is told."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated, NoReturn

import typer

from hub import __version__, telemetry
from hub.cli import say
from hub.errors import HubError

STOPPED = 130  #: what shells expect of a command that Ctrl-C ended
ABOUT = "Carries residents' requests from shared front ends to each council's own systems, and the answers back."

#: Commands by name, with the module and, for a command that is no group, its function.
COMMANDS = {
    "run": ("run", "run"),
    "demo": ("demo", "demo"),
    "simulate": ("simulate", "simulate"),
    "check": ("check", "check"),
    "reload": ("check", "reload"),
    "submit": ("submit", "submit"),
    "submissions": ("submissions", None),
    "received": ("received", None),
    "deliveries": ("deliveries", None),
    "operations": ("operations", None),
    "destinations": ("destinations", None),
    "front-ends": ("front_ends", None),
    "users": ("users", None),
    "councils": ("councils", None),
    "mappings": ("mappings", None),
    "connectors": ("connectors", None),
    "db": ("db", None),
    "purge": ("purge", "purge"),
    "restore": ("restore", "restore"),
    "reconcile": ("reconcile", "reconcile"),
    "gameday": ("gameday", "gameday"),
}


def program(*names: str) -> typer.Typer:
    """The command line with these commands, or with all."""
    app = typer.Typer(name="hub", no_args_is_help=True, pretty_exceptions_enable=False, help=ABOUT)
    app.callback(invoke_without_command=True)(_hub)
    for name in names or COMMANDS:
        module, function = COMMANDS[name]
        found = import_module(f"hub.cli.{module}")
        if function is None:
            app.add_typer(found.app, name=name)
        else:
            app.command(name)(getattr(found, function))
    return app


def main() -> NoReturn:
    telemetry.configure("console", level="error")
    sys.exit(status(sys.argv[1:]))


def status(arguments: list[str]) -> int:
    """Run one command. 0 when it did what was asked, 1 when it could not, 2 when it was asked wrongly."""
    # Only what is asked for is imported: `hub db check` need not wait for twelve other commands.
    named = [argument for argument in arguments[:1] if argument in COMMANDS]
    try:
        code = program(*named)(arguments, prog_name="hub", standalone_mode=False)
    except HubError as failure:
        say.failure(str(failure))
        return 1
    except typer.Abort:
        return STOPPED
    except typer.TyperException as fault:
        return _wrong_use(fault)
    except BrokenPipeError:
        # Whoever read our output has left; Python would complain again when it closes the pipe.
        sys.stdout = None
        return 1
    return code if isinstance(code, int) else 0


def _hub(version: Annotated[bool, typer.Option("--version", help="say which version this is")] = False) -> None:
    if version:
        say.line(f"council-hub {__version__}")
        raise typer.Exit


def _wrong_use(fault: typer.TyperException) -> int:
    context = getattr(fault, "ctx", None)
    text = fault.format_message().strip()
    if text:
        where = f" See `{context.command_path} --help`." if context is not None else ""
        say.failure(f"{text if text[-1] in '.?!' else f'{text}.'}{where}")
    return fault.exit_code
