"""A house whose front ends speak formats of their own, and whose council files may be mended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hub.council import Councils
from hub.council_files import read_tree
from hub.councils import load
from hub.model import Role
from hub.store import tables
from tests.asgi import Answer, Caller
from tests.integration.intake_house import FILES, REGISTRY, House, house

MAPPINGS = Path(__file__).parents[2] / "mappings"
PATTERNS = {name: text for name, text in read_tree(MAPPINGS).items() if name.startswith("patterns/intake/")}
FOI = """
service: foi-request
connector: scriptable
create:
  operation: CreateCase
  record: {title: "{{ details.request_text | shorten(80) }}"}
"""
COUNCIL = {
    **PATTERNS,
    **FILES,
    "northborough/council.yaml": FILES["northborough/council.yaml"]
    + "  - {service: foi-request, to: crm, mapping: foi-request.yaml}\n",
    "northborough/foi-request.yaml": FOI,
}

XGOV = {
    "metadata": {},
    "name": "Make a complaint",
    "questions": [
        {
            "question": "What is your complaint about?",
            "index": 0,
            "fields": [
                {"key": "serviceArea", "title": "Service", "type": "list", "answer": "waste"},
                {
                    "key": "whatHappened",
                    "title": "What happened",
                    "type": "text",
                    "answer": "Missed again — Siân’s bin",
                },
            ],
        },
        {
            "category": "aboutYou",
            "question": "About you",
            "index": 0,
            "fields": [
                {"key": "firstName", "title": "First name", "type": "text", "answer": "Siân"},
                {"key": "lastName", "title": "Last name", "type": "text", "answer": "O’Connor"},
                {"key": "email", "title": "Email address", "type": "text", "answer": "sian@example.com"},
                {"key": "howHeard", "title": "How did you hear of us?", "type": "text", "answer": "A leaflet"},
            ],
        },
    ],
    "preferredLanguage": "en",
}
FOI_BODY = {
    "rt": "create",
    "type": "FOI",
    "contacttype": "email",
    "requester": "John Doe",
    "contact": "john@example.com",
    "body": "Please send me the contract for the leisure centre.\n\nThanks",
    "key": "key of foi for councils",
    "username": "foo",
}
COMPLAINT = "/intake/northborough/xgov/complaint"
REQUEST = "/intake/northborough/infreemation/foi-request"


@cache
def councils_of(**files: str) -> Councils:
    loaded = load({**COUNCIL, **files}, registry=REGISTRY, secrets=None, cases=False)
    assert loaded.councils is not None, loaded.errors
    return loaded.councils


@dataclass
class Forms:
    """A house whose council files may be changed, as by `hub reload`."""

    councils: Councils = field(default_factory=councils_of)
    house: House = field(init=False)

    def reload(self, **files: str) -> None:
        self.councils = councils_of(**files)

    @property
    def caller(self) -> Caller:
        return self.house.caller()

    @property
    def staff(self) -> Caller:
        return self.house.user("Olive", Role.OPERATOR)

    async def xgov(self, body: Any = XGOV, to: str = COMPLAINT) -> Answer:
        return await self.caller.post(to, body)

    async def foi(self, to: str = REQUEST, **changes: Any) -> Any:
        body = {key: value for key, value in {**FOI_BODY, **changes}.items() if value is not None}
        answer = await self.house.caller(None).post(to, body)
        assert answer.status == 200, answer.body
        return answer.json()

    def rows(self, table: sa.Table) -> list[Any]:
        return self.house.store.read_now(lambda connection: list(connection.execute(sa.select(table))))


@contextmanager
def forms_in(folder: Path) -> Iterator[Forms]:
    made = Forms()
    with house(f"sqlite:///{folder}/hub.db", councils=lambda: made.councils) as made.house:
        made.house.front_end("foi for councils")
        yield made


def content(forms: Forms) -> Any:
    """The content of the only submission."""
    [row] = forms.rows(tables.submission_content)
    opened = forms.house.store.sealer.open(row.body, place=f"submission_content|{row.submission}|1")
    return json.loads(opened)


def without(body: dict[str, Any], key: str) -> dict[str, Any]:
    """The form without the answer to one question."""
    questions = [{**each, "fields": [one for one in each["fields"] if one["key"] != key]} for each in body["questions"]]
    return {**body, "questions": questions}


LEISURE = """
format: xgov
service: complaint
submission:
  contact: {full_name: "{{ answers.firstName }} {{ answers.lastName }}", email: "{{ answers.email }}"}
  details: {kind: complaint, service_area: Leisure, what_happened: "{{ answers.whatHappened }}"}
"""
