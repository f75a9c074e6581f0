"""What every pretend system is, whatever it speaks: a ledger, a script of behaviours, options, an address."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

from hub.connector.testing.ledger import Ledger
from hub.connector.testing.modes import Mode, Script


class Office(ABC):
    """A product's pretend system on its own wire. One that speaks HTTP is a `BackOffice`.

    `options` names what `PUT /_options` may set, with the value each has at
    first. `modes` are the ways to behave that its wire can show; the kit asks
    nothing about the others. `listens` is false for what has no port that
    could be closed, `tells_when` for what cannot say when to come again.
    """

    name: ClassVar[str]
    options: ClassVar[Mapping[str, Any]] = {}
    modes: ClassVar[frozenset[Mode]] = frozenset(Mode)
    listens: ClassVar[bool] = True
    tells_when: ClassVar[bool] = True

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.script = Script()
        self.option = dict(self.options)

    @abstractmethod
    def opened(self, *, host: str, port: int) -> AbstractAsyncContextManager[str]:
        """Be there for as long as the block runs; yields the address. Port 0 takes a free one."""

    def look(self) -> None:  # noqa: B027  # whoever is asked knows already
        """Bring the ledger up to what is there. Called before anybody reads it; must not take long."""

    def behave(self) -> None:  # noqa: B027  # whoever is asked behaves when asked
        """The script was changed. For what is watched and never asked, so that it can be made so at once."""

    def forget(self) -> int:
        """Empty the ledger, and whatever else is known of its cases; says how many rows there were."""
        return self.ledger.clear()
