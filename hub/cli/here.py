"""The desk of this machine: the hub's own ops API, called without a server, as an audited local admin."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message, Scope

from hub.assembly import RunRole, make_hub, now, open_core, web_app
from hub.cli.desk import Query, asked, read_answer
from hub.errors import HubError
from hub.intake.auth import Doorkeeper
from hub.model import FrontEnd, Role, User
from hub.settings import Settings
from hub.store.store import Store


class OwnDoor(Doorkeeper):
    """Lets one user in, whatever key is shown: who may open the store may do all that is done to it."""

    def __init__(self, store: Store, user: User) -> None:
        super().__init__(store, monotonic=lambda: now().timestamp())
        self._user = user

    async def user(self, scope: Scope, role: Role) -> User:
        return self._user

    async def either(self, scope: Scope) -> FrontEnd | User:
        return self._user


@asynccontextmanager
async def open_here(user: User) -> AsyncIterator[Here]:
    """Opens the store of the settings. A hub that runs on it finds what changed by its tick, within a second."""
    with open_core(Settings.read()) as core:
        # What a repeat does is said by council files; without them every verb assumes the worst.
        with contextlib.suppress(HubError):
            core.councils.load_newest()
        app = web_app(make_hub(core, RunRole.INTAKE))
        app.state.room = dataclasses.replace(app.state.room, doorkeeper=OwnDoor(core.store, user))
        yield Here(app)


class Here:
    """The same answers as over HTTP, for they come from the same code."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def ask(self, method: str, path: str, *, query: Query | None = None, body: Any = None) -> Any:
        raw = b"" if body is None else json.dumps(body).encode()
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self._app(_scope(method, path, asked(query).lstrip("?")), receive, send)
        answer = b"".join(message.get("body", b"") for message in sent[1:])
        return read_answer(sent[0]["status"], answer)


def _scope(method: str, path: str, query: str) -> Scope:
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [], "client": None, "server": ("here", 80), "state": {},
    }  # fmt: skip
