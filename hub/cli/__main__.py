"""`python -m hub.cli` is `hub`."""

from __future__ import annotations

from hub.cli.program import main

main()
