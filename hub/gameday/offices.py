"""The back offices of a rehearsal: ours in processes of their own, or one that is not ours."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from hub.connector.testing import Running, spawn
from hub.gameday.council import CONNECTORS, Place
from hub.gameday.network import RigFailed
from hub.registry import Registry

_PATIENCE = timedelta(seconds=30)


class Office(Protocol):
    """A back office with a control plane."""

    url: str

    def ledger(self) -> list[dict[str, Any]]: ...

    def behave(self, mode: str, *, times: int | None = None, seconds: float | None = None) -> None: ...

    def options(self, **options: Any) -> dict[str, Any]: ...

    def forget(self) -> None: ...


class Foreign:
    """A back office somewhere else that speaks the generic REST protocol and has our control plane."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def ledger(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._ask("GET", "/_ledger")["items"]
        return items

    def behave(self, mode: str, *, times: int | None = None, seconds: float | None = None) -> None:
        said = {"mode": mode, "times": times, "seconds": seconds}
        self._ask("POST", "/_behaviour", {name: value for name, value in said.items() if value is not None})

    def options(self, **options: Any) -> dict[str, Any]:
        return self._ask("PUT", "/_options", options)

    def forget(self) -> None:
        self._ask("DELETE", "/_ledger")

    def answers(self, path: str) -> bool:
        """Whether it has such an address, with a list in its answer."""
        try:
            return isinstance(self._ask("GET", path).get("items"), list)
        except (RigFailed, AttributeError):
            return False

    def _ask(self, method: str, path: str, body: object | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with urlopen(request, timeout=_PATIENCE.total_seconds()) as answer:
                read: dict[str, Any] = json.loads(answer.read() or b"{}")
        except HTTPError as refused:
            with refused:
                said = refused.read(300).decode("utf-8", "replace")
            raise RigFailed(f"The back office answers {method} {path} with {refused.code}: {said}") from None
        except (URLError, OSError, ValueError) as failure:
            raise RigFailed(
                f"The back office at {self.url} does not answer {method} {path} ({type(failure).__name__}); give the "
                "address of one that speaks as `hub simulate scriptable` does."
            ) from None
        return read


@contextmanager
def our_own(places: Iterable[Place], folder: Path) -> Iterator[dict[str, Office]]:
    """One process for each office that these places name, started together."""
    registry = Registry.discover()
    wanted = {place.office: registry.get(CONNECTORS[place.safety]).simulator for place in places}
    with ExitStack() as stack:
        words = stack.enter_context((folder / "offices.log").open("w"))

        def start(name: str) -> tuple[str, Running]:
            return name, spawn(wanted[name], errors=words)

        found: dict[str, Office] = {}
        with ThreadPoolExecutor(len(wanted)) as threads:
            for name, running in threads.map(start, wanted):
                stack.callback(running.stop)
                found[name] = running
        yield found
