"""A town that takes every service and has something of every kind in its store, for those who throw things at it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from hub.standard import SERVICES
from tests.bodies import complaint, missed_bin
from tests.open311 import MISSED, changed
from tests.towns import Town, town

BODIES = Path(__file__).parent / "front_ends"
XGOV = (BODIES / "xgov-complaint.json").read_bytes()
INFREEMATION = (BODIES / "infreemation-create.json").read_bytes()
#: What town() has no route for goes to the register, which refuses nothing.
_ROUTE = """
  - service: {code}
    to: register
    mapping:
      service: {code}
      connector: scriptable
      create: {{operation: CreateCase, record: {{title: "{{{{ hub.reference }}}}"}}}}
"""
_ROUTED = ("missed-bin", "complaint", "foi-request")
#: No limit to what one front end may throw; and few heaps of the allocator: one a thread grows long without a leak.
_SETTINGS = {"HUB_RATE": "100000", "MALLOC_ARENA_MAX": "2"}


@contextmanager
def wide_town(folder: Path, *, database_url: str = "", broker_url: str = "memory://") -> Iterator[Town]:
    """One process of all rooms, on SQLite where nothing else is said."""
    url = database_url or f"sqlite:///{folder / 'hub.db'}"
    with town(folder, database_url=url, broker_url=broker_url, roles=("all",), settings=_SETTINGS) as made:
        with made.council_file.open("a") as council:
            council.writelines(_ROUTE.format(code=code) for code in sorted(SERVICES) if code not in _ROUTED)
        made.hub("reload")
        _until_it_takes_all(made)
        yield made


def _until_it_takes_all(made: Town) -> None:
    end = time.monotonic() + 20
    while set(made.ask("GET", "/v1/councils/northborough")[1]["services"]) != set(SERVICES):
        assert time.monotonic() < end, "the hub did not read the council file again"
        time.sleep(0.1)


def keyed(body: bytes, key: str) -> bytes:
    """An infreemation body with the front end's key."""
    return body.replace(b'"key": "secret"', b'"key": "' + key.encode() + b'"')


def form_of(made: Town) -> bytes:
    """FixMyStreet's form with the front end's key."""
    return urlencode(changed(MISSED, api_key=made.key, jurisdiction_id="northborough")).encode()


def things(made: Town) -> dict[str, list[str]]:
    """One of each that an address can name, by what addresses call it: made now, and some of it in a bad way."""
    made.offices["waste"].behave("fault", times=1)
    told = made.status(made.publish(missed_bin()))
    done = made.until(made.publish(complaint()), lambda told: bool(told["final"]))
    made.until(told["reference"], lambda told: told["status"] == "needs_attention")
    status, parked = made.ask("POST", "/intake/northborough/xgov/nobody-reads-this", XGOV)
    assert status == 200, parked
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    status, reported = made.ask("POST", "/open311/northborough/requests.json", form_of(made), headers=headers)
    assert status == 200, reported
    _, received = made.ops("GET", "/v1/received?state=parked")
    _, groups = made.ops("GET", "/v1/groups")
    draft = {"kind": "replay", "filter": {"destination": "northborough/waste"}, "reason": "To see it."}
    status, operation = made.ops("POST", "/v1/operations", draft)
    assert status == 201, operation
    return {
        "council": ["northborough", "E07000999"],
        "submission": [done["reference"], done["id"], told["id"]],
        "report": [each["service_request_id"] for each in reported],
        "delivery": [each["id"] for each in (*told["deliveries"], *done["deliveries"])],
        "received": [each["id"] for each in received["items"]],
        "operation": [operation["id"]],
        "group": [each["group"] for each in groups["items"]],
        "destination": ["waste", "crm", "register"],
        "service": sorted(SERVICES),
    }
