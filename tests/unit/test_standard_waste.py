"""The services of a household's bins: what each needs, what it remarks on, and what the public list calls it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from hub.errors import Invalid
from hub.standard import SERVICES, PersonalPath, read_data

TODAY = date(2026, 3, 10)
BULKY, CONTAINERS, ASSISTED, GARDEN = (
    dict(SERVICES[code].good[0].body)
    for code in ("bulky-waste", "container-request", "assisted-collection", "garden-waste-subscription")
)
PAYMENT = {"reference": "pay-7f3k"}
PHOTO = {"name": "sofa.jpg", "media_type": "image/jpeg", "content_base64": "aGVsbG8="}


def changed(body: dict[str, Any], **details: Any) -> dict[str, Any]:
    made = {**body["details"], **details}
    return {**body, "details": {name: value for name, value in made.items() if value is not None}}


def faults(body: dict[str, Any]) -> set[str]:
    """Where it is refused; the schema refuses it too, or takes it as well."""
    found: set[str] = set()
    try:
        read_data(body, today=TODAY)
    except Invalid as refused:
        found = {pointer for pointer, _ in refused.faults}
    schema = SERVICES[body["service"]].schema(1)
    assert Draft202012Validator(schema, format_checker=FormatChecker()).is_valid(body) is not bool(found)
    return found


def warnings(body: dict[str, Any]) -> list[str]:
    return [warning.pointer for warning in read_data(body, today=TODAY).warnings]


def wanted(**request: Any) -> dict[str, Any]:
    return changed(CONTAINERS, requests=[{"action": "deliver", **request}])


@pytest.mark.parametrize("body", [BULKY, CONTAINERS, ASSISTED, GARDEN], ids=lambda body: body["service"])
def test_it_is_about_a_home_that_can_be_found(body: dict[str, Any]) -> None:
    without = {name: value for name, value in body.items() if name != "property"}
    assert faults(without) == faults({**body, "property": {"usrn": "20601234"}}) == {"#/property"}
    assert not faults({**body, "property": {"address": {"lines": ["1 High Street"]}}})


def test_a_bulky_collection_is_for_somebody_who_can_be_told() -> None:
    assert faults({**BULKY, "contact": {"anonymous": True}}) == {"#/contact/anonymous"}
    assert faults({name: value for name, value in BULKY.items() if name != "contact"}) == {"#/contact"}


@pytest.mark.parametrize("body", [BULKY, CONTAINERS], ids=lambda body: body["service"])
def test_what_costs_something_says_where_it_was_paid(body: dict[str, Any]) -> None:
    assert faults(changed(body, chargeable=True)) == {"#/payment"}
    assert not faults({**changed(body, chargeable=True), "payment": PAYMENT})
    assert not faults({**changed(body, chargeable=False), "payment": PAYMENT})


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (changed(BULKY, items=[{"notes": "heavy"}]), "#/details/items/0"),
        (changed(BULKY, items=[{"code": "SOFA"}] * 21), "#/details/items"),
        (changed(BULKY, chargeable=None), "#/details/chargeable"),
        (changed(BULKY, put_out_location=None), "#/details/put_out_location"),
        (changed(BULKY, action="amend"), "#/details/previous_booking_ref"),
        (changed(BULKY, action="cancel"), "#/details/previous_booking_ref"),
        (changed(BULKY, slot={"ref": "S-1"}), "#/details/collection_date"),
        (changed(BULKY, slot={"ref": "S-1"}, collection_date="2026-02-30"), "#/details/collection_date"),
        (changed(BULKY, items=[{"code": "SOFA", "quantity": 11}]), "#/details/items/0/quantity"),
        (changed(CONTAINERS, requests=[]), "#/details/requests"),
        (wanted(quantity=1), "#/details/requests/0"),
        (wanted(container_type="RES240", quantity=0), "#/details/requests/0/quantity"),
        (wanted(waste_type="food", damage="handle"), "#/details/requests/0/damage"),
        (wanted(waste_type="food", waste_type_other="x"), "#/details/requests/0/waste_type_other"),
        (wanted(waste_type="food", action_other="x"), "#/details/requests/0/action_other"),
        (changed(CONTAINERS, household_size=21), "#/details/household_size"),
        (changed(CONTAINERS, crime_reference="x" * 41), "#/details/crime_reference"),
        (changed(ASSISTED, duration=None), "#/details"),
        (changed(ASSISTED, end_date="2026-09-30"), "#/details/end_date"),
        (changed(ASSISTED, containers_location=None), "#/details/containers_location"),
        (changed(ASSISTED, evidence=["a"] * 11), "#/details/evidence"),
        (changed(ASSISTED, duration_other="for ever"), "#/details/duration_other"),
        (changed(GARDEN, action="renew"), "#/details"),
        (changed(GARDEN, action="amend"), "#/details"),
        (changed(GARDEN, action="cancel", bins_wanted=0), "#/details"),
        (changed(GARDEN, action="transfer"), "#/details/transfer_to_property"),
        (changed(GARDEN, action="transfer", transfer_to_property={"usrn": "1"}), "#/details/transfer_to_property"),
        (changed(GARDEN, payment_method="direct_debit"), "#/details/direct_debit_reference"),
        (changed(GARDEN, bins_wanted=None), "#/details/bins_wanted"),
        (changed(GARDEN, start_date="2026-02-30"), "#/details/start_date"),
    ],
)
def test_what_is_not_enough_is_refused_where_it_is(body: dict[str, Any], pointer: str) -> None:
    assert faults(body) == {pointer}


@pytest.mark.parametrize(
    "body",
    [
        changed(BULKY, action="amend", previous_booking_ref="B-1", collection_date="2026-03-17"),
        changed(BULKY, slot={"ref": "S-1"}, collection_date="2026-03-10"),
        changed(BULKY, slot={"ref": "S-1", "expires_at": "2026-03-10T00:30:00Z"}, collection_date="2026-03-10"),
        {**changed(BULKY, items=[{"code": "SOFA", "photo_ref": "sofa.jpg"}]), "attachments": [PHOTO]},
        {**changed(BULKY, items=[{"code": "SOFA", "photo_ref": "f1"}]), "attachments": [{"id": "f1"}]},
        wanted(container_type="RES240", reason="other", reason_other="A bear"),
        wanted(waste_type="other", waste_type_other="Oil"),
        wanted(waste_type="refuse", action="repair", damage="lid"),
        changed(ASSISTED, duration=None, end_date="2026-03-10"),
        changed(ASSISTED, reason_category="other"),
        {**changed(ASSISTED, evidence=["sofa.jpg"]), "attachments": [PHOTO]},
        changed(GARDEN, action="renew", customer_external_ref="c-1"),
        changed(GARDEN, action="cancel", bins_wanted=0, subscription_ref="s-1", payment_method="card"),
        changed(GARDEN, action="transfer", transfer_to_property={"uprn": "12"}),
        changed(GARDEN, payment_method="direct_debit", direct_debit_reference="M-1"),
        {**changed(GARDEN, payment_method="card"), "payment": PAYMENT},
        changed(GARDEN, existing_container="no"),
    ],
)
def test_there_is_nothing_to_say(body: dict[str, Any]) -> None:
    assert not faults(body)
    assert warnings(body) == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (changed(BULKY, collection_date="2026-03-09"), "#/details/collection_date"),
        (
            changed(BULKY, slot={"ref": "S-1", "expires_at": "2026-03-09T12:00:00Z"}, collection_date="2026-03-12"),
            "#/details/slot/expires_at",
        ),
        (changed(BULKY, items=[{"code": "A", "photo_ref": "a.jpg"}]), "#/details/items/0/photo_ref"),
        (wanted(waste_type="other"), "#/details/requests/0/waste_type"),
        (wanted(waste_type="food", reason="other"), "#/details/requests/0/reason"),
        (wanted(waste_type="food", action="repair"), "#/details/requests/0/action"),
        (changed(ASSISTED, duration=None, end_date="2026-03-09"), "#/details/end_date"),
        (changed(ASSISTED, evidence=["letter.pdf"]), "#/details/evidence/0"),
        (changed(GARDEN, payment_method="card"), "#/details/payment_method"),
        (changed(GARDEN, action="cancel", subscription_ref="s-1"), "#/details/bins_wanted"),
    ],
)
def test_it_is_taken_with_a_warning(body: dict[str, Any], pointer: str) -> None:
    assert warnings(body) == [pointer]


def test_a_day_has_gone_by_when_it_has_in_london() -> None:
    summer = changed(BULKY, slot={"ref": "S-1", "expires_at": "2026-06-09T23:30:00Z"}, collection_date="2026-06-12")
    assert not read_data(summer, today=date(2026, 6, 10)).warnings
    assert len(read_data(summer, today=date(2026, 6, 11)).warnings) == 1


def test_what_is_left_unsaid_is_one_of_each_and_a_booking() -> None:
    assert read_data(BULKY, today=TODAY).data["details"]["action"] == "book"
    assert read_data(BULKY, today=TODAY).data["details"]["items"][0]["quantity"] == 1
    assert read_data(CONTAINERS, today=TODAY).data["details"]["requests"][0]["quantity"] == 1


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("assisted-collection", ("details", "reason_category")),
        ("assisted-collection", ("details", "access_arrangements")),
        ("assisted-collection", ("details", "other_able_adult")),
        ("assisted-collection", ("details", "evidence")),
    ],
)
def test_what_tells_of_somebodys_health_or_door_is_sensitive(code: str, path: tuple[str, ...]) -> None:
    assert PersonalPath(path=path, sensitive=True) in SERVICES[code].personal(1)


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("bulky-waste", ("details", "items", "*", "description")),
        ("bulky-waste", ("details", "concession")),
        ("container-request", ("details", "household_size")),
        ("garden-waste-subscription", ("details", "direct_debit_reference")),
        ("garden-waste-subscription", ("details", "transfer_to_property", "uprn")),
    ],
)
def test_what_tells_of_somebody_is_personal(code: str, path: tuple[str, ...]) -> None:
    assert PersonalPath(path=path, sensitive=False) in SERVICES[code].personal(1)


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        (BULKY, (528,)),
        (wanted(waste_type="refuse"), (526,)),
        (wanted(container_type="RES240"), (526,)),
        (wanted(waste_type="glass"), (533,)),
        (wanted(waste_type="food"), (1423,)),
        (wanted(waste_type="garden"), (530,)),
        (ASSISTED, (854,)),
        (GARDEN, (530,)),
    ],
)
def test_it_has_its_numbers_in_the_local_government_service_list(body: dict[str, Any], ids: tuple[int, ...]) -> None:
    service = SERVICES[body["service"]]
    assert service.lgsl_of(read_data(body, today=TODAY).data) == ids
    assert set(ids) <= set(service.lgsl)
