"""Whatever a product answers and whatever a mapping makes, a case is delivered or one of the four failures says why."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.rest.reading import Read
from connectors.rest.settings import Body, Format, Rule, Where, Writing, Xml
from connectors.rest.templates import address, filled, names
from connectors.rest.writing import parts
from hub.connector import Answer, DeliveryFailure, Refused

TEXTS = st.text(max_size=8)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
TREES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))
RECORDS = st.dictionaries(TEXTS, TREES, max_size=4)
POINTERS = st.lists(TEXTS, max_size=3).map(lambda steps: "".join(f"/{step}" for step in steps))


def _answer(body: bytes) -> Answer:
    return Answer(status=200, headers={"Content-Type": "application/json"}, body=body, written=True)


def _code(ask: Callable[[], object]) -> str | None:
    """The code of the failure that this raises; None where it raises none."""
    try:
        ask()
    except DeliveryFailure as failure:
        return failure.code
    return None


@given(TREES, POINTERS)
def test_a_reference_is_a_usable_text_or_none(said: Any, pointer: str) -> None:
    read = Read(_answer(json.dumps(said).encode()), Format.JSON)
    found = read.reference(Where(at=pointer))
    assert found is None or (0 < len(found) <= 120 and found == found.strip() and found.isprintable())
    assert read.items(pointer) is None or isinstance(read.items(pointer), list)


@given(st.binary(max_size=60), st.sampled_from(Format), POINTERS)
def test_what_cannot_be_read_is_one_of_the_four_failures(body: bytes, how: Format, place: str) -> None:
    read = Read(_answer(body), how)
    asked = (read.understood, lambda: read.reference(Where(at=place)), lambda: read.items(place))
    assert {_code(ask) for ask in asked} <= {None, "not_json", "not_xml", "dtd", "charset", "not_text"}
    assert read.meets([Rule(at=place or "/x", **{"is": ["no such value"]})]) is None


@given(RECORDS, st.sampled_from(Body), st.sampled_from([None, "case", "a/b", "a/[]"]))
def test_a_record_is_written_or_refused_and_nothing_else(record: dict[str, Any], body: Body, wrap: str | None) -> None:
    call = Writing(path="/c", body=body, wrap=wrap, xml=Xml(root="r"))
    code = _code(lambda: parts(call, record))
    if code is not None:
        assert code == "unsendable"
        return
    made = parts(call, record)
    assert set(made) <= {"json", "form", "content", "headers"}
    for name, value in made.get("form", []):
        assert isinstance(name, str) and isinstance(value, str)


@given(st.text(min_size=1, max_size=20) | st.integers())
def test_a_value_is_one_step_of_an_address_or_refused(value: Any) -> None:
    try:
        made = address("http://x/api/", "/types/{type}/cases", {"type": value})
    except Refused:
        assert not str(value).strip(".")
        return
    assert made.startswith("http://x/api/types/") and made.count("/") == 6
    assert made.endswith("/cases") and not {"?", "#", " "} & set(made)


@given(TREES)
def test_a_tree_without_names_is_filled_with_nothing(tree: Any) -> None:
    known = {"our_reference": "ABCD-EFGH"}
    if not any(f"{{{name}}}" in json.dumps(tree) for name in known):
        assert repr(filled(tree, known)) == repr(tree)


def test_names_stand_once_each() -> None:
    assert names("/{a}/{b}/{a}?x={c.d}") == ["a", "b", "c.d"]
