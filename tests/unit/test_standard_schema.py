"""The published contracts: valid JSON Schema 2020-12, labelled, exemplified, marked where they are personal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from hub.errors import Invalid, NotThere
from hub.standard import SERVICES, PersonalPath, Service, read_data

every_contract = pytest.mark.parametrize(
    ("service", "version"),
    [(service, version) for service in SERVICES.values() for version in service.versions],
    ids=lambda one: one.code if isinstance(one, Service) else str(one),
)
BIN = SERVICES["missed-bin"]
FOI = SERVICES["foi-request"]


def held(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every subschema that a value may stand in; not those of rules."""
    yield schema
    below = [*schema.get("$defs", {}).values(), *schema.get("properties", {}).values(), schema.get("items")]
    for inner in below:
        if inner:
            yield from held(inner)


def fields(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for holder in held(schema):
        yield from holder.get("properties", {}).items()


@every_contract
def test_it_is_json_schema_2020_12(service: Service, version: int) -> None:
    schema = service.schema(version)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@every_contract
def test_every_field_is_labelled_in_english_and_welsh(service: Service, version: int) -> None:
    for name, field in fields(service.schema(version)):
        label = field["x-label"]
        assert label["en"] and label["cy"], name


@every_contract
def test_every_field_has_an_example_that_is_valid(service: Service, version: int) -> None:
    schema = service.schema(version)
    for _, field in fields(schema):
        alone = {**field, "$defs": schema["$defs"]}
        Draft202012Validator(alone, format_checker=FormatChecker()).validate(field["x-example"])


@every_contract
def test_no_object_but_extra_takes_unknown_keys_and_nothing_takes_null(service: Service, version: int) -> None:
    schema = service.schema(version)
    extra = schema["properties"]["extra"]
    objects = [one for one in held(schema) if one.get("type") == "object" and one is not extra]
    assert len(objects) > 8
    assert all(one["additionalProperties"] is False for one in objects)
    assert "null" not in str(schema)
    assert "None" not in str(schema)


def test_the_caller_gets_a_copy_of_his_own() -> None:
    BIN.schema(1)["properties"].clear()
    assert BIN.schema(1)["properties"]


def test_a_version_that_there_is_not_is_told_those_that_there_are() -> None:
    with pytest.raises(NotThere, match="no version 7; there is 1, 2"):
        BIN.schema(7)


def test_personal_fields_are_listed_by_path() -> None:
    paths = BIN.personal(1)
    assert PersonalPath(path=("contact", "address", "lines"), sensitive=False) in paths
    assert PersonalPath(path=("details", "containers", "*", "waste_type_other"), sensitive=False) in paths
    assert PersonalPath(path=("accessibility_needs",), sensitive=True) in paths
    assert PersonalPath(path=("contact", "phone_e164"), sensitive=False) in paths


@every_contract
def test_what_a_resident_writes_freely_is_personal(service: Service, version: int) -> None:
    free = {"description", "extra", "request_text", "what_happened", "location_of_containers", "reason_other"}
    free |= {"information_wanted", "question", "title", "offender_description", "vehicle_description", "owner_details"}
    free |= {"put_out_location", "access_notes", "delivery_location", "containers_location", "access_arrangements"}
    personal = {path.path[-1] for path in service.personal(version)}
    assert free & {name for name, _ in fields(service.schema(version))} <= personal


def test_a_field_that_the_hub_adds_is_known_and_never_accepted() -> None:
    contact = BIN.schema(1)["properties"]["contact"]
    assert contact["properties"]["phone_e164"]["readOnly"] is True
    body = {**BIN.good[0].body, "contact": {"phone": "07700 900123", "phone_e164": "+447700900123"}}
    assert not Draft202012Validator(BIN.schema(1)).is_valid(body)


@pytest.mark.parametrize(
    ("service", "change"),
    [
        (BIN, {"property": {"usrn": "20601234"}}),
        (BIN, {"contact": {"full_name": "A"}}),
        (BIN, {"contact": {"phone": "1", "full_name": "A", "last_name": "B", "first_name": "A"}}),
        (BIN, {"contact": {"phone": "1", "first_name": "A"}}),
        (BIN, {"contact": {"anonymous": True, "phone": "1"}}),
        (BIN, {"location": {"easting": 1}}),
        (BIN, {"details": {"containers": [{"waste_type": "food", "waste_type_other": "x"}]}}),
        (BIN, {"details": {"containers": [{"waste_type": "food"}], "reason_other": "x"}}),
        (BIN, {"attachments": [{"id": "1", "name": "a"}]}),
        (BIN, {"declarations": {"marketing": True}}),
        (FOI, {"contact": {"full_name": "A", "phone": "1"}}),
        (FOI, {"contact": {"email": "a@example.org"}}),
        (FOI, {"contact": {"anonymous": True}}),
    ],
)
def test_a_rule_across_fields_is_in_the_schema_too(service: Service, change: dict[str, Any]) -> None:
    body = {**service.good[0].body, **change}
    assert not Draft202012Validator(service.schema(1)).is_valid(body)
    with pytest.raises(Invalid):
        read_data(body, today=date(2026, 3, 10))


def places(value: Any, loc: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, below in inner:
        yield (*loc, step)
        yield from places(below, (*loc, step))


def broken_at(body: Any, loc: tuple[str | int, ...], put: Any) -> dict[str, Any]:
    """The body with something else at one place; `GONE` takes it away."""
    made: dict[str, Any] = json.loads(json.dumps(body))
    holder: Any = made
    for step in loc[:-1]:
        holder = holder[step]
    if put is GONE:
        del holder[loc[-1]]
    else:
        holder[loc[-1]] = put
    return made


GONE = object()


@every_contract
@pytest.mark.parametrize("put", [None, 5, -1.5, True, [], {}, {"zz": 1}, GONE], ids=repr)
def test_schema_and_models_agree_wherever_an_example_is_broken(service: Service, version: int, put: Any) -> None:
    schema = Draft202012Validator(service.schema(version), format_checker=FormatChecker())
    good, _ = service.examples(version, today=date(2026, 3, 10))
    for body in (good[1].body, good[2].body):
        for loc in places(body):
            made = broken_at(body, loc, put)
            assert schema.is_valid(made) is taken(made), loc


def taken(body: dict[str, Any]) -> bool:
    try:
        read_data(body, today=date(2026, 3, 10))
    except (Invalid, NotThere):
        return False
    return True
