"""A rule across fields means the same to the models and to the schema, whatever fields meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from hub.errors import Invalid
from hub.standard import SERVICES, read_data

TODAY = date(2026, 3, 10)
FEW = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

every_contract = pytest.mark.parametrize(
    ("code", "version"), [(service.code, version) for service in SERVICES.values() for version in service.versions]
)
AROUND = ("contact", "on_behalf_of", "property", "location", "payment", "declarations")


def values(schema: Mapping[str, Any], root: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values that are each of the right form; whether they may stand together is for the rules to say."""
    if "$ref" in schema:
        target = root["$defs"][schema["$ref"].rpartition("/")[2]]
        return values({**target, **{name: value for name, value in schema.items() if name != "$ref"}}, root)
    if "anyOf" in schema:
        return st.one_of([values(each, root) for each in schema["anyOf"]])
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    match schema["type"]:
        case "boolean":
            return st.booleans()
        case "array":
            return st.lists(values(schema["items"], root), min_size=schema.get("minItems", 0), max_size=3)
        case "object":
            return objects(schema, root)
        case _:
            return st.just(schema.get("x-example", "x"))


def objects(schema: Mapping[str, Any], root: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    sent = {name: one for name, one in schema.get("properties", {}).items() if not one.get("readOnly")}
    made = {name: values(one, root) for name, one in sent.items()}
    needed = {name: made[name] for name in schema.get("required", ())}
    return st.fixed_dictionaries(needed, optional={name: one for name, one in made.items() if name not in needed})


def taken(body: Mapping[str, Any]) -> bool:
    try:
        read_data(body, today=TODAY)
    except Invalid:
        return False
    return True


@dataclass(frozen=True)
class Contract:
    """A contract as published, and bodies to try it with."""

    published: Draft202012Validator
    good: list[Mapping[str, Any]]
    details: st.SearchStrategy[dict[str, Any]]
    around: st.SearchStrategy[dict[str, Any]]

    def agrees(self, body: Mapping[str, Any]) -> bool:
        return bool(self.published.is_valid(body)) is taken(body)


@cache
def contract(code: str, version: int) -> Contract:
    service = SERVICES[code]
    schema = service.schema(version)
    good, _ = service.examples(version, today=TODAY)
    around = {"properties": {name: schema["properties"][name] for name in AROUND}}
    return Contract(
        published=Draft202012Validator(schema, format_checker=FormatChecker()),
        good=[example.body for example in good],
        details=values(schema["properties"]["details"], schema),
        around=objects(around, schema),
    )


@every_contract
@FEW
@given(data=st.data())
def test_the_schema_and_the_models_agree_on_what_may_stand_together(
    code: str, version: int, data: st.DataObject
) -> None:
    tried = contract(code, version)
    assert tried.agrees({**data.draw(st.sampled_from(tried.good)), "details": data.draw(tried.details)})


@every_contract
@FEW
@given(data=st.data())
def test_they_agree_on_what_may_stand_beside_the_details(code: str, version: int, data: st.DataObject) -> None:
    tried = contract(code, version)
    assert tried.agrees({**data.draw(st.sampled_from(tried.good)), **data.draw(tried.around)})
