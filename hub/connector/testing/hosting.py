"""Hosts a pretend back office: finds it by name, and serves it in the running event loop."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib import import_module

from aiohttp import web

from hub.connector.testing.backoffice import BackOffice, server


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a back office answers: its product's protocol, and its control plane."""

    url: str
    control: str


def load(target: str) -> BackOffice:
    """A new back office from `module:name`, where the name is a BackOffice, its class, or a function making one."""
    module, colon, name = target.partition(":")
    if not (module and colon and name):
        raise ValueError(f"{target!r} is not MODULE:app, for example connectors.whitespace.simulator:app")
    try:
        found = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        raise ValueError(f"there is no module {error.name}; give MODULE:app of an installed simulator") from error
    except AttributeError as error:
        raise ValueError(f"{module} has no {name}; give MODULE:app of an installed simulator") from error
    try:
        office = found if isinstance(found, BackOffice) else found()
    except TypeError as error:
        raise ValueError(f"{target} cannot be called without arguments; give a BackOffice class") from error
    if not isinstance(office, BackOffice):
        raise ValueError(f"{target} is no BackOffice; derive it from hub.connector.testing.BackOffice")
    return office


@contextlib.asynccontextmanager
async def serving(
    office: BackOffice, *, host: str = "127.0.0.1", port: int = 0, control_port: int | None = None
) -> AsyncIterator[Address]:
    """Serve in this event loop for as long as the block runs. Port 0 takes a free one."""
    # Calls that are never answered must not hold up the end.
    runner = web.ServerRunner(server(office), shutdown_timeout=0.1)
    await runner.setup()
    try:
        url = await _listen(runner, host=host, port=port)
        apart = url if control_port is None else await _listen(runner, host=host, port=control_port)
        yield Address(url=url, control=apart)
    finally:
        await runner.cleanup()


async def _listen(runner: web.ServerRunner, *, host: str, port: int) -> str:
    site = web.TCPSite(runner, host, port, backlog=1024)
    before = len(runner.addresses)
    await site.start()
    bound = runner.addresses[before:]
    return f"http://{f'[{host}]' if ':' in host else host}:{bound[0][1]}"
