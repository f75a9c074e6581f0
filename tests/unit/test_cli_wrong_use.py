"""Asked wrongly, `hub` says in one line what to do instead, and exits with 2; when it cannot, with 1."""

from __future__ import annotations

import pytest

from tests.terminal import Terminal


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("deliveries", "nonsense"),
        ("deliveries", "replay"),
        ("deliveries", "replay", "some-id", "--council", "testville"),
        ("deliveries", "discard", "some-id"),
        ("destinations", "pause", "waste", "--reason", "no slash"),
        ("front-ends", "add", "web", "--councils", "*", "--services", "no-such-service"),
        ("users", "add", "anna", "--role", "emperor"),
        ("run", "--port", "99999"),
        ("connectors", "test"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(hub: Terminal, arguments: tuple[str, ...]) -> None:
    said = hub(*arguments)
    assert (said.status, said.out) == (2, "")
    assert said.err.count("\n") == 1
    assert "--help" in said.err


def test_no_command_at_all_shows_the_help(hub: Terminal) -> None:
    said = hub()
    assert said.status == 2
    assert "deliveries" in said.out + said.err


def test_the_version_is_said(hub: Terminal) -> None:
    assert hub("--version").out.startswith("council-hub ")


def test_every_command_explains_itself(hub: Terminal) -> None:
    from hub.cli.program import COMMANDS

    for name in COMMANDS:
        assert hub(name, "--help").status == 0


def test_a_wrong_setting_is_named(hub: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_TICK", "whenever")
    said = hub("check")
    assert said.status == 1
    assert "HUB_TICK" in said.err and said.err.count("\n") == 1


@pytest.mark.parametrize("role", ["intake", "worker", "console"])
def test_one_process_alone_is_refused_a_part_of_the_work(hub: Terminal, role: str) -> None:
    said = hub("run", "--role", role, "--port", "0")
    assert said.status == 1
    assert "HUB_DATABASE_URL" in said.err and said.err.count("\n") == 1


def test_without_council_files_the_hub_says_where_it_looked(hub: Terminal) -> None:
    said = hub("run", "--port", "0")
    assert said.status == 1
    assert "HUB_MAPPINGS" in said.err


def test_production_without_keys_is_refused(hub: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATABASE_URL", "postgresql+psycopg://127.0.0.1:1/none")
    said = hub("users", "list")
    assert said.status == 1
    assert "HUB_ENCRYPTION_KEYS" in said.err
