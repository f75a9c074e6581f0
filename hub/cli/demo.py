"""`hub demo`: the hub shown with pretend councils."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer


def demo(
    once: Annotated[bool, typer.Option("--once", help="end when all has arrived; exit status 1 if it did not")] = False,
    json_out: Annotated[
        bool, typer.Option("--json", help="with --once the whole account; alone where everything is, then stay up")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="port of the hub; 0 takes a free one")] = 0,
) -> int:
    """An embedded hub in var/demo/, pretend back offices, and submissions of three services.

    Nothing of yours is touched: no setting of this machine is read, and the folder is wiped at the start.
    """
    # It brings the whole machine with it, which `hub --help` should not wait for.
    from hub.demo import show

    return show(once=once, as_json=json_out, port=port, today=datetime.now(UTC).date())
