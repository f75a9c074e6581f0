"""Cases beside the mappings, and previews: given this submission, expect that record."""

from __future__ import annotations

import pytest

from hub.council_cases import hub_facts
from hub.councils import CaseResult, preview, run_cases
from hub.errors import NotThere
from tests.folders import CASE, COUNCIL, FILES, PATTERN, files, loaded, only

FILE = "northborough/cases/missed-bin/food.yaml"
TWO = """\
given:
  property: {uprn: "100012345678"}
  details: {containers: [{waste_type: refuse}, {waste_type: food}]}
expect:
  - {ref: ABCD-EFGH-1, uprn: "100012345678", service_id: 81, lines: [{code: none, quantity: 1}]}
  - {ref: ABCD-EFGH-2, uprn: "100012345678", service_id: 85, lines: [{code: none, quantity: 1}]}
"""
CRM = (
    COUNCIL
    + """\
  - service: missed-bin
    to: waste
    name: crm
    when: "{{ contact.email is defined }}"
    mapping: crm.yaml
"""
)
CRM_MAPPING = "service: missed-bin\nconnector: depot\ncreate: {operation: AddComment, record: {text: hello}}\n"
DATA = {"council": "northborough", "service": "missed-bin", "version": 1, "details": {"containers": []}}


def result(case: str, **more: str) -> CaseResult:
    tree = files(cases__missed_bin__food=case, **more)
    tree[FILE] = case
    return next(each for each in run_cases(tree, loaded(tree)) if each.file == FILE)


def said(case: str) -> list[tuple[int, str]]:
    return [(each.line, each.message) for each in result(case).problems]


def test_a_case_that_holds_says_nothing() -> None:
    assert result(CASE).ok


def test_a_split_expects_a_list_in_order() -> None:
    assert result(TWO).problems == ()


def test_a_case_that_fails_says_where_and_what() -> None:
    assert said(CASE.replace("service_id: 85", "service_id: 84")) == [(7, "service_id: expected 84, made 85")]
    assert said(CASE.replace("quantity: 2}]\n", "quantity: 1}]\n")) == [(8, "lines.0.quantity: expected 1, made 2")]
    assert said(CASE + "  notes: hello\n") == [(9, "notes: expected 'hello', but it was not made")]
    assert said(CASE.replace("  service_id: 85\n", "")) == [(4, "service_id: not expected, but made as 85")]


def test_true_is_not_one() -> None:
    pattern = PATTERN.replace("    lines:", "    urgent: true\n    lines:")
    tree = files(pattern=pattern)
    tree[FILE] = CASE + "  urgent: 1\n"
    assert [each.message for each in run_cases(tree, loaded(tree))[0].problems] == ["urgent: expected 1, made True"]


@pytest.mark.parametrize(
    ("case", "line", "says"),
    [
        ("expect: {}\n", 1, "a case without `given`"),
        ("given: {details: {}}\n", 1, "a case has either `expect` or `fault`"),
        (CASE + "expct: 1\n", 9, "a case has no `expct`"),
        (CASE.replace("food", "foood", 1), 3, "given #/details/containers/0/waste_type"),
        (CASE.replace("details: {", "details: {colour: red, "), 3, "given #/details/colour"),
        (TWO.replace("  - {ref: ABCD-EFGH-2", "#"), 4, "2 records were made, 1 expected"),
        (CASE.replace("food", "glass", 1), 4, "has no entry for this code"),
    ],
)
def test_a_case_that_cannot_be_tried_says_why(case: str, line: int, says: str) -> None:
    problems = said(case)
    assert [each for each in problems if each[0] == line and says in each[1]], problems


def test_a_case_may_expect_a_fault() -> None:
    refused = "given:\n  property: {uprn: '1'}\n  details: {containers: [{waste_type: glass}]}\n"
    assert result(refused + "fault: no_entry\n").ok
    assert result(refused + "fault: has no entry\n").ok
    assert "no delivery failed with `absent`" in said(refused + "fault: absent\n")[0][1]


def test_a_case_names_the_route_where_there_are_several() -> None:
    given = CASE.replace("given:\n", "given:\n  contact: {full_name: A B, email: a@example.org}\n")
    tree = files(council=CRM, crm=CRM_MAPPING)
    tree[FILE] = given.replace("expect:", "route: missed-bin->waste\nexpect:").replace("EFGH", "EFGH-1")
    crm = given.partition("expect:")[0] + "route: crm\nexpect: {text: hello}\n"
    tree["northborough/cases/missed-bin/crm.yaml"] = crm
    results = run_cases(tree, loaded(tree))
    assert [each.problems for each in results] == [(), ()]


def test_a_case_may_say_what_the_hub_knows() -> None:
    case = CASE.replace("expect:", "hub: {our_reference: WXYZ-2345}\nexpect:").replace("ABCD-EFGH", "WXYZ-2345")
    assert result(case).ok


def test_cases_are_chosen_by_path() -> None:
    tree = {**FILES, "northborough/cases/missed-bin/two.yaml": TWO}
    made = loaded(tree)
    assert len(run_cases(tree, made)) == 2
    assert [each.file for each in run_cases(tree, made, "northborough/cases/missed-bin/two.yaml")] == [
        "northborough/cases/missed-bin/two.yaml"
    ]
    assert len(run_cases(tree, made, "northborough")) == 2
    assert run_cases(tree, made, "elsewhere") == []


def test_a_failing_case_refuses_the_files() -> None:
    made = loaded({**FILES, FILE: CASE.replace("service_id: 85", "service_id: 84")})
    assert made.councils is None
    assert (only(made.findings, "case").file, only(made.findings, "case").line) == (FILE, 7)


def test_a_case_of_a_service_without_a_route_is_found() -> None:
    made = loaded({**FILES, "northborough/cases/complaint/x.yaml": CASE})
    assert "has no route for `complaint`" in only(made.findings, "case").message


def test_a_service_without_a_case_is_warned_of() -> None:
    tree = dict(FILES)
    del tree[FILE]
    assert only(loaded(tree).findings, "no_case").severity.value == "warning"


def test_a_result_is_plain_data() -> None:
    assert result(CASE).as_dict() == {
        "file": FILE, "council": "northborough", "service": "missed-bin", "ok": True, "problems": [],
    }  # fmt: skip


def previewed(kinds: list[str]) -> list[dict[str, object]]:
    made = loaded()
    assert made.councils is not None
    data = {**DATA, "details": {"containers": [{"waste_type": kind} for kind in kinds]}}
    hub = hub_facts(made.councils.find("northborough"))
    return [each.as_dict(trace=True) for each in preview(made.councils, "E07000999", "missed-bin", data, hub)]


def test_a_preview_shows_every_delivery() -> None:
    first, second = previewed(["refuse", "food"])
    assert (first["destination"], first["route"], first["operation"]) == (
        "northborough/waste",
        "missed-bin->waste",
        "BookJob",
    )
    assert (first["our_reference"], second["our_reference"]) == ("ABCD-EFGH-1", "ABCD-EFGH-2")
    assert second["record"] == {"ref": "ABCD-EFGH-2", "service_id": 85, "lines": [{"code": "none", "quantity": 1}]}


def test_a_preview_of_one_delivery_numbers_nothing() -> None:
    assert previewed(["food"])[0]["our_reference"] == "ABCD-EFGH"


def test_a_preview_holds_the_fault_where_there_is_no_record() -> None:
    shown = previewed(["glass"])[0]
    assert shown["record"] is None
    assert "no entry" in str(shown["faults"])
    assert shown["trace"]


def test_a_preview_of_what_is_not_taken_says_what_is() -> None:
    made = loaded()
    assert made.councils is not None
    with pytest.raises(NotThere, match="does not take `complaint`"):
        preview(made.councils, "northborough", "complaint", DATA, {})
