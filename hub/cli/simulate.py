"""`hub simulate`: a pretend back office of one product, on this terminal."""

from __future__ import annotations

from typing import Annotated

import typer


def simulate(
    connector: Annotated[str, typer.Argument(help="which product; `hub connectors list` names them")],
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="port to listen on; 0 takes a free one")] = 0,
    control_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="a port of its own for the control plane")
    ] = None,
) -> int:
    """A pretend back office: the product's own protocol, and a control plane with a ledger.

    Prints one line of JSON when it is ready: {"url", "control"}. At the control
    address are /_ledger (what it committed), /_behaviour (how it fails) and
    /_options.
    """
    from hub.connector.testing.serve import main
    from hub.registry import Registry

    apart = [] if control_port is None else ["--control-port", str(control_port)]
    return main([Registry.discover().get(connector).simulator, "--host", host, "--port", str(port), *apart])
