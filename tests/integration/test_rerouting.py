"""A submission that no route took, or that one failed for: routed again by a person, once, and never twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connectors.rest import Rest
from connectors.rest.simulator import RestBackOffice
from hub.assembly import web_app
from hub.connector.testing import serving
from hub.model import Role, StepState
from hub.registry import Registry
from hub.store import tables, users
from hub.store.ids import uuid7
from tests.asgi import Caller
from tests.bodies import complaint
from tests.live import Live, kept, live, write
from tests.stores import HASHER

COUNCIL = """\
council: Northborough
slug: northborough
gss: E07000999
destinations:
  crm:
    connector: rest
    settings: {{url: "{crm}", create: {{path: /cases, reference: /id}}, update: {{path: "{notes}"}}}}
  desk: {{connector: rest, settings: {{url: "{desk}", create: {{path: /cases, reference: /id}}}}}}
routes:
"""
ROUTE = """\
  - name: {name}
    service: complaint
    to: {to}
    when: "{{{{ {when} }}}}"
    mapping:
      create: {{operation: create, record: {{ref: "{{{{ hub.our_reference }}}}"}}}}
"""
SAYS = """\
      update: {operation: update, record: {note: "{{ update.text | default('') }}"}}
"""
#: In Paris there is no easting, so that this can be evaluated for every good example and not for what is sent here.
YES, NO, FAILS = "true", "false", "location is defined and (location | easting) > 1"
ABROAD = {"location": {"lat": 48.8566, "long": 2.3522}}


def route(name: str, to: str, when: str = YES) -> str:
    return ROUTE.format(name=name, to=to, when=when) + (SAYS if to == "crm" else "")


class Desk:
    """A hub, its council file, two systems, and staff who speak to it over its own API."""

    def __init__(self, here: Live, head: str, crm: RestBackOffice, desk: RestBackOffice) -> None:
        self.here, self.head, self.crm, self.desk = here, head, crm, desk

    def routes(self, *routes: str) -> None:
        self.here.write("northborough", self.head + "".join(routes))

    def staff(self, role: Role = Role.OPERATOR, councils: list[str] | None = None) -> Caller:
        token = uuid7()
        self.here.hub.core.store.transact_now(
            lambda connection: users.add(
                connection, user=uuid7(), name=token, hashed=users.token_hash(HASHER, token), role=role,
                councils=councils,
            )
        )  # fmt: skip
        return Caller(web_app(self.here.hub), {"authorization": f"Bearer {token}"})

    async def verb(self, verb: str, name: str, **words: Any) -> tuple[int, Any]:
        answer = await self.staff().post(f"/v1/submissions/{name}/{verb}", words)
        return answer.status, answer.json()


@asynccontextmanager
async def standing(folder: Path, *routes: str) -> AsyncIterator[Desk]:
    crm, desk = RestBackOffice(), RestBackOffice()
    async with serving(crm) as crm_at, serving(desk) as desk_at:
        head = COUNCIL.format(notes="/cases/{reference}/notes", **kept(folder, crm=crm_at.url, desk=desk_at.url))
        write(folder / "mappings", "northborough", head + "".join(routes))
        async with live(folder, registry=Registry({"rest": Rest})) as here:
            yield Desk(here, head, crm, desk)


def ours(office: RestBackOffice) -> list[str]:
    return [row["our_reference"] for row in office.ledger.items]


async def test_what_no_route_took_is_routed_once_the_route_is_there(tmp_path: Path) -> None:
    async with standing(tmp_path, route("complaints", "crm", NO)) as at:
        sent = await at.here.publish(complaint())
        status, still = await at.verb("replay", sent.reference)
        assert (status, still["status"], still["deliveries"]) == (200, "needs_attention", [])
        assert "hub submissions replay" in still["why"][0]
        at.routes(route("complaints", "crm"))
        status, told = await at.verb("replay", sent.reference, reason="The route is there now.")
        assert (status, told["reference"], told["status"], told["why"]) == (200, sent.reference, "accepted", [])
        assert [each.state for each in await at.here.settled(sent.id)] == [StepState.DELIVERED]
        assert ours(at.crm) == [sent.reference]
        assert [each["status"] for each in told["updates"]] == ["needs_attention", "accepted"]
        status, problem = await at.verb("replay", sent.reference)
        assert (status, "deliveries" in problem["detail"]) == (409, True)
        acts = (await at.staff().get(f"/v1/audit?subject={sent.id}")).json()["items"]
        assert [(act["verb"], act["reason"]) for act in acts] == [
            ("submission.replay", "The route is there now."),
            ("submission.replay", None),
        ]


async def test_only_the_route_that_failed_adds_a_delivery(tmp_path: Path) -> None:
    async with standing(tmp_path, route("first", "crm"), route("second", "crm", FAILS), route("other", "desk")) as at:
        sent = await at.here.publish(complaint() | ABROAD)
        assert len(await at.here.settled(sent.id)) == 2
        at.routes(route("first", "crm"), route("second", "crm"), route("renamed", "desk"))
        status, told = await at.verb("replay", sent.id)
        assert (status, told["why"]) == (200, [])
        await at.here.settled(sent.id)
        assert sorted(ours(at.crm)) == [sent.reference, f"{sent.reference}-2"]
        assert ours(at.desk) == [sent.reference]


async def test_two_who_route_it_at_once_make_one_case(tmp_path: Path) -> None:
    async with standing(tmp_path, route("complaints", "crm", NO)) as at:
        sent = [await at.here.publish(complaint()) for _ in range(5)]
        at.routes(route("complaints", "crm"))
        names = [each.reference for each in sent for _ in range(4)]
        answers = await asyncio.gather(*(at.verb("replay", name) for name in names))
        assert sorted(status for status, _ in answers) == [200] * 5 + [409] * 15
        for each in sent:
            await at.here.settled(each.id)
        assert sorted(ours(at.crm)) == sorted(each.reference for each in sent)


async def test_what_was_said_meanwhile_follows_the_case(tmp_path: Path) -> None:
    async with standing(tmp_path, route("complaints", "crm", NO)) as at:
        sent = await at.here.publish(complaint())
        await at.here.say(sent.id, {"kind": "comment", "text": "It has become worse."})
        at.routes(route("complaints", "crm"))
        await at.verb("replay", sent.reference)
        await at.here.at_rest(sent.id)
        found = await at.here.deliveries(sent.id)
        assert sorted(each.our_reference for each in found) == [sent.reference, f"{sent.reference}-u1"]
        status = (await at.staff().get(f"/v1/submissions/{sent.id}")).json()
        assert [each["status"] for each in status["follow_ups"]] == ["delivered"]


async def test_one_that_is_set_aside_is_final_and_comes_back_with_a_reason(tmp_path: Path) -> None:
    async with standing(tmp_path, route("complaints", "crm", NO)) as at:
        sent = await at.here.publish(complaint())
        status, told = await at.verb("discard", sent.reference, reason="A test of the form.")
        assert (status, told["status"], told["final"]) == (200, "discarded", True)
        assert (await at.verb("discard", sent.reference, reason="Again."))[0] == 409
        at.routes(route("complaints", "crm"))
        assert (await at.verb("replay", sent.reference))[0] == 409
        status, told = await at.verb("replay", sent.reference, reason="It was none.")
        assert (status, told["status"], told["final"]) == (200, "accepted", False)
        await at.here.settled(sent.id)
        assert ours(at.crm) == [sent.reference]


async def test_setting_the_rest_aside_leaves_what_was_delivered(tmp_path: Path) -> None:
    async with standing(tmp_path, route("first", "crm"), route("other", "desk", FAILS)) as at:
        sent = await at.here.publish(complaint() | ABROAD)
        await at.here.settled(sent.id)
        status, told = await at.verb("discard", sent.reference, reason="The desk has it by telephone.")
        assert (status, told["status"], told["final"], told["why"]) == (200, "delivered", True, [])


async def test_staff_find_theirs_and_nobody_elses(tmp_path: Path) -> None:
    async with standing(tmp_path, route("complaints", "crm", "details.kind == 'compliment'")) as at:
        sent = await at.here.publish(complaint())
        await at.here.publish(complaint() | {"details": complaint()["details"] | {"kind": "compliment"}})
        listed = (await at.staff().get("/v1/submissions?unrouted=true")).json()["items"]
        assert [(each["reference"], len(each["why"])) for each in listed] == [(sent.reference, 1)]
        path = f"/v1/submissions/{sent.reference}/replay"
        assert (await at.staff(councils=["southby"]).post(path, {})).status == 404
        assert (await at.staff(Role.VIEWER).post(path, {})).status == 403
        assert (await at.staff().post("/v1/submissions/AAAA-AAAA/replay", {})).status == 404


async def test_content_that_is_forgotten_cannot_be_routed(tmp_path: Path) -> None:
    async with standing(tmp_path, route("complaints", "crm", NO)) as at:
        sent = await at.here.publish(complaint())
        forgotten = sa.update(tables.submission_content).values(body=None)
        await at.here.hub.core.store.transact(lambda connection: connection.execute(forgotten))
        status, problem = await at.verb("replay", sent.reference)
        assert (status, "forgotten" in problem["detail"]) == (409, True)
