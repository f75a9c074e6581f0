"""What the writer takes: typed thoughts, many of which share one commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, Self

from sqlalchemy import Connection


class Thought(Protocol):
    """Something to be written down together with others of its kind.

    A thought writes only rows that it owns, so that a batch never waits for
    another batch. `write_all` may raise: the batch is then rolled back and its
    thoughts run one by one, each in a transaction of its own.
    """

    rank: ClassVar[int]  #: kinds are written in this order, the same in every process

    @classmethod
    def write_all(cls, connection: Connection, thoughts: Sequence[Self]) -> list[Any]:
        """Write them with multi-row statements; one result each, an exception instance where one failed alone."""
        ...

    def landed(self, connection: Connection) -> bool:
        """Whether it is in the store: asked after a COMMIT that got no answer."""
        ...

    def result_if_landed(self) -> Any:
        """What `write_all` would have answered, when it is found to have landed."""
        ...
