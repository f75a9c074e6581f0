"""What `hub check` finds, each with file, line, column, code and remedy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from hub.core.findings import Finding, Severity
from hub.councils import load
from tests.folders import COUNCIL, FILES, PATTERN, council_with, files, loaded, only, pattern_with, registry

COUNCIL_FILE = "northborough/council.yaml"
PATTERN_FILE = "patterns/depot/missed-bin.yaml"
ROUTE = """  - service: missed-bin
    to: waste
    mapping: depot/missed-bin
    with:
      service_ids: {refuse: 81, mixed_recycling: 82, food: 85, other: 99}
"""


def test_the_small_tree_is_sound() -> None:
    made = loaded()
    assert made.councils is not None, made.findings
    assert {each.code for each in made.findings} == {"missing_entry"}


#: Code, line and column of the finding, what its remedy says; below, what was changed into what.
#: ⏎ ends a line, ∅ is nothing.
IN_COUNCIL = """
unknown_key 4:1 = did you mean `calendar`?
    calendar: → calender:
unknown_key 9:5 = did you mean `limits`?
        limits: →     limit:
unknown_key 9:46 = did you mean `timeout`?
    timeout: → time_out:
unknown_key 14:5 = did you mean `to`?
        to: waste →     two: waste
duplicate_key 3:1 = keep one of them
    slug: north → slug: x⏎slug: north
unknown_connector 7:16 = did you mean `depot`?
    connector: depot → connector: depto
unknown_destination 14:9 = did you mean `waste`?
    to: waste → to: wast
unknown_service 13:14 = did you mean `missed-bin`?
    service: missed-bin → service: mised-bin
missing_mapping 15:14 = did you mean `depot/missed-bin`?
    mapping: depot/missed-bin → mapping: depot/mised-bin
unfilled_need 13:5 = add `with: {service_ids: …}`
    service_ids: → service_id:
wrong_enum 17:54 = did you mean `food`?
    food: 85 → fod: 85
plain_secret 8:48 = keep it outside
    "env:WASTE_PASSWORD" → hunter2
unresolvable_secret 8:49 = set WASTE_PASWORD where the hub runs
    env:WASTE_PASSWORD → env:WASTE_PASWORD
unknown_key 8:16 = did you mean `url`?
    url: "env:WASTE_URL" → urll: x
missing_key 8:5 = add `url:`
    url: "env:WASTE_URL",  → ∅
bad_setting 8:34 = mend the setting
    url: "env:WASTE_URL" → url: x, pause_ms: soon
bad_limits 9:55 = write it as `60s` or `5m`
    timeout: 60s → timeout: 60
bad_limits 9:27 = mend the number
    concurrency: 4 → concurrency: 0
bad_window 10:25 = write, say, `closed: "Sun 02:00-05:00"`
    Sun 02:00-05:00 → Sun 02:00 to 05:00
bad_window 10:25 = write, say, `closed: "Sun 02:00-05:00"`
    Sun 02:00-05:00 → Snu 02:00-05:00
bad_window 10:14 = leave some time to deliver
    Sun 02:00-05:00 → daily 00:00-24:00
wrong_enum 11:22 = did you mean `unsafe`?
    create: unsafe → create: unsave
unknown_key 11:14 = did you mean `create`?
    create: unsafe → crate: unsafe
no_such_look 11:22 = an unclear one waits for a person
    create: unsafe → create: {safety: listing, note: agreed}
bad_settle 11:13 = write it as `60s` or `5m`
    replay: {create: unsafe} → settle: 2h
bad_settle 11:13 = write it as `60s` or `5m`
    replay: {create: unsafe} → settle: 500ms
wrong_enum 11:14 = leave it out for `on`
    replay: {create: unsafe} → breaker: maybe
raised_safety 11:22 = say why: `create: {safety: idempotent, note: …}`
    create: unsafe → create: idempotent
bad_gss 3:6 = write, say, E07000999
    E07000999 → 07000999
bad_slug 2:7 = write `slug: northborough`, or rename the folder
    slug: northborough → slug: northboro
wrong_enum 4:11 = did you mean `england-and-wales`?
    england-and-wales → england
yaml_syntax 8:13 = mend the YAML here
    waste:⏎ → waste: [⏎
"""
IN_PATTERN = """
unknown_key 6:1 = did you mean `create`?
    create:⏎ → crate:⏎
unknown_key 7:3 = did you mean `operation`?
    operation: → operations:
duplicate_key 10:5 = keep one of them
        ref: →     ref: x⏎    ref:
unknown_path 10:24 = did you mean `uprn`?
    property.uprn → property.urpn
unknown_path 5:28 = did you mean `containers`?
    in details.containers → in details.container
unknown_filter 11:44 = did you mean `lookup`?
    lookup(service_ids) → lokup(service_ids)
unknown_table 11:51 = did you mean `service_ids`?
    lookup(service_ids) → lookup(service_id)
wrong_enum 9:40 = did you mean `spillage`?
    {{ hub.our_reference }} → {{ 'a' if details.reason == 'spilage' else 'b' }}
unknown_operation 7:14 = did you mean `BookJob`?
    operation: BookJob → operation: BookJobs
unknown_connector 2:12 = did you mean `depot`?
    connector: depot → connector: depott
unknown_service 1:10 = did you mean `missed-bin`?
    service: missed-bin → service: missed-bins
unknown_field 12:5 = did you mean `notes`?
        notes: →     note:
unknown_field 14:9 = did you mean `code`?
          - code: →       - kode:
missing_field 8:3 = add `ref:`
        ref: "{{ hub.our_reference }}"⏎ → ∅
wrong_type 9:10 = give it a value of its own type
    "{{ hub.our_reference }}" → 7
wrong_type 9:11 = give it a value of its own type
    {{ hub.our_reference }} → {{ details.assisted | default(false) }}
wrong_type 15:19 = give it a value of its own type
    "{{ container.quantity | default(1) }}" → [1]
constant_index 9:22 = split it with `each:`
    {{ hub.our_reference }} → {{ details.containers[0].waste_type }}
unknown_path 4:67 = name a field with a closed list
    keys: waste_type → keys: waste_kind
unknown_key 4:17 = did you mean `help`?
    {help: → {hlep:
wrong_enum 16:16 = did you mean `resolved`?
    Done: resolved → Done: resolvd
bad_extends 1:10 = there are depot/missed-bin
    service: missed-bin → extends: depot/nothing⏎service: missed-bin
bad_extends 1:10 = remove one `extends`
    service: missed-bin → extends: depot/missed-bin⏎service: missed-bin
syntax 9:11 = mend the expression
    {{ hub.our_reference }} → {{ hub.our_reference
yaml_alias 11:5 = use `extends:`
        uprn: →     uprn: &u 1⏎    service_id: *u⏎    x:
unknown_field 9:5 = text
    operation: BookJob → operation: AddComment
"""


@dataclass(frozen=True, kw_only=True)
class Case:
    code: str
    at: str
    remedy: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.code} {self.at}"

    def is_among(self, findings: list[Finding], file: str) -> None:
        found = [each for each in findings if each.code == self.code]
        assert [(each.file, f"{each.line}:{each.column}") for each in found[:1]] == [(file, self.at)], findings
        assert self.remedy in found[0].remedy
        assert found[0].severity is Severity.ERROR


def cases(text: str) -> Iterator[Case]:
    lines = text.strip().splitlines()
    for head, change in zip(lines[::2], lines[1::2], strict=True):
        (code, at), remedy = head.partition(" = ")[0].split(), head.partition(" = ")[2]
        old, new = (part.replace("⏎", "\n").replace("∅", "") for part in change.removeprefix("    ").split(" → "))
        yield Case(code=code, at=at, remedy=remedy, old=old, new=new)


@pytest.mark.parametrize("case", list(cases(IN_COUNCIL)), ids=str)
def test_a_fault_of_council_yaml_is_found(case: Case) -> None:
    case.is_among(council_with(case.old, case.new), COUNCIL_FILE)


@pytest.mark.parametrize("case", list(cases(IN_PATTERN)), ids=str)
def test_a_fault_of_a_mapping_is_found(case: Case) -> None:
    case.is_among(pattern_with(case.old, case.new), PATTERN_FILE)


def test_a_tree_with_an_error_gives_no_councils() -> None:
    made = loaded(files(council=COUNCIL.replace("to: waste", "to: wast")))
    assert made.councils is None
    assert made.draft.slugs == ("northborough",)


def test_an_enum_value_without_an_entry_is_a_warning() -> None:
    finding = only(loaded().findings, "missing_entry")
    assert (finding.severity, finding.line) == (Severity.WARNING, 17)
    assert "recycling, paper_card, glass" in finding.message


def test_a_secret_is_never_quoted() -> None:
    findings = council_with('"env:WASTE_PASSWORD"', "hunter2")
    assert "hunter2" not in repr(findings)


def test_a_secret_typed_as_one_may_have_any_name() -> None:
    assert only(council_with('"env:WASTE_PASSWORD"', "{a: hunter2}"), "bad_setting").line == 8


def test_two_routes_with_one_name_are_found() -> None:
    finding = only(council_with(ROUTE, ROUTE + ROUTE), "duplicate_route")
    assert finding.line == 18
    assert "the first on line 13" in finding.message


def test_two_routes_of_one_service_may_have_names() -> None:
    named = ROUTE.replace("to: waste", "to: waste\n    name: second")
    council = loaded(files(council=COUNCIL.replace(ROUTE, ROUTE + named))).draft.find("northborough")
    assert council.route("second").line == 18


def test_a_loop_of_extends_is_found() -> None:
    tree = {
        **FILES,
        "patterns/depot/a.yaml": "extends: depot/b\n",
        "patterns/depot/b.yaml": "extends: depot/a\n",
    }
    finding = only(loaded(tree).findings, "bad_extends")
    assert "patterns/depot/a.yaml → patterns/depot/b.yaml → patterns/depot/a.yaml" in finding.message


@pytest.mark.parametrize("name", ["northborough/script.py", "northborough/missed-bin.yml", "patterns/x.json", "a.txt"])
def test_a_file_that_is_neither_yaml_nor_csv_is_found(name: str) -> None:
    assert only(loaded({**FILES, name: ""}).findings, "not_yaml_or_csv").file == name


def test_a_file_of_no_council_is_found() -> None:
    assert only(loaded({**FILES, "extra.yaml": "a: 1"}).findings, "stray_file").file == "extra.yaml"


def test_a_folder_without_a_council_is_found() -> None:
    findings = loaded({**FILES, "elsewhere/missed-bin.yaml": PATTERN}).findings
    assert only(findings, "missing_file").file == "elsewhere/council.yaml"


def test_two_councils_with_one_gss_code_are_found() -> None:
    second = COUNCIL.replace("slug: northborough", "slug: southborough")
    finding = only(loaded({**FILES, "southborough/council.yaml": second}).findings, "duplicate_council")
    assert (finding.file, finding.line) == ("southborough/council.yaml", 3)


def test_a_mapping_of_another_service_does_not_fit() -> None:
    findings = council_with("service: missed-bin", "service: complaint")
    assert only(findings, "wrong_service").line == 15


def test_what_nothing_uses_is_found() -> None:
    finding = only(council_with("      service_ids:", "      servise_ids: 1\n      service_ids:"), "unknown_need")
    assert finding.remedy == "did you mean `service_ids`?"


def test_a_verb_that_the_connector_cannot_is_found() -> None:
    cancel = "cancel:\n  operation: AddComment\n  record: {text: '{{ update.text }}'}\n"
    finding = only(pattern_with("status:", f"{cancel}status:"), "unknown_block")
    assert "cannot `cancel`" in finding.message


def test_a_follow_up_sees_the_update() -> None:
    update = "update:\n  operation: AddComment\n  record: {text: '{{ update.text }}'}\n"
    assert loaded(files(pattern=PATTERN.replace("status:", f"{update}status:"))).councils is not None


def test_a_pattern_that_no_route_uses_is_checked_too() -> None:
    other = PATTERN.replace("property.uprn", "property.urpn")
    findings = loaded({**FILES, "patterns/depot/other.yaml": other}).findings
    assert only(findings, "unknown_path").file == "patterns/depot/other.yaml"


def test_a_mapping_beside_the_council_extends_a_pattern() -> None:
    mine = "extends: depot/missed-bin\ncreate:\n  record:\n    notes: omit\n    urgent: true\n"
    council = COUNCIL.replace("mapping: depot/missed-bin", "mapping: mine.yaml")
    tree = files(council=council, mine=mine)
    tree["northborough/cases/missed-bin/food.yaml"] += "  urgent: true\n"
    made = loaded(tree)
    assert made.councils is not None, made.findings
    route = made.councils.find("northborough").routes[0]
    assert route.mapping_file == "northborough/mine.yaml"


def test_a_fault_in_what_is_inherited_is_found_where_it_stands() -> None:
    mine = "extends: depot/missed-bin\ncreate:\n  record:\n    nots: x\n"
    council = COUNCIL.replace("mapping: depot/missed-bin", "mapping: mine.yaml")
    pattern = PATTERN.replace("property.uprn", "property.urpn")
    findings = loaded(files(council=council, pattern=pattern, mine=mine)).findings
    assert {(each.file, each.line) for each in findings if each.code == "unknown_path"} == {(PATTERN_FILE, 10)}
    assert (only(findings, "unknown_field").file, only(findings, "unknown_field").line) == ("northborough/mine.yaml", 4)


def test_an_example_that_the_record_refuses_is_an_error() -> None:
    long = "'" + "x" * 201 + "' ~ details.reason"
    finding = only(pattern_with("description | default(omit) | shorten(200)", long), "example")
    assert finding.severity is Severity.ERROR
    assert "notes: String should have at most 200 characters" in finding.message


def test_a_field_that_only_some_examples_have_is_a_warning() -> None:
    finding = only(pattern_with("property.uprn | default(omit)", "property.uprn"), "example")
    assert (finding.severity, finding.line) == (Severity.WARNING, 10)


def test_optional_fields_without_a_default_are_warned_of_unless_the_route_tests_them() -> None:
    pattern = PATTERN.replace("property.uprn | default(omit)", "contact.email")
    warned = loaded(files(pattern=pattern)).findings
    tested = COUNCIL.replace("    to: waste", '    to: waste\n    when: "{{ contact.email is defined }}"')
    assert only(warned, "may_be_absent").line == 10
    assert "may_be_absent" not in {each.code for each in loaded(files(council=tested, pattern=pattern)).findings}


def test_a_when_is_held_against_the_contract() -> None:
    findings = council_with("    to: waste", '    to: waste\n    when: "{{ contact.emial is defined }}"')
    assert (only(findings, "unknown_path").line, only(findings, "unknown_path").column) == (15, 23)


def test_findings_come_in_the_order_of_the_files() -> None:
    findings = loaded(files(council=COUNCIL.replace("gss: E", "gss: X").replace("to: waste", "to: wast"))).findings
    assert [each.line for each in findings if each.file == COUNCIL_FILE] == [3, 14]


def test_a_finding_is_plain_data() -> None:
    assert set(only(council_with("E07000999", "1"), "bad_gss").as_dict()) == {
        "file", "line", "column", "code", "message", "remedy", "severity",
    }  # fmt: skip


def test_a_council_whose_secrets_nobody_resolves_is_checked_without_them() -> None:
    made = load(FILES, registry=registry(), secrets=None)
    assert made.councils is not None
