"""Submissions for tests."""

from __future__ import annotations

from typing import Any

MARKER = "Zyxwvut"  #: stands in personal fields; must turn up nowhere else


def missed_bin(*waste_types: str, channel: str = "web", uprn: str = "100090215480") -> dict[str, Any]:
    containers = [{"waste_type": kind, "quantity": 1} for kind in waste_types or ("refuse",)]
    return {
        "council": "northborough",
        "service": "missed-bin",
        "version": 1,
        "channel": channel,
        "contact": {"full_name": f"Blodwen {MARKER}", "email": f"{MARKER}@example.com", "phone": "01632 960001"},
        "property": {"uprn": uprn, "address": {"lines": [f"1 {MARKER} Avenue"], "postcode": "AB1 2CD"}},
        "description": f"Left behind, says {MARKER}. Dyma'r bin gwyrdd 🗑️",
        "details": {"containers": containers, "location_of_containers": f"By {MARKER}'s gate"},
    }


def complaint() -> dict[str, Any]:
    return {
        "council": "northborough",
        "service": "complaint",
        "version": 1,
        "contact": {"full_name": f"Siôn {MARKER}", "email": f"{MARKER}@example.com"},
        "details": {"kind": "complaint", "service_area": "Waste", "what_happened": f"{MARKER} waited for an hour."},
    }


def foi_request() -> dict[str, Any]:
    return {
        "council": "northborough",
        "service": "foi-request",
        "version": 1,
        "contact": {"full_name": f"Ann {MARKER}", "email": f"{MARKER}@example.com"},
        "details": {"request_text": f"All letters that name {MARKER}.", "subject": "Letters"},
    }
