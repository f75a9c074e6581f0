"""Finds connectors through entry points, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Final, cast

from hub.connector.door import Connector
from hub.core.findings import instead
from hub.errors import HubError, NotThere

GROUP: Final = "hub.connectors"
_DECLARED: Final = ("name", "simulator", "Settings", "operations", "create")


class BrokenConnector(HubError):
    """A connector is declared but cannot be imported; mend or uninstall its package."""


class Registry:
    """The connectors there are. A connector is imported when it is first asked for, and not before."""

    def __init__(
        self,
        connectors: Mapping[str, type[Connector]] | None = None,
        *,
        waiting: Mapping[str, Callable[[], object]] | None = None,
    ) -> None:
        self._loaded: dict[str, type[Connector]] = dict(connectors or {})
        self._waiting: dict[str, Callable[[], object]] = dict(waiting or {})

    @classmethod
    def discover(cls) -> Registry:
        """Every connector that an installed package declares in `[project.entry-points."hub.connectors"]`."""
        return cls(waiting={entry.name: entry.load for entry in entry_points(group=GROUP)})

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted({*self._loaded, *self._waiting}))

    def get(self, name: str) -> type[Connector]:
        """The connector's class. Raises NotThere naming the known ones, or BrokenConnector."""
        if name in self._loaded:
            return self._loaded[name]
        if name not in self._waiting:
            raise NotThere(f"there is no connector `{name}`; {instead(name, self.names, what='there are')}")
        try:
            found = cast("type[Connector]", self._waiting[name]())
        except Exception as error:
            raise BrokenConnector(
                f"connector `{name}` cannot be imported ({type(error).__name__}: {error}); mend its package"
            ) from error
        lacking = [each for each in _DECLARED if not hasattr(found, each)]
        if lacking:
            raise BrokenConnector(f"connector `{name}` lacks {', '.join(lacking)}; see connectors/README.md")
        self._loaded[name] = found
        return found
