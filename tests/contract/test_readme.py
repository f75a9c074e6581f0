"""The front page knows every setting and every command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub.cli.program import COMMANDS
from hub.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_explained(name: str) -> None:
    assert f"`HUB_{name.upper()}`" in README


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_named(name: str) -> None:
    assert re.search(rf"\b{name}\b", README.split("## Running it")[1])


def test_every_page_that_it_links_to_is_there() -> None:
    assert [
        link for link in re.findall(r"\]\(([^):]+)\)", README) if not (ROOT / link.partition("#")[0]).exists()
    ] == []
