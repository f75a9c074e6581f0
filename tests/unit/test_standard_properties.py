"""What holds for anything at all that may be sent."""

from __future__ import annotations

import contextlib
import json
from datetime import date
from typing import Any

import phonenumbers
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from hub.errors import Invalid, NotThere
from hub.standard import SERVICES, Unreadable, read, read_data
from hub.standard.phones import e164

TODAY = date(2026, 3, 10)
FEW = settings(max_examples=150, deadline=None, derandomize=True)
EXAMPLES = [(service, example) for service in SERVICES.values() for example in service.good]
NAMES = sorted({name for service in SERVICES.values() for name in service.versions[1].model_fields} | {"x", "lines"})

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["other", "2026-02-30"])
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=5),
    max_leaves=20,
)
bodies = st.dictionaries(st.sampled_from(NAMES), anything, max_size=8)
services = st.sampled_from([*SERVICES, "lost-cat"])


@FEW
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_a_known_way(raw: bytes) -> None:
    with contextlib.suppress(Invalid, Unreadable, NotThere):
        read(raw, today=TODAY)


@FEW
@given(anything)
def test_any_json_is_read_or_refused_in_a_known_way(sent: Any) -> None:
    with contextlib.suppress(Invalid, Unreadable, NotThere):
        read(json.dumps(sent).encode(), today=TODAY)


@FEW
@given(services, bodies, bodies)
def test_any_submission_is_read_or_refused_in_a_known_way(service: str, body: Any, details: Any) -> None:
    with contextlib.suppress(Invalid, Unreadable, NotThere):
        read_data({"details": details, **body, "version": 1, "service": service}, today=TODAY)


@FEW
@given(st.sampled_from(EXAMPLES), bodies)
def test_what_the_schema_refuses_is_never_taken(shown: Any, changes: Any) -> None:
    service, example = shown
    body = {**example.body, **changes}
    try:
        read_data(body, today=TODAY)
    except (Invalid, Unreadable, NotThere):
        return
    trimmed = json.loads(json.dumps(body), object_hook=lambda held: {k: _trim(v) for k, v in held.items()})
    assert Draft202012Validator(service.schema(body["version"])).is_valid(trimmed)


def _trim(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


@FEW
@given(st.from_regex(r"(\+44 ?|0044|0)(\(0\))?[1-9][0-9]{2}[ .-]?[0-9]{3}[ )-]?[0-9]{3,5}", fullmatch=True))
def test_the_quick_way_to_dial_agrees_with_libphonenumber(typed: str) -> None:
    try:
        number = phonenumbers.parse(typed, "GB")
    except phonenumbers.NumberParseException:
        assert e164(typed) is None
        return
    possible = phonenumbers.is_possible_number(number)
    assert e164(typed) == (
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if possible else None
    )
