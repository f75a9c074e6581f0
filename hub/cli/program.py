"""The command line as a whole: every command, and how a failure is told."""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer

from hub import __version__
from hub.cli import (
    check,
    connectors,
    councils,
    db,
    deliveries,
    demo,
    destinations,
    front_ends,
    mappings,
    received,
    run,
    say,
    simulate,
    submissions,
    submit,
    users,
)
from hub.errors import HubError

STOPPED = 130  #: what shells expect of a command that Ctrl-C ended

app = typer.Typer(
    name="hub",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Carries residents' requests from shared front ends to each council's own systems, and the answers back.",
)
app.command("run")(run.run)
app.command("demo")(demo.demo)
app.command("simulate")(simulate.simulate)
app.command("check")(check.check)
app.command("reload")(check.reload)
app.command("submit")(submit.submit)
for noun in (submissions, received, deliveries, destinations, front_ends, users, councils, mappings, connectors, db):
    app.add_typer(noun.app)


@app.callback()
def hub(version: Annotated[bool, typer.Option("--version", help="say which version this is")] = False) -> None:  # noqa: FBT001, FBT002
    """Carries residents' requests from shared front ends to each council's own systems, and the answers back."""
    if version:
        say.line(f"council-hub {__version__}")
        raise typer.Exit


def main() -> NoReturn:
    sys.exit(status(None))


def status(arguments: list[str] | None) -> int:
    """Run one command. 0 when it did what was asked, 1 when it could not, 2 when it was asked wrongly."""
    try:
        code = app(arguments, prog_name="hub", standalone_mode=False)
    except HubError as failure:
        say.failure(str(failure))
        return 1
    except typer.Abort:
        return STOPPED
    except typer.TyperException as fault:
        return _wrong_use(fault)
    except BrokenPipeError:
        # Whoever read our output has left; Python would complain again when it closes the pipe.
        sys.stdout = None  # type: ignore[assignment]
        return 1
    return code if isinstance(code, int) else 0


def _wrong_use(fault: typer.TyperException) -> int:
    context = getattr(fault, "ctx", None)
    text = fault.format_message().strip()
    if text:
        where = f" See `{context.command_path} --help`." if context is not None else ""
        say.failure(f"{text.rstrip('.')}.{where}")
    return fault.exit_code
