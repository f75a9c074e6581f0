"""A connector begun from the command line: it passes the kit as it is, and nothing is written over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.terminal import Terminal

DECLARED = '[project.entry-points."hub.connectors"]\nother = "other:Other"\n'


@pytest.fixture
def author(hub: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Somebody with an empty folder of their own."""
    monkeypatch.chdir(hub.folder)
    monkeypatch.syspath_prepend(str(hub.folder))
    return hub


def test_a_new_connector_passes_the_kit_before_a_line_of_it_is_changed(author: Terminal) -> None:
    made = author("connectors", "new", "acme_crm")
    assert (made.status, made.out.split()[0]) == (0, "acme_crm/__init__.py")
    said = author("connectors", "test", "acme_crm:AcmeCrm", "--json")
    [report] = said.json()["items"]
    assert (said.status, report["connector"], report["ok"]) == (0, "acme_crm", True), said.err


def test_a_new_connector_is_declared_where_others_are(author: Terminal) -> None:
    pyproject = author.write("pyproject.toml", DECLARED)
    author.write("connectors/__init__.py", "")
    assert author("connectors", "new", "acme").status == 0
    assert 'acme = "connectors.acme:Acme"' in pyproject.read_text().splitlines()
    assert Path("connectors/acme/simulator.py").is_file()


def test_a_connector_is_never_begun_twice(author: Terminal) -> None:
    author("connectors", "new", "acme")
    again = author("connectors", "new", "acme")
    assert again.status == 1 and "there already" in again.err


@pytest.mark.parametrize(("name", "status"), [("Acme", 2), ("acme-crm", 2), ("class", 2), ("jadu", 1)])
def test_a_name_is_a_packages_and_nobody_elses(author: Terminal, name: str, status: int) -> None:
    assert author("connectors", "new", name).status == status
    assert not Path(name).exists()


def test_a_package_below_another_folder_is_refused(author: Terminal) -> None:
    assert author("connectors", "new", "acme", "--into", "../elsewhere").status == 2


def test_a_class_that_is_not_there_is_said_in_one_line(author: Terminal) -> None:
    said = author("connectors", "test", "nowhere:Nobody")
    assert said.status == 1 and len(said.err.strip().splitlines()) == 1


def test_what_settings_make_of_it_is_described(hub: Terminal) -> None:
    said = hub("connectors", "describe", "rest", "--json").json()
    assert [list(one["operations"]) for one in said["configured"]] == [
        ["create", "update", "cancel", "attach"],
        ["create", "update", "attach"],
        ["create", "update"],
    ]
    repeats = [one["operations"]["create"]["replay_safety"] for one in said["configured"]]
    assert repeats == ["lookup", "idempotent", "rejects_duplicates"]
    told = hub("connectors", "describe", "rest").out
    assert "what a repeat is follows from the settings" in told and "OAuth2" in told
