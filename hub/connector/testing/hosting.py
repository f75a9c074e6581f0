"""Hosts a pretend back office: finds it by name, and serves it in the running event loop."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib import import_module

from aiohttp import web

from hub.connector.testing.backoffice import BackOffice, Handler, listening, response
from hub.connector.testing.control import control
from hub.connector.testing.office import Office
from hub.connector.testing.wire import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a back office answers: its product's protocol, and its control plane."""

    url: str
    control: str


def load(target: str) -> Office:
    """A new pretend system from `module:name`, where the name is an Office, its class, or a function making one."""
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
        office = found if isinstance(found, Office) else found()
    except TypeError as error:
        raise ValueError(f"{target} cannot be called without arguments; give a BackOffice class") from error
    if not isinstance(office, Office):
        raise ValueError(f"{target} is no BackOffice; derive it from hub.connector.testing.BackOffice")
    return office


@contextlib.asynccontextmanager
async def serving(
    office: Office, *, host: str = "127.0.0.1", port: int = 0, control_port: int | None = None
) -> AsyncIterator[Address]:
    """Serve in this event loop for as long as the block runs. Port 0 takes a free one.

    The control plane is on the product's own port where that speaks HTTP and
    no other is asked for.
    """
    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(office.opened(host=host, port=port))
        if control_port is None and isinstance(office, BackOffice):
            yield Address(url=url, control=url)
            return
        desk = listening(_desk(office), host=host, port=control_port or 0)
        yield Address(url=url, control=await stack.enter_async_context(desk))


def _desk(office: Office) -> Handler:
    """The control plane by itself."""

    async def answer(incoming: web.BaseRequest) -> web.StreamResponse:
        url = incoming.rel_url
        body = await incoming.read() if incoming.body_exists else b""
        return response(control(office, Call(incoming.method, url.path, url.query, incoming.headers, body)))

    return answer
