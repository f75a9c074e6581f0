"""The store on this machine, for the few commands that no API has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hub.settings import Settings

if TYPE_CHECKING:
    from hub.assembly import Core


@contextmanager
def opened() -> Iterator[Core]:
    """The parts that every command has, on the store of the settings. Raises SettingsError, StoreOutdated."""
    # It brings the whole machine with it, which `hub --help` should not wait for.
    from hub.assembly import open_core

    with open_core(Settings.read()) as core:
        yield core
