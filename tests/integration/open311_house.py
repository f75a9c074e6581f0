"""Intake with councils that FixMyStreet can speak to: what the tests of the Open311 door stand in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hub.council import Councils
from hub.council_files import read_tree
from hub.councils import load
from hub.store import tables
from tests.asgi import Answer, Caller
from tests.integration.intake_house import REGISTRY, House, house
from tests.open311 import FLY_TIP, MISSED, Pair, changed, form, multipart, xml_in

KEY = "key of fixmystreet"
BINS = changed(MISSED, api_key=KEY)
TIPS = changed(FLY_TIP, api_key=KEY, jurisdiction_id=None)
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")
_COUNCIL = """
council: {name}
slug: {slug}
gss: {gss}
calendar: england-and-wales
destinations:
  waste: {{connector: scriptable, settings: {{url: "http://127.0.0.1:9"}}}}
  crm: {{connector: scriptable, settings: {{url: "http://127.0.0.1:9"}}}}
routes:
{routes}
"""
_ROUTE = """\
  - service: {service}
    to: waste
    mapping:
      service: {service}
      connector: scriptable
      create: {{operation: CreateCase, record: {{title: "{{{{ description | default('none') | shorten(80) }}}}"}}}}
"""
#: A service code as councils have them, not one of ours; nobody without the key is told of its requests.
_PRIVATE = """
extends: intake/open311/street-issue
submission: {details: {category: dog_fouling}}
open311: {name: Dog fouling by a neighbour, keywords: [private], group: Dogs & other "animals"}
"""
#: A profile that asks for what no form has: what comes by it is parked.
_STRICT = """
format: open311
service: street-issue
submission:
  location: {lat: "{{ answers.lat }}", long: "{{ answers.long }}"}
  details: {category: "{{ answers.attributes.category_code | required('the form must say') }}"}
open311: {name: Strict, attributes: [{code: when, datatype: datetime}]}
"""


def _council(name: str, slug: str, gss: str, *services: str) -> str:
    return _COUNCIL.format(name=name, slug=slug, gss=gss, routes="".join(_ROUTE.format(service=s) for s in services))


@cache
def councils() -> Councils:
    return _loaded(_STRICT)


@cache
def mended() -> Councils:
    """The same with a profile that no longer asks for what no form has."""
    return _loaded(_STRICT.replace("answers.attributes.category_code | required('the form must say')", "'pothole'"))


def _loaded(strict: str) -> Councils:
    mine = {
        "northborough/council.yaml": _council(
            "Northborough", "northborough", "E07000999", "missed-bin", "fly-tipping", "street-issue"
        ),
        "northborough/intake/DOG_1.yaml": _PRIVATE,
        "northborough/intake/strict.yaml": strict,
        "eastvale/council.yaml": _council("Eastvale", "eastvale", "E07000998", "fly-tipping"),
    }
    shared = read_tree(Path("/nonexistent"))  # the patterns of the package
    loaded = load({**shared, **mine}, registry=REGISTRY, secrets=None, generation=1, cases=False)
    assert loaded.councils is not None, loaded.errors
    return loaded.councils


@dataclass(slots=True)
class Site:
    """A FixMyStreet that knows a hub."""

    house: House
    caller: Caller

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.caller.get(f"/open311/{path}", **headers)

    async def xml(self, path: str) -> Any:
        return xml_in((await self.get(path)).body)

    async def post(self, pairs: list[Pair] | tuple[Pair, ...], path: str = "northborough/requests.xml") -> Answer:
        kind = "application/x-www-form-urlencoded"
        return await self.caller.post(f"/open311/{path}", form(pairs), content_type=kind)

    async def upload(
        self, pairs: list[Pair] | tuple[Pair, ...], *files: tuple[str, str, str, bytes],
        path: str = "northborough/requests.xml",
    ) -> Answer:  # fmt: skip
        kind, body = multipart(pairs, files)
        return await self.caller.post(f"/open311/{path}", body, content_type=kind)

    async def sent(self, pairs: list[Pair] | tuple[Pair, ...], path: str = "northborough/requests.xml") -> str:
        """A report that was taken; its number."""
        return number(await self.post(pairs, path))


def number(answer: Answer) -> str:
    assert answer.status == 200, answer.body
    found = xml_in(answer.body)["request"][0]["service_request_id"]
    assert isinstance(found, str)
    return found


def refused(answer: Answer) -> tuple[int, str]:
    """Status and code of a no, which are the same; its description must say something."""
    error = xml_in(answer.body)["error"][0]
    assert answer.headers["content-type"].startswith("text/xml") and error["description"]
    return answer.status, error["code"]


@contextmanager
def site(url: str, **settings: Any) -> Iterator[Site]:
    with house(url, **{"councils": councils, **settings}) as here:
        if settings.get("new", True):
            here.front_end("fixmystreet")  # its key is KEY
        yield Site(house=here, caller=here.caller(None))


def rows(here: Site, table: sa.Table) -> list[Any]:
    return here.house.store.read_now(lambda connection: list(connection.execute(sa.select(table))))


def content(here: Site, reference: str) -> dict[str, Any]:
    """What became of a report: the submission as it was kept."""
    store = here.house.store

    def look(connection: sa.Connection) -> Any:
        kept, sub = tables.submission_content.c, tables.submission.c
        query = sa.select(kept.submission, kept.body).join(tables.submission, sub.id == kept.submission)
        return connection.execute(query.where(sub.reference == reference)).one()

    row = store.read_now(look)

    made: dict[str, Any] = json.loads(store.sealer.open(row.body, place=f"submission_content|{row.submission}|1"))
    return made
