"""`hub …`: each command a few lines onto a room or an operation."""

from __future__ import annotations

from hub.cli.program import main

__all__ = ["main"]
