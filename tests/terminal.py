"""A terminal for tests of the command line: commands in, status and both streams out, on a store of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from hub.cli.program import status

COUNCIL = """\
council: Testville Borough Council
slug: testville
gss: E07000997
calendar: england-and-wales
destinations:
  cases:
    connector: scriptable
    settings: {url: "http://127.0.0.1:9"}
routes: []
"""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command answered."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(slots=True)
class Terminal:
    folder: Path
    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Said:
        self.capture.readouterr()  # what was said before is not this command's
        with capture_logs():
            code = status(list(arguments))
        out, err = self.capture.readouterr()
        return Said(code, out, err)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


def open_terminal(
    folder: Path, capture: pytest.CaptureFixture[str], environment: pytest.MonkeyPatch, **more: str
) -> Terminal:
    """A terminal whose hub lives in this folder, with nothing of this machine's own settings."""
    ours: Mapping[str, str] = {
        "HUB_DATABASE_URL": f"sqlite:///{folder / 'hub.db'}",
        "HUB_MAPPINGS": str(folder / "mappings"),
    }
    for name in ("HUB_URL", "HUB_KEY", "HUB_BROKER_URL", "HUB_ENCRYPTION_KEYS", "HUB_HASH_KEY"):
        environment.delenv(name, raising=False)
    for name, value in {**ours, **more}.items():
        environment.setenv(name, value)
    return Terminal(folder, capture)
