"""What unit tests share: a terminal with a store of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.terminal import Terminal, open_terminal


@pytest.fixture
def hub(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """The command line as a function, in an empty folder of its own."""
    return open_terminal(tmp_path, capsys, monkeypatch)
