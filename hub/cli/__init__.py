"""`hub …`: each command a few lines onto a room or an operation."""

from __future__ import annotations

from typing import NoReturn


def main() -> NoReturn:
    """What the `hub` script calls."""
    from hub.cli import program

    program.main()
