"""The connector of each destination, made once and kept while its council file stays as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from pydantic import ValidationError

from hub.connector import Connector, Http
from hub.connector.pacing import Pace
from hub.councils import Destination
from hub.errors import HubError, Misconfigured

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    destination: Destination
    connector: Connector
    http: Http


class ConnectorPool:
    """Connectors by destination. A changed destination gets a new one; the old one ends after its calls have."""

    def __init__(
        self,
        *,
        secrets: Callable[[str], str],
        pace: Callable[[Destination], Pace] | None = None,
    ) -> None:
        self._pace = pace
        self._secrets = secrets
        self._kept: dict[str, _Kept] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def get(self, destination: Destination) -> Connector:
        """The connector for this destination. Raises Misconfigured when its settings cannot be used."""
        kept = self._kept.get(destination.id)
        if kept is not None and (kept.destination is destination or _same(kept.destination, destination)):
            return kept.connector
        if kept is not None:
            self._retire(kept)
        made = self._make(destination)
        self._kept[destination.id] = made
        return made.connector

    def _make(self, destination: Destination) -> _Kept:
        try:
            settings = destination.resolve_settings(self._secrets)
            hidden = destination.secret_values(self._secrets)
            pace = self._pace(destination) if self._pace is not None else None
            http = Http(timeout=destination.limits.timeout, secrets=hidden, pace=pace)
            connector = destination.connector_class(settings, http)
        except (HubError, ValidationError) as failure:
            # Their texts may quote a setting; the type and `hub check` tell staff enough.
            log.warning("destination.unusable", destination=destination.id, error=type(failure).__name__)
            raise Misconfigured(
                f"The settings of {destination.id} cannot be used; run `hub check`.", code="settings"
            ) from None
        return _Kept(destination=destination, connector=connector, http=http)

    def _retire(self, kept: _Kept) -> None:
        task = asyncio.get_running_loop().create_task(_close_later(kept))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        for task in self._closing:
            task.cancel()
        for kept in self._kept.values():
            await kept.http.close()
        self._kept.clear()


def _same(one: Destination, other: Destination) -> bool:
    return (one.connector, one.settings, one.limits) == (other.connector, other.settings, other.limits)


async def _close_later(kept: _Kept) -> None:
    await asyncio.sleep(kept.destination.limits.timeout.total_seconds() + 1)
    await kept.http.close()
