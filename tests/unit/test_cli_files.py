"""Council files from the command line: begun, checked, put in force or refused whole, tried without sending."""

from __future__ import annotations

import json

import pytest

from hub.cli.store import opened
from hub.store.generations import newest_number
from tests.house import ROOT
from tests.terminal import COUNCIL, Terminal

SECRETS = ("WHITESPACE_URL", "WHITESPACE_USERNAME", "WHITESPACE_PASSWORD")


@pytest.fixture
def testville(hub: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A council begun from the pattern of one product, filled in, with its secrets set."""
    for name in SECRETS:
        monkeypatch.setenv(f"TESTVILLE_{name}", "http://127.0.0.1:9")
    assert hub("councils", "new", "testville", "--product", "whitespace", "--service", "missed-bin").status == 0
    path = hub.folder / "mappings" / "testville" / "council.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(":   # fill in", ": 81"), encoding="utf-8")
    return hub


def test_a_council_begun_from_a_pattern_needs_only_filling_in(testville: Terminal) -> None:
    said = testville("check", "--json")
    assert [one for one in said.json()["items"] if one["severity"] == "error"] == []
    assert said.status == 0


@pytest.mark.parametrize("product", ["rest", "soap", "webhook", "folder", "email"])
def test_a_council_without_patterns_begins_with_an_example_of_its_product(hub: Terminal, product: str) -> None:
    assert hub("councils", "new", "testville", "--product", product, "--service", "missed-bin").status == 0
    said = hub("check", "--json").json()["items"]
    assert {one["code"] for one in said if one["severity"] == "error"} <= {"unresolvable_secret"}


def test_a_council_is_never_begun_twice(testville: Terminal) -> None:
    said = testville("councils", "new", "testville", "--product", "whitespace", "--service", "missed-bin")
    assert said.status == 1
    assert "there already" in said.err


@pytest.mark.parametrize(("product", "service"), [("whitespace", "foi-request"), ("nonesuch", "missed-bin")])
def test_a_council_needs_a_pattern(hub: Terminal, product: str, service: str) -> None:
    assert hub("councils", "new", "testville", "--product", product, "--service", service).status == 1
    assert not (hub.folder / "mappings").exists()


def test_a_fault_is_found_with_its_place_and_its_remedy(hub: Terminal) -> None:
    hub.write("mappings/testville/council.yaml", COUNCIL.replace("connector: scriptable", "connector: scriptible"))
    said = hub("check", "--json")
    assert said.status == 1
    (found,) = [one for one in said.json()["items"] if one["code"] == "unknown_connector"]
    assert (found["file"], found["line"]) == ("testville/council.yaml", 7)
    assert "scriptable" in found["remedy"]


def test_a_reload_makes_the_next_generation(hub: Terminal) -> None:
    hub.write("mappings/testville/council.yaml", COUNCIL)
    assert "Generation 1" in hub("reload").err
    assert "Nothing has changed" in hub("reload").err


def test_a_reload_refuses_faulty_files_whole(hub: Terminal) -> None:
    hub.write("mappings/testville/council.yaml", COUNCIL)
    hub.write("mappings/otherville/council.yaml", "council: 3\n")
    said = hub("reload")
    assert said.status == 1
    assert "otherville/council.yaml" in said.out
    with opened() as core:
        assert core.store.read_now(newest_number) == 0


def test_a_preview_shows_each_record_and_where_it_came_from(testville: Terminal) -> None:
    body = {"property": {"uprn": "1001"}, "details": {"containers": [{"waste_type": "refuse"}, {"waste_type": "food"}]}}
    path = testville.write("one.json", json.dumps(body))
    said = testville("mappings", "preview", "testville", "missed-bin", str(path), "--json", "--trace")
    first, second = said.json()["items"]
    assert (first["record"]["ServiceId"], first["record"]["Uprn"]) == (81, "1001")
    assert (first["our_reference"], second["our_reference"]) == ("ABCD-EFGH-1", "ABCD-EFGH-2")
    assert any(line["leaf"] == "ServiceId" and line["table"] == "service_ids" for line in first["trace"])


def test_a_preview_of_what_is_no_submission_says_why(testville: Terminal) -> None:
    path = testville.write("one.json", json.dumps({"details": {"containers": []}}))
    said = testville("mappings", "preview", "testville", "missed-bin", str(path))
    assert (said.status, said.out) == (1, "")
    assert "#/property" in said.err


def test_cases_are_run(testville: Terminal) -> None:
    given = "given: {property: {uprn: '1001'}, details: {containers: [{waste_type: refuse}]}}\n"
    testville.write("mappings/testville/cases/missed-bin/one.yaml", f"{given}expect: {{ServiceId: 82}}\n")
    said = testville("mappings", "test", "--json")
    assert said.status == 1
    assert said.json()["items"][0]["ok"] is False


def test_a_connector_is_described(hub: Terminal) -> None:
    found = hub("connectors", "describe", "scriptable", "--json").json()
    assert found["operations"]["CreateCase"]["replay_safety"] == "idempotent"
    assert "url" in found["settings"]["properties"]


def test_the_schema_is_checked_and_brought_up(hub: Terminal) -> None:
    assert hub("db", "check", "--json").json()["ok"] is False
    assert hub("db", "upgrade").status == 0
    assert hub("db", "check").status == 0


def test_a_product_that_no_connector_knows_is_checked_and_previewed_from_one_file(
    hub: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EASTVALE_CRM_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("EASTVALE_CRM_TOKEN", "correct-horse-battery")
    page = (ROOT / "connectors" / "rest" / "README.md").read_text(encoding="utf-8")
    shown = page.partition("```yaml\n")[2].partition("```")[0]
    hub.write("mappings/eastvale/council.yaml", shown)
    assert hub("check").status == 0
    hub.write("bin.json", '{"property": {"uprn": "1"}, "details": {"containers": [{"waste_type": "food"}]}}')
    (made,) = hub("mappings", "preview", "eastvale", "missed-bin", str(hub.folder / "bin.json"), "--json").json()[
        "items"
    ]
    assert (made["operation"], made["record"]["external_ref"]) == ("create", "ABCD-EFGH")
    hub.write("mappings/eastvale/council.yaml", shown.replace("path: /cases\n", "path: cases\n"))
    (fault,) = [one for one in hub("check", "--json").json()["items"] if one["severity"] == "error"]
    assert (fault["code"], fault["line"]) == ("bad_setting", shown[: shown.index("path: /cases")].count("\n") + 1)
