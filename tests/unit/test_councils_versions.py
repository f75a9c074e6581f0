"""A mapping is written in the words of one version of a contract, and sees every submission in them."""

from __future__ import annotations

from datetime import date

import pytest

from hub.core.findings import Severity
from hub.council_cases import hub_facts
from hub.councils import preview, run_cases
from hub.standard import read_data
from tests.folders import CASE, COUNCIL, PATTERN, compiled, files, loaded, only, pattern_with

TODAY = date(2026, 3, 10)
NEW = PATTERN.replace("service: missed-bin\n", "service: missed-bin\nversion: 2\n").replace(
    "description | default(omit) | shorten(200)", "container.reason"
)
BODY = {"council": "northborough", "service": "missed-bin", "property": {"uprn": "100012345678"}}
SENT = {
    1: {**BODY, "version": 1, "details": {"containers": [{"waste_type": "refuse"}], "reason": "spillage"}},
    2: {**BODY, "version": 2, "details": {"containers": [{"waste_type": "refuse", "reason": "spillage"}]}},
}
WHEN = COUNCIL.replace("    mapping:", '    when: "{{ %s }}"\n    mapping:')


def notes(pattern: str, version: int) -> str:
    """What the depot is told of a submission of this version."""
    councils = loaded(files(pattern=pattern)).draft
    data = read_data(SENT[version], today=TODAY).data
    [shown] = preview(councils, "northborough", "missed-bin", data, hub_facts(councils.find("northborough")))
    assert shown.record is not None, shown.faults
    return str(shown.record["notes"])


@pytest.mark.parametrize("pattern", [PATTERN.replace("description | default(omit)", "details.reason"), NEW])
@pytest.mark.parametrize("version", SENT)
def test_a_mapping_sees_every_submission_in_the_version_it_is_written_for(pattern: str, version: int) -> None:
    assert notes(pattern, version) == "spillage"


def test_a_mapping_that_does_not_say_its_version_is_written_for_the_first() -> None:
    said = pattern_with("service: missed-bin\n", "service: missed-bin\nversion: 1\n")
    assert [(each.code, each.message) for each in said] == [(each.code, each.message) for each in loaded().findings]


def test_a_newer_version_of_the_contract_makes_no_new_findings() -> None:
    made = compiled("a: '{{ property.uprn | default(omit) }}'\nb: '{{ details.reason }}'", service="missed-bin")
    assert made.findings == () and made.mapping is not None and made.mapping.optional == ()


@pytest.mark.parametrize(
    ("leaf", "remedy"),
    [("details.reason", "use one of"), ("container.reasn", "did you mean `reason`?")],
)
def test_paths_are_held_against_the_version_that_the_mapping_says(leaf: str, remedy: str) -> None:
    finding = only(loaded(files(pattern=NEW.replace("container.reason", leaf))).findings, "unknown_path")
    assert finding.severity is Severity.ERROR and remedy in finding.remedy


def test_a_version_that_there_is_not_says_those_that_there_are() -> None:
    finding = only(pattern_with("service: missed-bin\n", "service: missed-bin\nversion: 3\n"), "unknown_version")
    assert (finding.file, finding.line, finding.remedy) == ("patterns/depot/missed-bin.yaml", 2, "there is 1, 2")


@pytest.mark.parametrize("version", ["'2'", "0", "true", "[2]", "2.0"])
def test_a_version_is_a_whole_number(version: str) -> None:
    found = pattern_with("service: missed-bin\n", f"service: missed-bin\nversion: {version}\n")
    assert only(found, "wrong_type").line == 2


def test_a_when_is_in_the_words_of_the_mapping_that_it_leads_to() -> None:
    old, new = ("details.reason == 'spillage'", "details.put_out_by_time | default(false)")
    misspelt = only(loaded(files(council=WHEN % old, pattern=NEW)).findings, "unknown_path")
    assert (misspelt.file, misspelt.line) == ("northborough/council.yaml", 15)
    for council, pattern in ((WHEN % old, PATTERN), (WHEN % new, NEW)):
        assert "unknown_path" not in {each.code for each in loaded(files(council=council, pattern=pattern)).findings}


def test_a_case_that_does_not_say_its_version_goes_on_when_its_mapping_moves_to_the_next() -> None:
    case = CASE.replace("}]}", "}], reason: spillage}") + "  notes: spillage\n"
    tree = files(pattern=NEW) | {"northborough/cases/missed-bin/food.yaml": case}
    assert [one.problems for one in run_cases(tree, loaded(tree))] == [()]
