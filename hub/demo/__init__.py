"""The hub shown: pretend councils, real submissions, and what arrived."""

from __future__ import annotations

from hub.demo.show import show

__all__ = ["show"]
