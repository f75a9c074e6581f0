"""`hub run`: the rooms of one process, until it is told to stop."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from hub import telemetry
from hub.cli import say
from hub.settings import Settings

Role = Literal["all", "intake", "worker", "console"]


def run(
    role: Annotated[Role, typer.Option(help="which rooms; `all` in one process is the default")] = "all",
    host: Annotated[str | None, typer.Option(help="address to listen on (HUB_HOST)")] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="port to listen on (HUB_PORT, 8000); 0 takes a free one"),
    ] = None,
    json_out: Annotated[bool, typer.Option("--json", help="say where it listens, as one line of JSON")] = False,
    until_eof: Annotated[bool, typer.Option("--until-eof", hidden=True)] = False,
) -> int:
    """Run the hub: front doors, workers and every job.

    A worker opens a port only with --port, for /health and /metrics. SIGTERM and
    Ctrl-C let what is under way come back first; the second one does not wait.
    """
    settings = Settings.read()
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = settings.model_copy(update=given)
    telemetry.configure(settings.log_format, level=settings.log_level)
    # The whole machine, which `hub --help` and the other commands should not wait for.
    from hub.assembly import RunRole
    from hub.cli import serving

    wanted = RunRole(role)
    doors = serving.doors_of(settings, wanted, asked=port is not None)

    def ready(addresses: dict[str, str]) -> None:
        if json_out:
            say.as_json({"role": role, **addresses})
        else:
            for name, address in addresses.items():
                say.note(f"{name}: {address}")

    return serving.serve(settings, wanted, doors, ready=ready, until_eof=until_eof)
