"""What is reported of a street: fly-tipping, abandoned vehicles, and whatever else wants mending or cleaning."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from hub.errors import Invalid
from hub.standard import SERVICES, Read, Service, read_data
from hub.standard.street_issue import Category

TODAY = date(2026, 3, 10)
TIP, ISSUE, CAR = (SERVICES[code] for code in ("fly-tipping", "street-issue", "abandoned-vehicle"))
LIGHT = {"category": "street_light", "fault": "not_working"}
ANIMAL = {"category": "dead_animal", "animal": "fox"}
SEEN = {"witnessed": True, "witnessed_at": "2026-03-09T14:30:00Z"}


def body(service: Service, **details: Any) -> dict[str, Any]:
    """The least that is taken, with more details; one of None is taken away."""
    least = dict(service.good[0].body)
    merged = {**least["details"], **details}
    return {**least, "details": {name: value for name, value in merged.items() if value is not None}}


def taken(service: Service, **details: Any) -> Read:
    return read_data(body(service, **details), today=TODAY)


def refused(sent: dict[str, Any]) -> list[str]:
    with pytest.raises(Invalid) as told:
        read_data(sent, today=TODAY)
    return [pointer for pointer, _ in told.value.faults]


def allowed(service: Service, sent: dict[str, Any]) -> bool:
    return Draft202012Validator(service.schema(1), format_checker=FormatChecker()).is_valid(sent)


@pytest.mark.parametrize(
    ("service", "details", "where"),
    [
        (TIP, {"witnessed": True}, "witnessed_at"),
        (TIP, {"witnessed_at": "2026-03-09T14:30:00Z"}, "witnessed_at"),
        (TIP, {"waste_types_other": "Gas bottles"}, "waste_types_other"),
        (ISSUE, {"category": "street_light"}, "fault"),
        (ISSUE, {"fault": "flickering"}, "fault"),
        (ISSUE, {"category": "dead_animal"}, "animal"),
        (ISSUE, {"animal": "fox"}, "animal"),
        (ISSUE, {"collar_or_chip": True}, "collar_or_chip"),
        (ISSUE, {"category_other": "Kerb"}, "category_other"),
        (ISSUE, {**LIGHT, "fault_other": "Buzzes"}, "fault_other"),
        (ISSUE, {**ANIMAL, "animal_other": "Otter"}, "animal_other"),
        (ISSUE, {"surface_material_other": "Plastic"}, "surface_material_other"),
        (ISSUE, {"size": {}}, "size"),
        (ISSUE, {"size": "enormous"}, "size"),
        (CAR, {"registration": None}, ""),
        (CAR, {"abandoned_since": "2026-02-02", "weeks_there": 5}, "weeks_there"),
        (CAR, {"owner_details": "Number 12"}, "owner_details"),
        (CAR, {"owner_known": False, "owner_details": "Number 12"}, "owner_details"),
        (CAR, {"condition": ["leaking"], "condition_other": "Rust"}, "condition_other"),
        (CAR, {"vehicle_type_other": "Tank"}, "vehicle_type_other"),
    ],
)
def test_a_rule_across_fields_is_enforced_and_published(service: Service, details: dict[str, Any], where: str) -> None:
    sent = body(service, **details)
    assert not allowed(service, sent)
    assert refused(sent) == [f"#/details/{where}".rstrip("/")]


@pytest.mark.parametrize(
    ("service", "details"),
    [
        (TIP, SEEN),
        (TIP, {"waste_types": ["tyres", "other"], "waste_types_other": "Gas bottles"}),
        (TIP, {"vehicle_registration": "AB12 CDE", "offender_description": "Two people"}),
        (ISSUE, LIGHT),
        (ISSUE, {"category": "traffic_light"}),
        (ISSUE, {"category": "traffic_light", "fault": "flickering"}),
        (ISSUE, {**ANIMAL, "collar_or_chip": True}),
        (ISSUE, {"size": {"band": "small"}}),
        (CAR, {"registration": None, "no_plates": True}),
        (CAR, {"registration": None, "no_plates": False}),
        (CAR, {"no_plates": True}),
        (CAR, {"owner_known": True, "owner_details": "Number 12"}),
    ],
)
def test_what_goes_together_is_taken(service: Service, details: dict[str, Any]) -> None:
    assert allowed(service, body(service, **details))
    assert taken(service, **details).warnings == []


@pytest.mark.parametrize("service", [TIP, ISSUE, CAR], ids=lambda service: service.code)
@pytest.mark.parametrize("location", [None, {}, {"pinned": True}], ids=["none", "empty", "only pinned"])
def test_a_street_service_is_told_where(service: Service, location: Any) -> None:
    sent = {name: value for name, value in body(service).items() if name != "location"}
    if location is not None:
        sent["location"] = location
    assert not allowed(service, sent)
    assert refused(sent) == ["#/location"]


@pytest.mark.parametrize(
    "location",
    [{"usrn": "20601234"}, {"nearest_address": "Mill Lane"}, {"asset_id": "LC-0042"}, {"easting": 1, "northing": 2}],
    ids=lambda location: next(iter(location)),
)
def test_a_street_or_an_asset_or_words_say_where(location: dict[str, Any]) -> None:
    assert read_data({**body(ISSUE), "location": location}, today=TODAY).data["location"] == location


@pytest.mark.parametrize(
    ("service", "name"), [(TIP, "vehicle_registration"), (CAR, "registration")], ids=["of an offender", "of a wreck"]
)
@pytest.mark.parametrize(
    ("typed", "kept"), [("ab12 cde", "AB12CDE"), (" m4\tgic ", "M4GIC"), ("q 1", "Q1"), ("AB12CDE", "AB12CDE")]
)
def test_a_registration_is_kept_in_capitals_without_spaces(service: Service, name: str, typed: str, kept: str) -> None:
    assert taken(service, **{name: typed}).data["details"][name] == kept


@pytest.mark.parametrize("blank", ["", "   "])
def test_a_blank_registration_is_none(blank: str) -> None:
    assert "vehicle_registration" not in taken(TIP, vehicle_registration=blank).data["details"]
    assert refused(body(CAR, registration=blank)) == ["#/details"]


@pytest.mark.parametrize("band", ["small", "medium", "large"])
def test_a_size_by_eye_is_kept_in_one_form(band: str) -> None:
    assert allowed(ISSUE, body(ISSUE, size=band))
    assert taken(ISSUE, size=band).data["details"]["size"] == {"band": band}


@pytest.mark.parametrize("size", [5, True, None, ["small"], {"band": "huge"}, {"width_mm": 1.5}], ids=repr)
def test_a_size_is_a_band_or_millimetres(size: Any) -> None:
    sent = {**body(ISSUE), "details": {"category": "pothole", "size": size}}
    assert not allowed(ISSUE, sent)
    assert refused(sent)[0].startswith("#/details/size")


@pytest.mark.parametrize(
    ("service", "details", "where"),
    [
        (TIP, {**SEEN, "witnessed_at": "2026-03-11T00:30:00Z"}, "witnessed_at"),
        (TIP, {"waste_types": ["other"]}, "waste_types"),
        (ISSUE, {"category": "other"}, "category"),
        (ISSUE, {**LIGHT, "fault": "other"}, "fault"),
        (ISSUE, {"surface_material": "other"}, "surface_material"),
        (ISSUE, {**ANIMAL, "animal": "other"}, "animal"),
        (ISSUE, {"emergency": True}, "emergency"),
        (CAR, {"abandoned_since": "2026-03-11"}, "abandoned_since"),
        (CAR, {"vehicle_type": "other"}, "vehicle_type"),
        (CAR, {"condition": ["other"]}, "condition"),
    ],
)
def test_it_is_taken_with_a_warning(service: Service, details: dict[str, Any], where: str) -> None:
    assert [warning.pointer for warning in taken(service, **details).warnings] == [f"#/details/{where}"]


def test_the_day_of_a_time_is_the_day_in_london() -> None:
    summer = date(2026, 7, 10)
    late, later = ({**SEEN, "witnessed_at": f"2026-07-{at}:30:00Z"} for at in ("10T22", "10T23"))
    assert read_data(body(TIP, **late), today=summer).warnings == []
    assert len(read_data(body(TIP, **later), today=summer).warnings) == 1


@pytest.mark.parametrize(
    ("at", "remarked"), [("0001-01-01T00:00:00+14:00", 0), ("9999-12-31T23:59:59-12:00", 1)], ids=["first", "last"]
)
def test_a_time_at_the_end_of_the_calendar_is_a_time(at: str, remarked: int) -> None:
    assert len(taken(TIP, witnessed=True, witnessed_at=at).warnings) == remarked


@pytest.mark.parametrize("category", Category)
def test_every_kind_of_street_issue_has_its_number_in_the_public_list(category: Category) -> None:
    needed = {Category.STREET_LIGHT: LIGHT, Category.DEAD_ANIMAL: ANIMAL}.get(category, {"category": str(category)})
    ids = ISSUE.lgsl_of(taken(ISSUE, **needed).data)
    assert len(ids) == (category is not Category.OTHER)
    assert set(ids) <= set(ISSUE.lgsl)


def test_what_is_said_of_a_third_party_is_sensitive() -> None:
    sensitive = {path.path[-1] for service in (TIP, CAR) for path in service.personal(1) if path.sensitive}
    assert sensitive >= {
        "offender_description", "vehicle_registration", "vehicle_description", "registration", "owner_details",
    }  # fmt: skip
