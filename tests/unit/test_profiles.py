"""Profiles: a form's answers as a standard submission, and what `hub check` finds wrong with one."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hub.core.findings import Finding, Severity
from hub.core.profile import Profile
from hub.core.sheets import Misshapen, infreemation, xgov
from hub.councils import load, run_cases
from hub.errors import MappingFault
from tests.folders import FILES, files, loaded, registry
from tests.house import ROOT

README = (ROOT / "mappings" / "README.md").read_text(encoding="utf-8")

FORM = """\
format: xgov
service: missed-bin
with:
  kinds: {Rubbish: refuse, Food: food}
submission:
  contact:
    full_name: "{{ answers.name }}"
    email: "{{ answers.email | default(omit) }}"
  property: {uprn: "{{ answers.uprn }}"}
  details:
    containers:
      for: kind in answers.kinds
      emit: {waste_type: "{{ kind | lookup(kinds) }}", quantity: "{{ answers.bins | default(1) }}"}
"""
ANSWERS = {"name": "Alex Example", "uprn": 100012345678, "kinds": ["Rubbish", "Food"], "bins": "2"}


def profile(text: str = FORM, **more: str) -> Profile:
    found = loaded(files(intake__bins=text, **more))
    assert found.errors == []
    return found.draft.find("northborough").profile("xgov", "bins")


def made(text: str = FORM, form: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return profile(text).submission({**ANSWERS, **changes}, form or {}, council="northborough").data


def found(text: str, name: str = "intake__bins") -> list[tuple[str, int, str]]:
    findings = loaded(files(**{name: text})).findings
    ours = [each for each in findings if "/intake/" in each.file and each.code != "no_case"]
    return [(each.code, each.line, each.message) for each in ours]


def changed(old: str, new: str) -> list[tuple[str, int, str]]:
    assert old in FORM
    return found(FORM.replace(old, new))


def test_what_the_contract_finds_wrong_is_said_with_the_file_that_the_leaf_stands_in() -> None:
    tree = {**FILES, "patterns/intake/xgov/missed-bin.yaml": FORM}
    mine = "extends: intake/xgov/missed-bin\nsubmission: {property: {uprn: '100012345678'}}\n"
    found = loaded({**tree, "northborough/intake/mine.yaml": mine}).draft.find("northborough").profile("xgov", "mine")
    assert found.where("#/property/uprn") == "northborough/intake/mine.yaml:2 property.uprn"
    assert found.where("#/contact/email") == "patterns/intake/xgov/missed-bin.yaml:8 contact.email"


@pytest.mark.parametrize(
    ("category", "asked"), [("street_light", {"fault": "flickering"}), ("dead_animal", {"animal": "fox"})]
)
def test_a_service_code_that_fixes_the_category_keeps_what_it_asks_about_it(
    category: str, asked: dict[str, str]
) -> None:
    shared = (ROOT / "mappings/patterns/intake/open311/street-issue.yaml").read_text(encoding="utf-8")
    mine = f"extends: intake/open311/street-issue\nsubmission: {{details: {{category: {category}}}}}\n"
    tree = {**FILES, "patterns/intake/open311/street-issue.yaml": shared, "northborough/intake/mine.yaml": mine}
    found = loaded(tree).draft.find("northborough").profile("open311", "mine")
    data = found.submission({"attributes": asked}, {}, council="northborough").data
    assert data["details"] == {"category": category, **asked}


def test_answers_become_a_submission_of_the_contracts_types() -> None:
    assert made() == {
        "council": "northborough",
        "service": "missed-bin",
        "version": 1,
        "contact": {"full_name": "Alex Example"},
        "property": {"uprn": "100012345678"},
        "details": {
            "containers": [{"waste_type": "refuse", "quantity": 2}, {"waste_type": "food", "quantity": 2}],
        },
    }


def test_what_no_leaf_reads_is_kept_by_its_key() -> None:
    address = {"road": {"name": "High Street"}, "lines": ["1", "2"]}
    assert made(heard="A leaflet", twice=["a", 7], address=address, sure=True)["extra"] == {
        "heard": "A leaflet",
        "twice": ["a", "7"],
        "address.road.name": "High Street",
        "address.lines": ["1", "2"],
        "sure": "true",
    }


def test_an_answer_without_a_value_is_no_answer() -> None:
    assert "email" not in made(email="  ")["contact"]
    assert "extra" not in made(heard="", seen=None, more=[], deep={"down": ""})


def test_what_the_form_says_of_itself_fills_what_the_contract_has_for_it() -> None:
    form = {"name": "Bins", "language": "cy", "reference": "F-1", "metadata": {"paid": "yes"}}
    data = made(form=form)
    assert (data["language"], data["front_end_reference"]) == ("cy", "F-1")
    assert data["extra"] == {"metadata.paid": "yes"}


def test_extra_has_its_caps_and_says_what_did_not_go_in() -> None:
    answers = {**ANSWERS, **{f"q{at:03}": "x" for at in range(103)}, "long": "y" * 3000}
    mapped = profile().submission(answers, {}, council="northborough")
    assert len(mapped.data["extra"]) == 100
    assert [each["pointer"] for each in mapped.warnings] == ["#/extra"]
    assert mapped.warnings[0]["message"].startswith("4 answers more")
    short = profile().submission({**ANSWERS, "long": "y" * 3000}, {}, council="northborough")
    assert len(short.data["extra"]["long"]) == 2000
    assert "cut" in short.warnings[0]["message"]


def test_a_fault_names_file_line_and_leaf_and_no_answer() -> None:
    with pytest.raises(MappingFault) as fault:
        made(name=None, secret="Marker")
    assert str(fault.value).startswith("northborough/intake/bins.yaml:7 contact.full_name: `answers.name`")
    assert "Marker" not in str(fault.value)
    with pytest.raises(MappingFault, match=r"bins.yaml:13 .*no entry for this code") as missing:
        made(kinds=["Marker"])
    assert "Marker" not in str(missing.value)


def test_a_pointer_of_the_contract_leads_back_to_the_line() -> None:
    assert profile().where("#/contact/email") == "northborough/intake/bins.yaml:8 contact.email"
    assert profile().where("#/details/containers/1/quantity").startswith("northborough/intake/bins.yaml:13 ")
    assert profile().where("#") == "northborough/intake/bins.yaml:5 submission"


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "says"),
    [
        ("format: xgov", "format: xgof", "unknown_format", 1, "there is no format `xgof`"),
        ("service: missed-bin", "service: missed-bins", "unknown_service", 2, "there is no service `missed-bins`"),
        ("service: missed-bin", "service: missed-bin\nversion: 9", "unknown_version", 3, "no version `9`"),
        ("submission:", "submissions:", "unknown_key", 5, "a profile has no `submissions`"),
        ("email:", "e_mail:", "unknown_field", 8, "`contact.e_mail` is not in the contract"),
        ("full_name:", "phone_e164:", "unknown_field", 7, "filled in by the hub"),
        ("  contact:", "  council: northborough\n  contact:", "unknown_field", 6, "filled in by the hub"),
        ("waste_type:", "kind:", "missing_field", 13, "the contract needs `details.containers.waste_type`"),
        ("{uprn: \"{{ answers.uprn }}\"}", "7", "wrong_type", 9, "`property` cannot be a number"),
        ("\"{{ answers.bins | default(1) }}\"", "two", "wrong_type", 13, "cannot be a text"),
        ("refuse,", "refuze,", "wrong_enum", 4, "is never `refuze`"),
        ("answers.name", "answer.name", "unknown_path", 7, "`answer` is not in the contract"),
        ("lookup(kinds)", "lookup(kind)", "unknown_table", 13, "is not a table"),
        ("lookup(kinds)", "default(omit)", "unknown_need", 4, "uses `kinds`"),
        ("| default(omit)", "| defualt(omit)", "unknown_filter", 8, "there is no filter"),
        ("kinds: {", "answers: {", "name_taken", 4, "is what the front end sent"),
    ],
)  # fmt: skip
def test_check_says_what_is_wrong_and_where(old: str, new: str, code: str, line: int, says: str) -> None:
    assert any(each[0] == code and each[1] == line and says in each[2] for each in changed(old, new)), changed(old, new)


def test_a_required_part_that_is_not_there_is_an_error() -> None:
    text = FORM.replace('  property: {uprn: "{{ answers.uprn }}"}\n', "")
    assert found(text) == [("missing_field", 5, "the contract needs `property`")]


def test_two_profiles_of_one_name_and_format_are_an_error_and_of_two_formats_are_not() -> None:
    tree = files(intake__bins=FORM, intake__xgov__bins=FORM)
    assert "duplicate_profile" in {each.code for each in loaded(tree).findings}
    other = FORM.replace("format: xgov", "format: infreemation")
    tree = files(intake__bins=FORM, intake__infreemation__bins=other)
    assert loaded(tree).errors == []


def test_a_profile_of_a_service_without_a_route_is_a_warning() -> None:
    text = "format: xgov\nservice: complaint\nsubmission:\n  contact: {anonymous: true}\n  details:\n"
    text += "    {kind: complaint, service_area: Bins, what_happened: '{{ answers.what }}'}\n"
    assert [each[0] for each in found(text)] == ["no_route"]


def test_a_pattern_serves_councils_that_take_its_service_until_they_have_their_own() -> None:
    tree = {**FILES, "patterns/intake/xgov/missed-bin.yaml": FORM}
    council = loaded(tree).draft.find("northborough")
    assert council.profile("xgov", "missed-bin").file == "patterns/intake/xgov/missed-bin.yaml"
    mine = "extends: intake/xgov/missed-bin\nwith: {kinds: {Papier: paper_card}}\n"
    council = loaded({**tree, "northborough/intake/missed-bin.yaml": mine}).draft.find("northborough")
    found = council.profile("xgov", "missed-bin")
    assert found.file == "northborough/intake/missed-bin.yaml"
    assert found.submission({**ANSWERS, "kinds": ["Papier"]}, {}, council="northborough").data["details"] == {
        "containers": [{"waste_type": "paper_card", "quantity": 2}]
    }


def test_a_pattern_in_the_wrong_place_is_an_error() -> None:
    tree = {**FILES, "patterns/intake/infreemation/missed-bin.yaml": FORM}
    assert "wrong_format" in codes(tree)
    assert "wrong_service" in codes({**FILES, "patterns/intake/xgov/complaint.yaml": FORM})
    assert "stray_file" in codes({**FILES, "patterns/intake/bins.yaml": FORM})


def codes(tree: dict[str, str]) -> set[str]:
    return {each.code for each in load(tree, registry=registry(), secrets=None).findings}


CASE = """\
given:
  questions:
    - fields:
        - {key: name, answer: Alex Example}
        - {key: email, answer: alex@example.org}
        - {key: uprn, answer: "100012345678"}
        - {key: kinds, answer: [Food]}
expect:
  contact: {full_name: Alex Example, email: alex@example.org}
  property: {uprn: "100012345678"}
  details: {containers: [{waste_type: food, quantity: 1}], reason: not_collected}
"""


def problems(case: str) -> list[Finding]:
    tree = files(intake__bins=FORM, cases__intake__bins__food=case)
    file = "northborough/cases/intake/bins/food.yaml"
    [result] = [each for each in run_cases(tree, loaded(tree)) if each.file == file]
    return list(result.problems)


def test_a_case_of_a_profile_holds_or_says_where_it_does_not() -> None:
    assert problems(CASE) == []
    [problem] = problems(CASE.replace("waste_type: food", "waste_type: glass"))
    assert problem.line == 11
    assert problem.message == "details.containers.0.waste_type: expected 'glass', made 'food'"
    [problem] = problems(CASE.replace("[Food]", "[Fodo]"))
    assert "no entry for this code" in problem.message


def test_a_case_may_expect_a_fault() -> None:
    case = CASE[: CASE.index("expect:")].replace("[Food]", "[Fodo]") + "fault: no entry\n"
    assert problems(case) == []
    assert problems(case.replace("[Fodo]", "[Food]"))[0].message.endswith("all went well")


def test_a_profile_without_a_case_is_a_warning() -> None:
    [finding] = [each for each in loaded(files(intake__bins=FORM)).findings if each.code == "no_case"]
    assert (finding.severity, finding.file) == (Severity.WARNING, "northborough/intake/bins.yaml")


def test_the_example_of_the_readme_holds() -> None:
    blocks = re.findall(r"```yaml\n# (northborough/\S*leisure\S*)\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 2
    tree = {**FILES, **dict(blocks)}
    assert {each.code for each in loaded(tree).findings if "/intake/" in each.file} == {"no_route"}
    assert [each.problems for each in run_cases(tree, loaded(tree), "northborough/cases/intake")] == [()]


def field(key: str, answer: Any) -> dict[str, Any]:
    return {"key": key, "title": key, "type": "text", "answer": answer}


def test_a_question_asked_again_is_a_list_and_one_of_two_sections_stands_below_each() -> None:
    body = {
        "questions": [
            {"category": "me", "fields": [field("name", "A"), field("age", 3)]},
            {"category": "you", "index": 0, "fields": [field("name", "B")]},
            {"category": "you", "index": 1, "fields": [field("name", "C")]},
            {"fields": [field("pets", "cat")]},
            {"fields": [field("pets", "dog")]},
        ]
    }
    assert xgov(body).answers == {"me": {"name": "A"}, "you": {"name": ["B", "C"]}, "age": 3, "pets": ["cat", "dog"]}


@pytest.mark.parametrize(
    "body", [None, 7, [], {}, {"questions": {}}, {"questions": [7]}, {"questions": [{"fields": [{"key": 7}]}]}]
)
def test_a_body_of_another_shape_says_where_and_quotes_nothing(body: Any) -> None:
    with pytest.raises(Misshapen):
        xgov(body)


def test_infreemations_codes_are_read_in_any_case_and_its_key_is_no_answer() -> None:
    sheet = infreemation({"rt": "create", "contacttype": "email", "type": "foi", "key": "k", "username": "u"})
    assert sheet.answers == {"contacttype": "EMAIL", "type": "FOI"}
