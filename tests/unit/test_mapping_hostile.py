"""Mappings and residents that mean harm: refused at load, or stopped at a cap."""

from __future__ import annotations

import time
from typing import Any

import pytest

from hub.core.mapping import MAX_INPUT
from hub.core.sandbox import MAX_STEPS, MAX_TEXT
from hub.errors import MappingFault
from tests.folders import compiled, mapping, run, value


def refusal(expression: str, *, service: str | None = None) -> str:
    """The code of the first finding about an expression."""
    made = compiled(f"x: |\n  {expression}", service=service)
    assert made.findings, f"{expression} was let in"
    return made.findings[0].code


@pytest.mark.parametrize(
    "expression",
    [
        "{{ ''.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ x.__class__.__mro__ }}",
        "{{ x['_private'] }}",
        "{{ _run }}",
        "{{ _run.text }}",
        "{{ x | _leaf }}",
        "{{ x | _each(0, _run) }}",
        "{{ self }}",
        "{{ self._TemplateReference__context }}",
        "{{ super }}",
        "{{ loop }}",
        "{{ caller }}",
        "{{ varargs }}",
        "{{ x.items() }}",
        "{{ 'a'.format(1) }}",
        "{{ 'x'.join(y) }}",
        "{{ range(10) }}",
        "{{ range(range(10**9)) }}",
        "{{ lipsum() }}",
        "{{ cycler('a') }}",
        "{{ dict(a=1) }}",
        "{{ namespace() }}",
        "{{ x[y] }}",
        "{{ x[1:2] }}",
        "{{ x[-1] }}",
        "{{ x, y }}",
        "{{ x | default(*y) }}",
        "{{ x | default(**y) }}",
        "{{ x | string }}",
        "{{ x | attr('y') }}",
        "{{ x | map('upper') }}",
        "{{ x | format(1) }}",
        "{{ x | tojson }}",
        "{{ x | center(1000000000) }}",
        "{{ x is callable }}",
        "{{ x is sameas y }}",
        "{{ x is in(a=1) }}",
        "{{ x is defined(1) }}",
        "{{ 1 if x }}",
        "{{ 9223372036854775808 }}",
        "{{ " + "9" * 5000 + " }}",
        "{{ 1e999 }}",
        "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
        "{{ " + "not " * 2000 + "x }}",
        "{{ " + "-" * 2000 + "1 }}",
        "{{ x" + " ~ x" * 3000 + " }}",
        "{% for a in b %}{{ a }}{% endfor %}",
        "{% set a = 1 %}{{ a }}",
        "{% include 'x' %}",
        "{{ }}",
        "{{ x",
        "{{ x | }}",
        "{{ 'x }}",
    ],
    ids=lambda text: text[:40],
)
def test_what_is_not_part_of_the_language_is_refused_at_load(expression: str) -> None:
    assert refusal(expression) in {
        "not_allowed", "unknown_filter", "unknown_test", "syntax", "wrong_arguments", "too_large",
    }  # fmt: skip


@pytest.mark.parametrize(
    "expression",
    [
        "{{ 'x' * n }}",
        "{{ word * 3 }}",
        "{{ [1] * n }}",
        "{{ '%1000000000d' % n }}",
        "{{ word % n }}",
        "{{ n ** n }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ 10 ** 99999999 }}",
        "{{ n * n * n }}",
        "{{ 1.5e308 * 10 }}",
        "{{ true + 1 }}",
    ],
)
def test_repetition_padding_and_towers_of_powers_are_stopped(expression: str) -> None:
    started = time.perf_counter()
    made = compiled(f"x: |\n  {expression}")
    if not made.findings:
        assert made.mapping is not None
        with pytest.raises(MappingFault):
            made.mapping.run("create", {"n": 10**9, "word": "a"})
    assert time.perf_counter() - started < 2


def test_a_date_pattern_cannot_pad() -> None:
    assert refusal("{{ x | date('%999999999d') }}") == "wrong_arguments"


def test_a_text_larger_than_the_cap_is_never_made() -> None:
    with pytest.raises(MappingFault, match="larger than 1024 KB"):
        value("{{ t ~ t ~ t ~ t ~ t ~ t }}", t="x" * (MAX_INPUT - 100))


def test_texts_made_on_the_way_count_too() -> None:
    expression = "{{ [" + ", ".join(["t | postcode"] * 40) + "] == [] }}"
    with pytest.raises(MappingFault, match="larger than 1024 KB"):
        value(expression, t="x" * (MAX_INPUT - 100))


def test_a_record_larger_than_the_cap_is_never_sent() -> None:
    record = "\n".join(f"f{n}: '{{{{ t }}}}'" for n in range(MAX_TEXT // MAX_INPUT + 2))
    with pytest.raises(MappingFault, match="the record is larger than 1024 KB"):
        run(record, t="x" * (MAX_INPUT - 200))


def test_lists_and_maps_count_as_they_are_copied() -> None:
    record = "\n".join(f"f{n}: '{{{{ t }}}}'" for n in range(12))
    with pytest.raises(MappingFault, match="larger than"):
        run(record, t=[["x" * 1000] * 100])


def test_nested_loops_end() -> None:
    record = "a:\n  for: i in n\n  emit:\n    for: j in n\n    emit:\n      for: k in n\n      emit: x"
    with pytest.raises(MappingFault, match=f"more than {MAX_STEPS} elements"):
        run(record, n=list(range(100)))


def test_a_submission_over_the_cap_is_not_read() -> None:
    with pytest.raises(MappingFault, match="more than 256 KB"):
        run("a: 1", description="x" * (MAX_INPUT + 1))


def test_a_value_that_is_nested_without_end_is_stopped() -> None:
    deep: Any = []
    for _ in range(200):
        deep = [deep]
    with pytest.raises(MappingFault, match="nested deeper"):
        value("{{ deep }}", deep=deep)


def test_a_split_into_too_many_is_a_fault() -> None:
    split = mapping("a: 1", head="each: c in rows\n")
    with pytest.raises(MappingFault, match="more than 200 deliveries"):
        split.split({"rows": [1] * 201})


def test_a_loop_cannot_take_a_name_that_means_something() -> None:
    for name in ("omit", "self", "_run", "__x", "1a"):
        made = compiled(f"a:\n  for: {name} in rows\n  emit: 1")
        assert made.findings[0].code in {"name_taken", "syntax"}


def test_a_loop_cannot_hide_a_field_of_the_submission() -> None:
    made = compiled("a:\n  for: contact in attachments\n  emit: 1", service="missed-bin")
    assert made.findings[0].code == "name_taken"


def test_a_record_as_deep_as_a_well_is_refused_or_made() -> None:
    record = "a: " + "{b: " * 150 + "1" + "}" * 150
    made = compiled(record)
    assert made.mapping is not None
    if "create" in made.mapping.blocks:
        assert "a" in made.mapping.run("create", {})
