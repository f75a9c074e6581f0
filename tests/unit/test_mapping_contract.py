"""Every path of a mapping is held against the contract when the file is loaded."""

from __future__ import annotations

import pytest

from hub.core.findings import Finding
from hub.core.paths import Shape
from tests.folders import compiled

EACH = "each: container in details.containers\n"


def findings(expression: str, *, head: str = EACH) -> tuple[Finding, ...]:
    quoted = f'x: "{expression}"' if '"' not in expression else f"x: '{expression}'"
    return compiled(quoted, head=head, service="missed-bin", names=("codes",)).findings


@pytest.mark.parametrize(
    "expression",
    [
        "{{ property.uprn }}",
        "{{ property.address.lines | join_lines }}",
        "{{ contact.phone_e164 | default(omit) }}",
        "{{ hub.front_end_reference | default(hub.reference) }}",
        "{{ container.waste_type | lookup(codes) }}",
        "{{ container.waste_type_other | default('-') }}",
        "{{ extra.anything | default('') }}",
        "{{ extra['Any question?'] | default([]) | join_lines(', ') }}",
        "{{ details.reason == 'not_collected' }}",
        "{{ details.reason in ['spillage', 'other'] }}",
        "{{ details.assisted | default(false) | yes_no }}",
        "{{ details.assisted == true }}",
        "{{ (location | easting) ~ ',' ~ (location | northing) }}",
        "{{ contact | first_name | default('') }}",
        "{{ 'sms' == contact.preferred }}",
        "{{ attachments | default([]) | join_lines if false else '' }}",
        "{{ channel | default('web') == 'desk' }}",
        "{{ container.quantity | default(1) + 1 }}",
        "{{ codes.food }}",
    ],
)
def test_what_the_contract_has_is_let_in(expression: str) -> None:
    assert [each.code for each in findings(expression)] in ([], ["wrong_enum"] if "desk" in expression else [])


@pytest.mark.parametrize(
    ("expression", "column", "remedy"),
    [
        ("{{ property.urpn }}", 21, "did you mean `uprn`?"),
        ("{{ propety.uprn }}", 12, "did you mean `property`?"),
        ("{{ contact.emial | default(omit) }}", 20, "did you mean `email`?"),
        ("{{ hub.our_referense }}", 16, "did you mean `our_reference`?"),
        ("{{ container.waste_typ }}", 22, "did you mean `waste_type`?"),
        ("Bin {{ container.kind }}", 26, "use one of: container_code, quantity, waste_type, waste_type_other"),
        ("{{ property.uprn.digits }}", 26, "use `property.uprn`"),
        ("{{ property.address.lines.first }}", 35, "go through it with `for:` or `each:`"),
        ("{{ details.containers.waste_type }}", 31, "go through it with `for:` or `each:`"),
        ("{{ details['colection_date'] | date }}", 21, "did you mean `collection_date`?"),
        ("{{ 'a' if contakt.email is defined else 'b' }}", 19, "did you mean `contact`?"),
    ],
)
def test_a_misspelt_path_is_found_with_its_column_and_the_nearest_field(
    expression: str, column: int, remedy: str
) -> None:
    finding = findings(expression)[0]
    assert (finding.code, finding.file, finding.line) == ("unknown_path", "test.yaml", 7)
    assert finding.column == column
    assert finding.remedy == remedy


@pytest.mark.parametrize(
    ("expression", "remedy"),
    [
        ("{{ details.reason == 'nto_collected' }}", "did you mean `not_collected`?"),
        ("{{ 'foood' == container.waste_type }}", "did you mean `food`?"),
        ("{{ container.waste_type != 'garden_waste' }}", "did you mean `garden`?"),
        ("{{ container.waste_type in ['food', 'refus'] }}", "did you mean `refuse`?"),
        ("{{ container.waste_type not in ['glas'] }}", "did you mean `glass`?"),
        ("{{ container.waste_type is in(['glas']) }}", "did you mean `glass`?"),
        ("{{ 1 if contact.preferred | default('none') == 'fax' else 2 }}", "use one of: email, none, phone, post, sms"),
    ],
)
def test_a_value_that_the_contract_does_not_list_is_found(expression: str, remedy: str) -> None:
    finding = findings(expression)[0]
    assert (finding.code, finding.remedy) == ("wrong_enum", remedy)


@pytest.mark.parametrize(
    "expression",
    [
        "{{ details.assisted == 'yes' }}",
        "{{ container.quantity == 'two' }}",
        "It is {{ details.assisted }}",
        "{{ 'Lines: ' ~ property.address.lines }}",
        "{{ details.containers | date }}",
        "{{ property.uprn | join_lines }}",
        "{{ property.uprn | yes_no }}",
        "{{ property | lookup(codes) }}",
        "{{ property.address + 1 }}",
    ],
)
def test_a_value_of_an_impossible_type_is_found(expression: str) -> None:
    assert findings(expression)[0].code == "wrong_type"


@pytest.mark.parametrize("expression", ["{{ details.containers[0].waste_type }}", "{{ property.address.lines[1] }}"])
def test_one_element_of_a_list_that_may_hold_more_is_found(expression: str) -> None:
    finding = findings(expression)[0]
    assert finding.code == "constant_index"
    assert "the others are lost" in finding.message


def test_a_list_of_which_every_position_is_read_loses_nothing() -> None:
    record = "\n".join(f"l{n}: \"{{{{ property.address.lines[{n}] | default('') }}}}\"" for n in range(4))
    assert compiled(record, service="missed-bin").findings == ()


def test_a_loop_must_go_through_a_list_of_the_contract() -> None:
    for over, code in (("details.reason", "wrong_type"), ("details.bins", "unknown_path")):
        made = compiled(f"a:\n  for: b in {over}\n  emit: 1", service="missed-bin")
        assert made.findings[0].code == code
        assert made.findings[0].line == 7


def test_each_must_go_through_a_list_of_the_contract() -> None:
    finding = compiled("a: 1", head="each: c in details.container\n", service="missed-bin").findings[0]
    assert (finding.code, finding.line, finding.column) == ("unknown_path", 3, 20)


def test_the_name_of_a_loop_is_known_only_in_the_loop() -> None:
    record = "a:\n  for: c in details.containers\n  emit: '{{ c.waste_type }}'\nb: '{{ c.waste_type }}'"
    assert [each.code for each in compiled(record, service="missed-bin").findings] == ["unknown_path"]


def test_a_table_must_be_declared_before_codes_are_looked_up_in_it() -> None:
    finding = findings("{{ container.waste_type | lookup(kodes) }}")[0]
    assert (finding.code, finding.remedy) == ("unknown_table", "did you mean `codes`?")


def test_a_need_cannot_hide_a_field_of_the_submission() -> None:
    made = compiled("a: 1", head="needs: {details: {help: x}}\n", service="missed-bin")
    assert made.findings[0].code == "name_taken"


def test_a_when_that_can_never_be_true_or_false_is_found() -> None:
    record = "a:\n  for: c in details.containers\n  when: '{{ c.waste_type }}'\n  emit: 1"
    assert compiled(record, service="missed-bin").findings[0].code == "wrong_type"


def test_optional_fields_that_nothing_defaults_are_remembered() -> None:
    record = "\n".join(
        (
            "a: '{{ description }}'",
            "b: '{{ contact.email }}'",
            "c: '{{ contact.phone | default(omit) }}'",
            "d: '{{ description | required }}'",
            "e: \"{{ description if description is defined else '' }}\"",
            "f: '{{ hub.our_reference }}'",
            "g: '{{ details.reason }}'",
        )
    )
    made = compiled(record, service="missed-bin").mapping
    assert made is not None
    assert [(place.line, path) for place, path in made.optional] == [
        (6, ("description",)),
        (7, ("contact", "contact.email")),
    ]


def test_a_block_scalar_keeps_its_line_and_column() -> None:
    finding = compiled("a: |\n  {{ property.uprn\n     ~ contact.emial }}", service="missed-bin").findings[0]
    assert (finding.line, finding.column) == (8, 20)


def test_a_schema_is_walked_through_references_and_alternatives() -> None:
    schema = {
        "$defs": {"Kind": {"type": "object", "properties": {"code": {"enum": ["a", "b"]}}, "required": ["code"]}},
        "type": "object",
        "properties": {
            "kind": {"anyOf": [{"$ref": "#/$defs/Kind"}, {"type": "null"}]},
            "open": {"type": "object"},
            "either": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
        },
        "allOf": [{"if": {}, "then": {"properties": {"late": {"const": 1}}}}],
    }
    shape = Shape.of(schema)
    kind = shape.key("kind")
    assert kind is not None
    code = kind.key("code")
    assert code is not None
    assert code.enum == ("a", "b")
    assert kind.always("code")
    assert not shape.always("kind")
    assert shape.key("late") is not None
    assert shape.key("nowhere") is None
    either, free = shape.key("either"), shape.key("open")
    assert either is not None and either.types == {"string", "integer"}
    assert free is not None and free.is_open


def test_a_schema_that_refers_to_itself_ends() -> None:
    schema = {"$defs": {"N": {"type": "object", "properties": {"n": {"$ref": "#/$defs/N"}}}}, "$ref": "#/$defs/N"}
    assert list(Shape.of(schema).find_all("code")) == []
