"""What front ends send that have a format of their own, and change nothing for the hub's sake."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from urllib.parse import urlencode

from hub.demo.letter import Letter

_EXTENDED = (
    "title: Missed refuse\n\ndetail: Not taken\n\nurl: http://fixmystreet.example/report/2000123\n\n"
    "Submitted via FixMyStreet\n"
)


def _own(
    shows: str, front_end: str, council: str, service: str, path: str, raw: bytes, media_type: str = "application/json"
) -> Letter:
    """One in its front end's own format."""
    return Letter(
        shows=shows, front_end=front_end, body={"council": council, "service": service}, path=path, raw=raw,
        media_type=media_type,
    )  # fmt: skip


def fixmystreet_bin() -> Letter:
    fields = [
        ("jurisdiction_id", "northborough"), ("api_key", "test"), ("service_code", "missed-bin"),
        ("first_name", "Bob"), ("last_name", "Sample"), ("email", "bob@example.org"),
        ("description", _EXTENDED),
        ("lat", "51.000000"), ("long", "-1.000000"),
        ("attribute[uprn]", "100080010007"), ("attribute[fixmystreet_id]", "2000123"),
        ("attribute[service_item_name]", "RES-180"),
        ("attribute[location_of_containers]", "Front of property"),
    ]  # fmt: skip
    return _own(
        "FixMyStreet, as it is: Open311", "fixmystreet", "northborough", "missed-bin",
        "/open311/northborough/requests.xml", urlencode(fields).encode(), "application/x-www-form-urlencoded",
    )  # fmt: skip


def fixmystreet_tip() -> Letter:
    fields = [
        ("jurisdiction_id", "eastvale"), ("api_key", "test"), ("service_code", "fly-tipping"),
        ("first_name", "John"), ("last_name", "Sample"), ("email", "john@example.org"),
        ("lat", "52.035536"), ("long", "-0.360673"), ("description", "Near the junction."),
        ("attribute[title]", "Near the junction."),
        ("attribute[easting]", "512345"), ("attribute[northing]", "234567"), ("attribute[fixmystreet_id]", "31"),
        ("attribute[land_type]", "Footpath"),
        ("attribute[type_of_waste]", "Household"), ("attribute[type_of_waste]", "Black bags"),
        ("attribute[fly_tip_witnessed]", "No"),
    ]  # fmt: skip
    return _own(
        "the same door, another council", "fixmystreet", "eastvale", "fly-tipping",
        "/open311/eastvale/requests.xml", urlencode(fields).encode(), "application/x-www-form-urlencoded",
    )  # fmt: skip


def form_builder(today: date) -> Letter:
    asked = {"serviceArea": "waste", "whatHappened": "Missed three weeks running — and nobody rang back."}
    about = {"firstName": "Siân", "lastName": "O’Sample", "email": "sian@example.org",
             "happenedOn": (today - timedelta(days=7)).isoformat()}  # fmt: skip
    body = {
        "metadata": {},
        "name": "Make a complaint",
        "questions": [
            {"question": "What is your complaint about?", "index": 0, "fields": _fields(asked)},
            {"category": "aboutYou", "question": "About you", "index": 0, "fields": _fields(about)},
        ],
        "preferredLanguage": "en",
    }
    return _own(
        "a form builder's own webhook", "form-builder", "northborough", "complaint",
        "/intake/northborough/xgov/complaint", json.dumps(body).encode(),
    )  # fmt: skip


def _fields(answers: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "title": key, "type": "text", "answer": answer} for key, answer in answers.items()]


def foi_for_councils() -> Letter:
    body = {
        "rt": "create", "type": "FOI", "contacttype": "email", "requester": "John Sample",
        "contact": "john@example.org", "body": "Please send me the contract for the leisure centre.\n\nThanks",
        "key": "secret", "username": "hub",
    }  # fmt: skip
    return _own(
        "foi-for-councils, as it is", "foi-for-councils", "northborough", "foi-request",
        "/intake/northborough/infreemation/foi-request/foi/", json.dumps(body).encode(),
    )  # fmt: skip
