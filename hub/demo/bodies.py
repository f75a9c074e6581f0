"""What the demo's front ends send: the standard submissions, and some of their own; all of people who do not exist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from hub.demo import formats
from hub.demo.letter import Letter


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontEnd:
    """Somebody who publishes: what its key reaches, and the key where it has one already."""

    councils: tuple[str, ...] | None = None
    key: str | None = None


FRONT_ENDS: Mapping[str, FrontEnd] = {
    "northborough-website": FrontEnd(councils=("northborough",)),
    "contact-centre": FrontEnd(),
    # These three speak a format of their own, and send the key that somebody has put into their settings.
    "fixmystreet": FrontEnd(key="test"),
    "foi-for-councils": FrontEnd(councils=("northborough", "eastvale"), key="secret"),
    "form-builder": FrontEnd(),
}

UNKNOWN_UPRN = "100099999999"  #: the pretend waste system has no such home


def ordinary(today: date) -> list[Letter]:
    """Those that simply arrive."""
    last_week = today - timedelta(days=5)
    return [
        _bin("a refuse bin", "northborough-website", "100080010001", "refuse", code="RES180", on=last_week),
        _bin("recycling", "contact-centre", "100080010002", "mixed_recycling", code="REC240", on=last_week),
        _bin("a food caddy, reported in Welsh", "contact-centre", "100080010003", "food", on=last_week, language="cy"),
        _foi("street lights", "northborough-website", "How many street lights failed in each ward last year?"),
        _foi("an environmental question", "contact-centre", "Air quality readings outside schools.", regime="eir"),
        _foi("a question with accents and an emoji", "contact-centre", "Faint o goed a blannwyd yn Stryd y Bont? 🌳"),
        _foi("a long question", "northborough-website", "Spending on temporary staff, by month. " * 30),
        _complaint("bins left across a drive", "northborough-website", "The bin was left across the drive again."),
        _complaint("thanks", "contact-centre", "The crew came back for a toy. Thank you.", kind="compliment"),
        _complaint("nobody who wants to be known", "contact-centre", "Nobody answered the phone.", anonymous=True),
        _bin("the same form, a SOAP system that no connector knows", "contact-centre", "100080020001", "refuse",
             council="eastvale", on=last_week),
        _complaint("the same form, a REST system that none knows", "contact-centre", "The office was shut.",
                   council="eastvale"),
        _dangerous(today),
        _foi("a council whose information requests are e-mails", "contact-centre", "Spending on the leisure centre.",
             council="eastvale"),
        _street("a parish without a product: a signed post", "westmere", {"nearest_address": "The Green"}),
        _enquiry("and a folder for the rest"),
        _street("a county's street, by its list of streets", "two-rivers", {"usrn": "33900001"}),
        _street("a district's street beside it", "two-rivers", {"usrn": "33900003"}),
        formats.fixmystreet_bin(), formats.fixmystreet_tip(), formats.form_builder(today), formats.foi_for_councils(),
    ]  # fmt: skip


def split(today: date) -> Letter:
    """Two bins in one report: two pieces of work for the council."""
    made = _bin("refuse and food at once", "contact-centre", "100080010004", "refuse", on=today - timedelta(days=2))
    containers = [{"waste_type": "refuse", "container_code": "RES180"}, {"waste_type": "food", "quantity": 2}]
    body = {**made.body, "details": {**made.body["details"], "containers": containers}}
    return Letter(shows=made.shows, front_end=made.front_end, body=body)


def refused(today: date) -> Letter:
    """The council's system reads it and says no."""
    shows = "a home that the waste system does not know"
    return _bin(shows, "northborough-website", UNKNOWN_UPRN, "refuse", on=today - timedelta(days=1))


def busy(today: date) -> Letter:
    """It arrives while the council's system is away."""
    return _complaint("sent while the CRM answers 503", "northborough-website", "The park gate was locked at noon.")


def unmapped(today: date) -> Letter:
    """The council's table has no row for it yet."""
    shows = "garden waste, which a table forgot"
    return _bin(shows, "contact-centre", "100080010005", "garden", code="GA240", on=today - timedelta(days=3))


def curl_body(today: date) -> dict[str, Any]:
    """A submission short enough for a command line."""
    return {
        "council": "northborough",
        "service": "missed-bin",
        "version": 1,
        "property": {"uprn": "100080010009"},
        "details": {
            "containers": [{"waste_type": "refuse"}],
            "collection_date": (today - timedelta(days=1)).isoformat(),
        },
    }


def _bin(
    shows: str,
    front_end: str,
    uprn: str,
    waste: str,
    *,
    on: date,
    code: str | None = None,
    council: str = "northborough",
    language: str = "en",
) -> Letter:
    container = {"waste_type": waste} | ({"container_code": code} if code else {})
    body = {
        "council": council,
        "service": "missed-bin",
        "version": 1,
        "language": language,
        "contact": {"full_name": "Alex Example", "email": "alex@example.org", "phone": "020 7946 0018"},
        "property": {
            "uprn": uprn,
            "address": {"lines": ["4 The Avenue"], "town": "Northborough", "postcode": "NB1 3NP"},
        },
        "description": "It was out by six in the morning.",
        "details": {"collection_date": on.isoformat(), "containers": [container], "reason": "not_collected"},
    }
    return Letter(shows=shows, front_end=front_end, body=body)


def _foi(shows: str, front_end: str, text: str, *, regime: str = "foi", council: str = "northborough") -> Letter:
    body = {
        "council": council,
        "service": "foi-request",
        "version": 1,
        "contact": {"full_name": "Sam Sample", "email": "sam@example.org"},
        "details": {"request_text": text.strip(), "subject": shows.capitalize(), "regime": regime},
    }
    return Letter(shows=shows, front_end=front_end, body=body)


def _complaint(
    shows: str,
    front_end: str,
    text: str,
    *,
    kind: str = "complaint",
    council: str = "northborough",
    anonymous: bool = False,
) -> Letter:
    body = {
        "council": council,
        "service": "complaint",
        "version": 1,
        "contact": {"anonymous": True} if anonymous else {"full_name": "Kim Specimen", "email": "kim@example.org"},
        "details": {"kind": kind, "service_area": "Waste", "what_happened": text},
    }
    return Letter(shows=shows, front_end=front_end, body=body)


def _dangerous(today: date) -> Letter:
    body = {
        "council": "eastvale",
        "service": "fly-tipping",
        "version": 1,
        "contact": {"full_name": "Pat Pattern", "email": "pat@example.org"},
        "location": {"easting": 512345, "northing": 234567, "pinned": True},
        "details": {
            "land_type": "footpath",
            "waste_types": ["asbestos", "black_bags"],
            "witnessed": True,
            "witnessed_at": f"{today - timedelta(days=1)}T14:30:00Z",
        },
    }
    return Letter(shows="asbestos: the crew's system and the CRM", front_end="contact-centre", body=body)


def _street(shows: str, council: str, location: Mapping[str, str]) -> Letter:
    body = {
        "council": council,
        "service": "street-issue",
        "version": 1,
        "location": {**location, "easting": 512345, "northing": 234567},
        "description": "A hole as deep as a bucket.",
        "details": {"category": "pothole"},
    }
    return Letter(shows=shows, front_end="contact-centre", body=body)


def _enquiry(shows: str) -> Letter:
    body = {
        "council": "westmere",
        "service": "general-enquiry",
        "version": 1,
        "contact": {"full_name": "Jo Template", "email": "jo@example.org"},
        "details": {"topic": "Village hall", "question": "Is it free on Friday?", "reply_wanted": True},
    }
    return Letter(shows=shows, front_end="contact-centre", body=body)
