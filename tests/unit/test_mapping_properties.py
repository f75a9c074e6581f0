"""Whatever the submission: the compiled whole, the leaves one by one and plain data agree."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.mapping import CompiledMapping
from hub.errors import MappingFault
from tests.folders import mapping, table, value

RECORD = """
name: "{{ contact.full_name | default(omit) }}"
first: "{{ contact | first_name | default('') }}"
mail: "Mail: {{ contact.email | default(omit) }}"
long: "{{ description | default('') | shorten(20) }}"
both: "{{ contact.full_name ~ ' ' ~ description }}"
group: {phone: "{{ contact.phone | default(omit) | phone }}", post: "{{ post | default(omit) | postcode }}"}
urgent: "{{ rows | default([]) != [] and flag | default(false) }}"
kinds:
  for: row in rows | default([])
  when: "{{ row.keep | default(true) }}"
  emit: {kind: "{{ row.kind | default('x') | lookup(codes) }}", n: "{{ row.n + 1 }}", all: ["{{ row.n }}", 1]}
raw: "{{ rows | default([]) }}"
"""
MAPPING: CompiledMapping = mapping(RECORD, names=("codes",))
TEXT = st.text(max_size=30)
ROW = st.fixed_dictionaries(
    {}, optional={"kind": st.sampled_from(["x", "y", "z"]), "n": st.integers(-9, 9) | TEXT, "keep": st.booleans()}
)
CONTEXT = st.fixed_dictionaries(
    {},
    optional={
        "contact": st.fixed_dictionaries({}, optional={"full_name": TEXT, "email": TEXT, "phone": TEXT}),
        "description": TEXT,
        "post": TEXT,
        "flag": st.booleans() | TEXT,
        "rows": st.lists(ROW, max_size=4),
    },
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(TEXT, below, max_size=4),
    max_leaves=12,
)


def whole(context: dict[str, Any]) -> dict[str, Any] | str:
    try:
        return MAPPING.run("create", context)
    except MappingFault as fault:
        return str(fault)


@settings(max_examples=150, deadline=None)
@given(context=CONTEXT)
def test_the_whole_and_its_leaves_one_by_one_agree(context: dict[str, Any]) -> None:
    context["codes"] = table({"x": 1, "y": 2})
    traced = MAPPING.trace("create", context)
    assert whole(context) == (str(traced.fault) if traced.fault is not None else traced.record)


@settings(max_examples=100, deadline=None)
@given(data=JSON)
def test_plain_data_passes_through_unchanged(data: Any) -> None:
    assert json.dumps(value("{{ data }}", data=data)) == json.dumps(data)


@settings(max_examples=100, deadline=None)
@given(typed=st.text(max_size=60))
def test_no_text_is_ever_read_as_a_rule(typed: str) -> None:
    assert value("{{ v }}", v=typed) == typed
    assert value("<{{ v }}>", v=typed) == f"<{typed}>"


@settings(max_examples=100, deadline=None)
@given(context=CONTEXT)
def test_a_run_changes_nothing_it_was_given(context: dict[str, Any]) -> None:
    before = json.dumps(context)
    whole({**context, "codes": table({"x": 1})})
    assert json.dumps(context) == before
