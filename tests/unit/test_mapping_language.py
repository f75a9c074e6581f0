"""What a mapping says and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from hub.errors import MappingFault
from tests.folders import mapping, run, table, value


@pytest.mark.parametrize("plain", ["text", 7, 1.5, True, False, None, ["a", 1], {"k": "v"}, "", 0], ids=repr)
def test_a_leaf_that_is_one_expression_keeps_its_type(plain: Any) -> None:
    assert value("{{ field }}", field=plain) == plain
    assert type(value("{{ field }}", field=plain)) is type(plain)


@pytest.mark.parametrize("typed", ["[1]", "007", "{{ 7*7 }}", "{% raw %}", "None", "True", "1e3", "{'a': 1}", "<b>&"])
def test_what_a_resident_types_stays_that_text(typed: str) -> None:
    assert value("{{ field }}", field=typed) == typed
    assert value("[{{ field }}]", field=typed) == f"[{typed}]"


def test_text_around_an_expression_makes_a_text() -> None:
    assert value("Bin {{ n }} of {{ m }}", n=1, m=2.0) == "Bin 1 of 2"


def test_white_space_around_a_single_expression_does_not_make_a_text_of_it() -> None:
    assert run("x: |\n  {{ n }}\n", n=5) == {"x": 5}


def test_literals_keep_the_type_that_yaml_gives_them() -> None:
    assert run("a: 7\nb: yes\nc: true\nd: 1.5\ne: ''\nf: null\ng: []\nh: {}") == {
        "a": 7, "b": "yes", "c": True, "d": 1.5, "e": "", "f": None, "g": [], "h": {},
    }  # fmt: skip


def test_an_absent_field_can_be_defaulted() -> None:
    assert value("{{ contact.email | default('none') }}") == "none"


def test_an_absent_field_passes_filters_until_it_is_defaulted() -> None:
    assert value("{{ contact.note | shorten(3) | default('none') }}", contact={}) == "none"


def test_an_absent_field_can_be_tested() -> None:
    assert value("{{ 'yes' if contact.email is defined else 'no' }}", contact={}) == "no"


def test_a_leaf_that_is_omitted_is_not_in_the_record() -> None:
    assert run("a: '{{ x | default(omit) }}'\nb: 1") == {"b": 1}


def test_one_omitted_part_omits_the_whole_text() -> None:
    assert run("a: 'Phone: {{ x | default(omit) }}'\nb: \"{{ 'n ' ~ (x | default(omit)) }}\"\nc: 1") == {"c": 1}


def test_a_map_of_which_everything_was_omitted_is_omitted_itself() -> None:
    assert run("a: {b: '{{ x | default(omit) }}', c: {d: '{{ x | default(omit) }}'}}\ne: {}") == {"e": {}}


def test_omitted_elements_leave_a_list() -> None:
    assert run("a: ['{{ x | default(omit) }}', 1]\nb: ['{{ x | default(omit) }}']") == {"a": [1], "b": []}
    assert value("{{ [x | default(omit), 2] }}") == [2]


def test_a_record_of_which_everything_was_omitted_is_empty() -> None:
    assert run("a: '{{ x | default(omit) }}'") == {}


def test_a_loop_makes_a_list_from_a_list() -> None:
    record = "items:\n  for: c in details.containers\n  emit: {kind: '{{ c.kind }}', home: '{{ home }}'}"
    made = run(record, details={"containers": [{"kind": "food"}, {"kind": "glass"}]}, home="1")
    assert made == {"items": [{"kind": "food", "home": "1"}, {"kind": "glass", "home": "1"}]}


def test_a_loop_leaves_out_what_its_when_does_not_hold_for() -> None:
    record = "items:\n  for: n in numbers\n  when: '{{ n > 1 }}'\n  emit: '{{ n * 2 }}'"
    assert run(record, numbers=[1, 2, 3]) == {"items": [4, 6]}


def test_a_loop_in_a_loop_sees_both_elements() -> None:
    record = "all:\n  for: a in rows\n  emit:\n    for: b in a.cells\n    emit: '{{ a.name ~ b }}'"
    rows = [{"name": "x", "cells": [1, 2]}, {"name": "y", "cells": []}]
    assert run(record, rows=rows) == {"all": [["x1", "x2"], []]}


def test_an_omitted_element_of_a_loop_is_left_out() -> None:
    record = "all:\n  for: a in rows\n  emit: '{{ a.n | default(omit) }}'"
    assert run(record, rows=[{"n": 1}, {}]) == {"all": [1]}


def test_a_loop_over_an_absent_list_can_be_defaulted() -> None:
    assert run("all:\n  for: a in rows | default([])\n  emit: '{{ a }}'") == {"all": []}


def test_each_splits_and_every_element_makes_its_own_record() -> None:
    split = mapping("kind: '{{ c.kind }}'", head="each: c in details.containers\n")
    context = {"details": {"containers": [{"kind": "food"}, {"kind": "glass"}]}}
    made = [split.run("create", context, item=item) for item in split.split(context)]
    assert split.has_each
    assert made == [{"kind": "food"}, {"kind": "glass"}]


def test_without_each_there_is_one_element_of_nothing() -> None:
    assert mapping("a: 1").split({}) == [None]


@pytest.mark.parametrize("name", ["items", "keys", "get", "update", "values", "pop", "copy", "count", "index"])
def test_a_field_named_like_a_method_is_that_field(name: str) -> None:
    assert value(f"{{{{ details.{name} }}}}", details={name: "field"}) == "field"
    assert value(f"{{{{ details.{name} | default('absent') }}}}", details={}) == "absent"
    assert value(f"{{{{ words.{name} | default('absent') }}}}", words="text") == "absent"
    assert value(f"{{{{ rows.{name} | default('absent') }}}}", rows=[1]) == "absent"


def test_a_table_is_reached_by_its_keys() -> None:
    made = run("a: '{{ codes.food }}'\nb: '{{ codes.glass | default(0) }}'", codes=table({"food": 85}))
    assert made == {"a": 85, "b": 0}


def test_fields_with_other_names_are_reached_in_brackets() -> None:
    assert value('{{ extra["How many?"] }}', extra={"How many?": "2"}) == "2"


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("{{ 1 + 2 * 3 }}", 7),
        ("{{ 7 // 2 }}", 3),
        ("{{ 7 % 4 }}", 3),
        ("{{ 2 ** 8 }}", 256),
        ("{{ -n }}", -5),
        ("{{ 'a' + 'b' }}", "ab"),
        ("{{ 'a' ~ 1 ~ 'b' }}", "a1b"),
        ("{{ n == 5 and not n > 6 }}", True),
        ("{{ n in [1, 5] }}", True),
        ("{{ 'bin' in words }}", True),
        ("{{ n is number and words is string }}", True),
        ("{{ 'yes' if n > 3 else 'no' }}", "yes"),
        ("{{ {'a': n} }}", {"a": 5}),
    ],
)
def test_the_language_computes(expression: str, result: Any) -> None:
    assert value(expression, n=5, words="a bin") == result


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("{{ contact.email }}", "`contact.email` is not in this submission"),
        ("{{ contact.email.host }}", "`contact.email` is not in this submission"),
        ("{{ [contact.email] }}", "`contact.email` is not in this submission"),
        ("{{ {'a': contact.email} }}", "`contact.email` is not in this submission"),
        ("Dear {{ contact.email }}", "`contact.email` is not in this submission"),
        ("{{ 'a' ~ contact.email }}", "`contact.email` is not in this submission"),
        ("{{ contact.email == 'a' }}", "`contact.email` is not in this submission"),
        ("{{ 'a' == contact.email }}", "`contact.email` is not in this submission"),
        ("{{ contact.email in ['a'] }}", "`contact.email` is not in this submission"),
        ("{{ 'a' in contact.email }}", "`contact.email` is not in this submission"),
        ("{{ contact.email + 'a' }}", "`contact.email` is not in this submission"),
        ("{{ 1 if contact.email else 2 }}", "`contact.email` is not in this submission"),
        ("{{ contact.email is none }}", "`contact.email` is not in this submission"),
        ("{{ contact.email and true }}", "`contact.email` is not in this submission"),
        ("{{ rows[4] }}", "`rows[4]` is not in this submission"),
        ("{{ nowhere }}", "`nowhere` is not in this submission"),
        ("{{ flag ~ '' }}", "a true/false value inside a text"),
        ("It is {{ flag }}", "a true/false value inside a text"),
        ("{{ rows ~ '' }}", "a list inside a text"),
        ("{{ contact ~ '' }}", "a map, a table or an empty value"),
        ("{{ 1 + contact.phone }}", "works on two numbers"),
        ("{{ 'a' < 1 }}", "values of different kinds"),
        ("{{ 1 / zero }}", "division by zero"),
        ("{{ codes }}", "a table cannot be a value"),
        ("{{ omit == 1 }}", "`omit` cannot be compared"),
        ("{{ 1 if omit else 2 }}", "`omit` cannot be compared"),
    ],
)
def test_what_would_make_a_wrong_value_is_a_fault(expression: str, says: str) -> None:
    context = {"contact": {"phone": "1"}, "rows": [1], "flag": True, "zero": 0, "codes": table({})}
    with pytest.raises(MappingFault, match=r"test\.yaml:6 x: ") as raised:
        value(expression, **context)
    assert says in str(raised.value)


def test_a_fault_names_file_line_leaf_and_the_nearest_field_that_is_there() -> None:
    record = "a: 1\nperson:\n  mail:\n    - '{{ contact.emial }}'"
    with pytest.raises(MappingFault) as raised:
        run(record, contact={"email": "alex@example.org", "phone": "1"})
    assert raised.value.where == "test.yaml:9 person.mail[0]"
    assert "`contact.emial`" in raised.value.problem
    assert "`contact.email`" in raised.value.problem


def test_a_fault_in_a_loop_names_the_element() -> None:
    record = "items:\n  for: c in rows\n  emit: {a: '{{ c.n }}'}"
    with pytest.raises(MappingFault, match=r"items\[1\]\.a: `c\.n`"):
        run(record, rows=[{"n": 1}, {}])


def test_a_fault_never_quotes_a_value() -> None:
    for expression in ("{{ name + 1 }}", "{{ name | date }}", "{{ name < 1 }}", "{{ name | lookup(codes) }}"):
        with pytest.raises(MappingFault) as raised:
            value(expression, name="Siobhan-Marker", codes=table({}))
        assert "Marker" not in str(raised.value)


def test_front_ends_own_words_are_never_suggested() -> None:
    with pytest.raises(MappingFault) as raised:
        value("{{ extra.nam }}", extra={"name": 1})
    assert "`extra.name`" not in str(raised.value)


def test_a_block_that_is_not_there_is_a_fault() -> None:
    with pytest.raises(MappingFault, match="has no `update` block"):
        mapping("a: 1").run("update", {})


def test_the_operation_of_a_block_is_known() -> None:
    assert mapping("a: 1").operation("create") == "BookJob"
