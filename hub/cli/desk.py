"""The ops desk: one way to ask, whether of a running hub or of the store on this machine."""

from __future__ import annotations

import asyncio
import getpass
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urlencode

import aiohttp

from hub.errors import HubError, SettingsError
from hub.model import Role, User
from hub.settings import environment_value

T = TypeVar("T")
Query = Mapping[str, Any]

PATIENCE = aiohttp.ClientTimeout(total=60, connect=10)


class DeskRefused(HubError):
    """The hub did not do it; its own words say what to do."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        told = str(problem.get("detail") or problem.get("title") or f"The hub answered {status}.")
        faults = "; ".join(f"{fault['pointer']}: {fault['message']}" for fault in problem.get("errors") or ())
        super().__init__(f"{told} {faults}".strip())
        self.status = status


class Desk(Protocol):
    """Asks the ops API. Raises DeskRefused with the hub's own words, or SettingsError where nothing answers."""

    async def ask(self, method: str, path: str, *, query: Query | None = None, body: Any = None) -> Any: ...


def at_desk(work: Callable[[Desk], Awaitable[T]], *, url: str | None, key: str | None) -> T:
    """Do some work at the desk that the options name: a hub's, with a key, or this machine's own."""

    async def there() -> T:
        async with _open(url or environment_value("HUB_URL"), key or environment_value("HUB_KEY")) as desk:
            return await work(desk)

    return asyncio.run(there())


def local_user() -> User:
    """Whoever is signed in on this machine and may read the hub's keys: an admin, under that name in the audit."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a container's bare user id
        name = "unknown"
    return User(id="local", name=f"local:{name}", role=Role.ADMIN)


def part(name: str) -> str:
    """A name as one part of an address."""
    return quote(name, safe="")


def asked(query: Query | None) -> str:
    """The query of an address: what is None or empty is not asked for."""
    pairs = {name: value for name, value in (query or {}).items() if value not in (None, [], "")}
    return f"?{urlencode(pairs, doseq=True)}" if pairs else ""


async def every(desk: Desk, path: str, *, query: Query) -> list[Any]:
    """All that a list holds now, the oldest first; what comes meanwhile is for the next time."""
    found: list[Any] = []
    cursor = None
    while True:
        page = await desk.ask("GET", path, query={**query, "limit": 200, "cursor": cursor})
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found[::-1]


@asynccontextmanager
async def _open(url: str | None, key: str | None) -> AsyncIterator[Desk]:
    if url is None:
        # It brings the whole machine with it, which no other command should wait for.
        from hub.cli.here import open_here

        async with open_here(local_user()) as here:
            yield here
        return
    if not key:
        raise SettingsError(f"A key is needed for {url}; give --key or HUB_KEY (`hub users add` makes one).")
    async with aiohttp.ClientSession(timeout=PATIENCE) as session:
        yield Remote(session, url=url.rstrip("/"), key=key)


class Remote:
    """A running hub, over HTTP, as the user whose token is given."""

    def __init__(self, session: aiohttp.ClientSession, *, url: str, key: str) -> None:
        self._session = session
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}"}

    async def ask(self, method: str, path: str, *, query: Query | None = None, body: Any = None) -> Any:
        where = f"{self._url}{path}{asked(query)}"
        try:
            async with self._session.request(
                method, where, json=body, headers=self._headers, allow_redirects=False
            ) as answer:
                return read_answer(answer.status, await answer.read())
        except (aiohttp.ClientError, TimeoutError, ValueError) as failure:
            raise SettingsError(
                f"Nothing that speaks like a hub answers at {self._url} ({type(failure).__name__}); "
                "start it with `hub run`, or mend --url."
            ) from failure


def read_answer(status: int, raw: bytes) -> Any:
    """The JSON of an answer. Raises DeskRefused for any that is not a yes, ValueError for what is no JSON."""
    said = json.loads(raw)
    if status >= 300:
        raise DeskRefused(status, said if isinstance(said, dict) else {})
    return said
