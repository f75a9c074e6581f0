"""A mapping's tree against the connector's record, before anything is run."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from hub.connector import Operation
from hub.core.findings import Finding
from hub.core.tree import Places
from hub.council_records import check_record, check_records
from tests.folders import Depot, compiled


class Person(BaseModel):
    name: str = Field(alias="Name")


class Record(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    reference: str = Field(alias="Ref")
    count: int = 0
    level: Literal["low", "high"] = "low"
    flag: bool = False
    person: Person | None = None
    people: list[Person] = []
    texts: list[str] = []
    free: dict[str, Any] = {}
    lenient: Annotated[str, BeforeValidator(str)] = ""
    anything: Any = None


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")

    count: int = 0


class Tolerant(BaseModel):
    model_config = ConfigDict(coerce_numbers_to_str=True)

    text: str = ""
    code: int = 0

    @field_validator("code", mode="before")
    @classmethod
    def _spelt_out(cls, value: Any) -> Any:
        return {"one": 1}.get(value, value)


def found(record: str, model: type[BaseModel] = Record) -> list[Finding]:
    connector = type("Office", (Depot,), {"operations": {"BookJob": Operation(model)}})
    made = compiled(record, service="missed-bin", names=("codes",))
    assert made.mapping is not None and made.findings == (), made.findings
    return list(check_records(made.mapping, connector, Places(values={})))


@pytest.mark.parametrize(
    "record",
    [
        "Ref: x",
        "reference: x",
        "Ref: '{{ hub.our_reference }}'\ncount: 7\nlevel: high\nflag: true\nlenient: 7\nanything: [1]",
        "Ref: x\ncount: '{{ details.reason | lookup(codes) }}'",
        "Ref: x\ncount: '{{ details.round_ref | default(omit) }}'",
        "Ref: x\nperson: {Name: a}\npeople:\n  - {Name: b}\ntexts: [a, b]\nfree: {a: {b: 1}}",
        "Ref: x\npeople:\n  for: c in details.containers\n  emit: {Name: '{{ c.waste_type }}'}",
        "Ref: x\ntexts: '{{ property.address.lines | default([]) }}'",
    ],
)
def test_a_record_that_fits_is_let_in(record: str) -> None:
    assert found(record) == []


@pytest.mark.parametrize(
    ("record", "code", "says"),
    [
        ("count: 1", "missing_field", "needs the field `Ref`"),
        ("Ref: x\ncounts: 1", "unknown_field", "has no field `counts`"),
        ("Ref: x\nperson: {name: a}", "unknown_field", "has no field `name`"),
        ("Ref: x\npeople: [{}]", "missing_field", "needs the field `Name`"),
        ("Ref: 7", "wrong_type", "should be a valid string"),
        ("Ref: x\ncount: many", "wrong_type", "should be a valid integer"),
        ("Ref: x\nlevel: middle", "wrong_type", "should be 'low' or 'high'"),
        ("Ref: x\ncount: null", "wrong_type", "should be a valid integer"),
        ("Ref: {a: 1}", "wrong_type", "cannot be a map"),
        ("Ref: [1]", "wrong_type", "cannot be a list"),
        ("Ref: x\ntexts: word", "wrong_type", "should be a valid list"),
        ("Ref: '{{ details.assisted | default(false) }}'", "wrong_type", "cannot be a true/false value"),
        ("Ref: '{{ property.address.lines | default([]) }}'", "wrong_type", "cannot be a list"),
        ("Ref: x\nperson: '{{ details.reason }}'", "wrong_type", "cannot be a text"),
        ("Ref: x\npeople: '{{ details.reason }}'", "wrong_type", "cannot be a text"),
        ("Ref:\n  for: c in details.containers\n  emit: x", "wrong_type", "cannot be a list"),
    ],
)
def test_a_record_that_does_not_fit_is_found(record: str, code: str, says: str) -> None:
    findings = found(record)
    assert [each for each in findings if each.code == code and says in each.message], findings


def test_a_required_field_that_may_be_omitted_is_a_warning() -> None:
    finding = found("Ref: '{{ description | default(omit) }}'")[0]
    assert (finding.code, finding.severity.value) == ("may_be_missing", "warning")


def test_a_model_that_allows_more_takes_more() -> None:
    assert found("whatever: 1", Strict) == []


def test_a_models_own_manners_are_kept() -> None:
    assert found("text: 7\ncode: one", Tolerant) == []
    assert found("count: '7'", Strict)[0].code == "wrong_type"


def test_what_a_record_refuses_is_said_without_its_values() -> None:
    said = check_record(Depot, "BookJob", {"ref": 7, "lines": [{"code": "Marker", "quantity": "Marker"}]})
    assert said == [
        "ref: Input should be a valid string",
        "lines.0.quantity: Input should be a valid integer, unable to parse string as an integer",
    ]
