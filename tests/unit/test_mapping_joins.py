"""A loop with `join`: one text from a list, for products whose fields are flat."""

from __future__ import annotations

from typing import Any

import pytest

from hub.errors import MappingFault
from tests.folders import PATTERN, compiled, mapping, only, pattern_with, run

RECORD = "all:\n  for: i in items\n  emit: \"{{ i.n ~ ' x ' ~ (i.what | default(omit)) }}\"\n  join: ', '"
ITEMS = [{"n": 1, "what": "sofa"}, {"n": 2}, {"n": 3, "what": "bag"}]


def made(record: str, **context: Any) -> Any:
    """What it comes to, and the same leaf by leaf."""
    at_once = run(record, **context)["all"]
    traced = mapping(record).trace("create", context)
    assert traced.record == {"all": at_once}
    return at_once


def test_it_makes_one_text_and_leaves_out_what_was_omitted() -> None:
    assert made(RECORD, items=ITEMS) == "1 x sofa, 3 x bag"


@pytest.mark.parametrize("items", [[], [{"n": 1}]], ids=["no element", "nothing said of one"])
def test_of_nothing_it_makes_an_empty_text(items: Any) -> None:
    assert made(RECORD, items=items) == ""


def test_numbers_read_as_text_and_empty_texts_are_left_out() -> None:
    assert made("all:\n  for: i in items\n  emit: '{{ i }}'\n  join: '/'", items=[1, "", " a ", 2.5]) == "1/a/2.5"


def test_its_when_is_asked_first() -> None:
    record = "all:\n  for: i in items\n  when: '{{ i > 1 }}'\n  emit: '{{ i }}'\n  join: ' '"
    assert made(record, items=[1, 2, 3]) == "2 3"


def test_a_joined_loop_in_a_joined_loop() -> None:
    inner = "    for: b in a.cells\n    emit: '{{ a.name ~ b }}'\n    join: ','"
    record = f"all:\n  for: a in rows\n  join: '; '\n  emit:\n{inner}"
    assert made(record, rows=[{"name": "x", "cells": [1, 2]}, {"name": "y", "cells": [3]}]) == "x1,x2; y3"


def test_an_absent_list_is_a_fault_and_an_omitted_one_is_omitted() -> None:
    with pytest.raises(MappingFault, match="`items` is not in this submission"):
        run(RECORD)
    record = RECORD.replace("i in items", "i in items | default(omit)") + "\nb: 1"
    assert run(record) == {"b": 1}


def test_true_and_false_have_no_words_of_their_own() -> None:
    with pytest.raises(MappingFault, match="yes_no"):
        run("all:\n  for: i in items\n  emit: '{{ i }}'\n  join: ' '", items=[True])


def test_what_it_makes_is_counted() -> None:
    with pytest.raises(MappingFault) as refused:
        run("all:\n  for: i in items\n  emit: '{{ i }}'\n  join: ' '", items=["x" * 200_000] * 6)
    assert refused.value.code == "too_large"


@pytest.mark.parametrize(
    ("record", "line"),
    [
        ("all:\n  for: i in items\n  emit: '{{ i }}'\n  join: 5", 9),
        ("all:\n  for: i in items\n  emit: '{{ i }}'\n  join: '{{ i }}'", 9),
        ("all:\n  for: i in items\n  emit: {a: '{{ i }}'}\n  join: ' '", 8),
        ("all:\n  for: i in items\n  emit: ['{{ i }}']\n  join: ' '", 8),
    ],
)
def test_only_texts_can_be_joined_and_only_by_a_text(record: str, line: int) -> None:
    (finding,) = compiled(record).findings
    assert (finding.code, finding.line) == ("wrong_type", line)


def test_it_is_held_against_a_record_as_a_text() -> None:
    loop = '{for: c in details.containers, emit: "{{ c.waste_type }}", join: ", "}'
    notes = '"{{ description | default(omit) | shorten(200) }}"'
    lines = PATTERN[PATTERN.index("    lines:") : PATTERN.index("status:")]
    assert "wrong_type" not in {each.code for each in pattern_with(notes, loop)}
    found = only(pattern_with(lines, f"    lines: {loop}\n"), "wrong_type")
    assert found.message == "field `lines` of `BookJob` cannot be a text"
