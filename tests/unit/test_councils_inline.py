"""A mapping that stands in council.yaml itself: found faults have its lines, and all that works with a file works."""

from __future__ import annotations

import pytest

from hub.core.findings import Finding
from hub.council_cases import hub_facts
from hub.councils import Loaded, Preview, preview
from hub.errors import MappingFault
from tests.folders import CASE, COUNCIL, PATTERN, files, loaded, only

INLINE = """\
    mapping:
      each: container in details.containers
      create:
        operation: BookJob
        record:
          ref: "{{ hub.our_reference }}"
          uprn: "{{ property.uprn | default(omit) }}"
          service_id: "{{ container.waste_type | lookup(service_ids) }}"
          lines:
            - code: none
              quantity: "{{ container.quantity | default(1) }}"
"""
ONE_FILE = COUNCIL.replace("    mapping: depot/missed-bin\n", INLINE)
SENT = {"property": {"uprn": "1"}, "details": {"containers": [{"waste_type": "food"}, {"waste_type": "glass"}]}}


def tree(council: str = ONE_FILE) -> dict[str, str]:
    return {"northborough/council.yaml": council, "northborough/cases/missed-bin/food.yaml": CASE}


def with_line(old: str, new: str) -> list[Finding]:
    assert old in ONE_FILE
    return loaded(tree(ONE_FILE.replace(old, new))).findings


def line(text: str) -> int:
    """The line of council.yaml on which this stands first."""
    return ONE_FILE[: ONE_FILE.index(text)].count("\n") + 1


def shown(made: Loaded) -> list[Preview]:
    assert made.councils is not None, made.findings
    council = made.councils.find("northborough")
    return preview(made.councils, "northborough", "missed-bin", SENT, hub_facts(council))


def test_a_council_may_be_one_file() -> None:
    made = loaded(tree())
    assert made.errors == []
    assert made.draft.find("northborough").routes[0].mapping_file == "northborough/council.yaml"


def test_it_makes_what_the_same_mapping_makes_in_a_file() -> None:
    records = [each.record for each in shown(loaded(tree()))]
    pattern = PATTERN.replace('    notes: "{{ description | default(omit) | shorten(200) }}"\n', "")
    pattern = pattern.replace("\"{{ container.container_code | default('none') }}\"", "none")
    assert records == [each.record for each in shown(loaded(files(pattern=pattern)))]
    assert records[0] is not None and records[0]["service_id"] == 85


def test_a_fault_in_it_has_its_line_in_council_yaml() -> None:
    finding = only(with_line("property.uprn", "property.uprm"), "unknown_path")
    assert (finding.file, finding.line) == ("northborough/council.yaml", line("uprn:"))
    assert only(with_line("          ref:", "          rif:"), "unknown_field").line == line("ref:")
    assert only(
        with_line("        operation: BookJob", "        operation: BookJab"), "unknown_operation"
    ).line == line("operation:")
    assert only(with_line("      create:", "      creat:"), "missing_key").line == line("mapping:")


def test_a_case_and_a_trace_show_its_lines_too() -> None:
    traced = shown(loaded(tree()))[0].traced
    assert traced is not None
    assert {each.file for each in traced.lines} == {"northborough/council.yaml"}
    assert next(each.line for each in traced.lines if each.leaf == "service_id") == line("service_id:")


def test_what_fails_while_it_runs_names_its_line() -> None:
    (good, bad) = shown(loaded(tree()))
    assert good.faults == () and bad.faults[0].startswith(
        f"northborough/council.yaml:{line('service_id:')} service_id: "
    )
    route = loaded(tree()).draft.find("northborough").routes[0]
    with pytest.raises(MappingFault) as raised:
        route.mapping.operation("cancel")
    assert raised.value.where == f"northborough/council.yaml:{line('mapping:')} cancel"


def test_its_route_says_its_service_and_connector_unless_it_says_so_itself() -> None:
    route = loaded(tree()).draft.find("northborough").routes[0]
    assert (route.mapping.service, route.mapping.connector) == ("missed-bin", "depot")
    other = with_line("      each: container", "      service: complaint\n      each: container")
    assert only(other, "wrong_service").line == line("each:")
    strange = with_line("      each: container", "      connector: dipot\n      each: container")
    assert only(strange, "unknown_connector").line == line("each:")


def test_it_may_extend_a_pattern() -> None:
    extending = "    mapping: {extends: depot/missed-bin, create: {record: {lines: omit, notes: Hello}}}\n"
    council = COUNCIL.replace("    mapping: depot/missed-bin\n", extending)
    made = loaded({"northborough/council.yaml": council, "patterns/depot/missed-bin.yaml": PATTERN})
    record = shown(made)[0].record
    assert record == {"ref": "ABCD-EFGH-1", "uprn": "1", "service_id": 85, "notes": "Hello"}
    looping = COUNCIL.replace("depot/missed-bin", "{extends: council.yaml}")
    assert only(loaded(files(council=looping)).findings, "bad_extends").line == line("mapping:")


def test_two_routes_may_each_hold_their_own() -> None:
    second = ONE_FILE + ONE_FILE[ONE_FILE.index("  - service") :].replace("to: waste", "to: waste\n    name: again")
    made = loaded({"northborough/council.yaml": second})
    assert [each.our_reference for each in shown(made)] == [f"ABCD-EFGH-{n}" for n in (1, 2, 3, 4)]
    assert len({route.mapping.line for route in made.draft.find("northborough").routes}) == 2
