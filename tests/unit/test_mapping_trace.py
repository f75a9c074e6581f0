"""A trace says where each value came from, and holds none of them."""

from __future__ import annotations

from typing import Any

from hub.core.tables import OnMissing
from hub.core.trace import Traced, TraceLine
from tests.folders import mapping, table

RECORD = """
name: "{{ contact.full_name }}"
kind: "{{ c.kind | lookup(codes) }}"
note: "{{ note | default(omit) }}"
size: "{{ c.size | default('any') }}"
text: "Bin {{ c.kind }} for {{ contact.full_name }}"
fixed: 7
parts:
  for: p in c.parts
  emit: {id: "{{ p.id }}"}
"""
CONTEXT: dict[str, Any] = {
    "contact": {"full_name": "Marker Person"},
    "rows": [{"kind": "glass", "parts": []}, {"kind": "food", "parts": [{"id": "Marker-1"}, {"id": "Marker-2"}]}],
    "codes": table({"glass": 1, "food": 2}),
}


def traced(**changes: Any) -> Traced:
    context = {**CONTEXT, **changes}
    made = mapping(RECORD, head="each: c in rows\n", names=("codes",))
    return made.trace("create", context, item=made.split(context)[1])


def line(leaf: str, trace: Traced) -> TraceLine:
    return next(each for each in trace.lines if each.leaf == leaf)


def test_a_trace_makes_the_record_that_a_run_makes() -> None:
    made = mapping(RECORD, head="each: c in rows\n", names=("codes",))
    assert traced().record == made.run("create", CONTEXT, item=CONTEXT["rows"][1])


def test_every_leaf_has_its_file_line_and_rule() -> None:
    name = line("name", traced())
    assert (name.file, name.line, name.rule) == ("test.yaml", 7, "{{ contact.full_name }}")
    assert name.sources == ("contact.full_name",)


def test_an_element_of_a_split_or_loop_is_named_by_its_real_path() -> None:
    trace = traced()
    assert line("size", trace).sources == ("rows[1].size",)
    assert line("parts[1].id", trace).sources == ("rows[1].parts[1].id",)


def test_a_lookup_names_its_table_and_the_line_of_its_row() -> None:
    kind = line("kind", traced())
    assert (kind.table, kind.row, kind.sources) == ("codes", 3, ("rows[1].kind",))
    assert not kind.default_used


def test_a_tables_default_has_no_row() -> None:
    kind = line("kind", traced(codes=table({}, on_missing=OnMissing.DEFAULT, default=9)))
    assert (kind.table, kind.row, kind.default_used) == ("codes", None, True)


def test_defaults_and_omissions_are_told() -> None:
    trace = traced()
    assert line("size", trace).default_used
    assert line("note", trace).omitted
    assert not line("name", trace).default_used


def test_a_text_names_every_source() -> None:
    assert line("text", traced()).sources == ("rows[1].kind", "contact.full_name")


def test_a_literal_has_no_source() -> None:
    fixed = line("fixed", traced())
    assert (fixed.rule, fixed.sources) == ("7", ())


def test_no_value_of_the_submission_stands_in_a_trace() -> None:
    assert "Marker" not in repr([each.as_dict() for each in traced().lines])


def test_where_a_leaf_fails_the_trace_holds_the_fault_and_the_leaves_before_it() -> None:
    trace = traced(codes=table({}))
    assert trace.record is None
    assert trace.fault is not None and trace.fault.code == "no_entry"
    assert [each.leaf for each in trace.lines] == ["name"]
