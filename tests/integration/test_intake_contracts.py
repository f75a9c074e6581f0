"""What is read rather than called: services, councils, problems, the description, health."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from hub.intake.problems import KINDS
from hub.intake.shapes import CouncilBody, Page, ServiceBody
from hub.standard import SERVICES
from tests.integration.intake_house import House, body, house, publish


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Shared: these tests read, and what they write they do not count."""
    with house(f"sqlite:///{tmp_path_factory.mktemp('house')}/hub.db") as made:
        yield made


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path}/hub.db") as made:
        yield made


async def described(here: House) -> Any:
    return (await here.caller(None).get("/openapi.json")).json()


async def test_services_and_councils_are_lists_of_their_shape(here: House) -> None:
    services = Page[ServiceBody].model_validate_json((await here.caller(None).get("/v1/services")).body)
    councils = Page[CouncilBody].model_validate_json((await here.caller(None).get("/v1/councils")).body)
    assert {one.code for one in services.items} == set(SERVICES)
    assert {one.slug: one.services for one in councils.items} == {
        "northborough": ["complaint", "missed-bin"],
        "southby": ["complaint"],
    }


async def test_councils_come_page_by_page(here: House) -> None:
    first = await here.caller(None).get("/v1/councils?limit=1")
    second = await here.caller(None).get(f"/v1/councils?limit=1&cursor={first.json()['next']}")
    assert [answer.json()["items"][0]["slug"] for answer in (first, second)] == ["northborough", "southby"]
    assert 'rel="next"' in first.headers["link"] and second.json()["next"] is None


async def test_services_come_page_by_page_until_there_are_no_more(here: House) -> None:
    found, target = [], "/v1/services?limit=2"
    while target:
        answer = await here.caller(None).get(target)
        found.append([one["code"] for one in answer.json()["items"]])
        target = answer.headers.get("link", "<>").partition("<")[2].partition(">")[0]
    assert found == [sorted(SERVICES)[at : at + 2] for at in range(0, len(SERVICES), 2)]


async def test_a_service_tells_its_versions_and_what_each_changed(here: House) -> None:
    told = (await here.caller(None).get("/v1/services/missed-bin")).json()
    assert (told["version"], told["versions"]) == (2, [1, 2])
    assert [change["version"] for change in told["changes"]] == [2] and "container" in told["changes"][0]["about"]


@pytest.mark.parametrize("version", SERVICES["missed-bin"].versions)
async def test_each_version_has_a_schema_with_examples_of_its_own(here: House, version: int) -> None:
    schema = (await here.caller(None).get(f"/v1/services/missed-bin/schema?version={version}")).json()
    assert schema["$id"] == f"urn:council-hub:missed-bin:{version}"
    assert [example["version"] for example in schema["examples"]] == [version] * 3


async def test_one_council_by_either_name(here: House) -> None:
    by_slug, by_gss = [await here.caller(None).get(f"/v1/councils/{name}") for name in ("southby", "E07000998")]
    assert by_slug.json() == by_gss.json() and by_slug.status == 200


@pytest.mark.parametrize("code", sorted(SERVICES))
async def test_a_schema_takes_its_own_examples(here: House, code: str) -> None:
    schema = (await here.caller(None).get(f"/v1/services/{code}/schema")).json()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert len(schema["examples"]) >= 3
    for example in schema["examples"]:
        jsonschema.Draft202012Validator(schema).validate(example)


async def test_a_schema_that_has_not_changed_is_not_sent_again(here: House) -> None:
    first = await here.caller(None).get("/v1/services/complaint/schema?version=1")
    again = await here.caller(None).get("/v1/services/complaint/schema", if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"") and "max-age" in first.headers["cache-control"]


@pytest.mark.parametrize(
    "target", ["/v1/services/nope", "/v1/services/missed-bin/schema?version=9", "/v1/councils/nope"]
)
async def test_what_is_not_there_says_what_is(here: House, target: str) -> None:
    answer = await here.caller(None).get(target)
    assert (answer.status, answer.json()["code"]) == (404, "not-found")


async def test_every_problem_has_a_page_for_people_and_programs(here: House) -> None:
    for code, kind in KINDS.items():
        page = await here.caller(None).get(f"/problems/{code}", accept="text/html")
        told = await here.caller(None).get(f"/problems/{code}")
        assert escape(kind.title) in page.body.decode() and told.json()["remedy"] == kind.remedy


@pytest.mark.parametrize("target", ["/nope", "/v1/submissions/", "/v1/nope?name=Blodwen", "//", "/%00", "/../etc"])
async def test_an_unknown_address_is_a_problem_too(here: House, target: str) -> None:
    answer = await here.caller(None).get(target)
    assert (answer.status, answer.json()["code"]) == (404, "not-found") and "Blodwen" not in answer.body.decode()


async def test_another_method_says_which_there_are(here: House) -> None:
    answer = await here.caller(None).call("DELETE", "/v1/submissions")
    assert (answer.status, answer.json()["code"]) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"


async def test_options_answers_with_the_methods_and_no_cors(here: House) -> None:
    answer = await here.caller(None).call("OPTIONS", "/v1/submissions", headers={"origin": "https://evil.example"})
    assert (answer.status, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_a_query_that_is_not_of_its_form_is_a_422(here: House) -> None:
    for query in ("limit=0", "limit=1000", "limit=ten", "cursor=%00", "cursor=%FF", "cursor=zzz%3D"):
        answer = await here.caller().get(f"/v1/submissions?{query}")
        assert answer.status == 422 and answer.json()["errors"][0]["pointer"].startswith("#/query/"), query


async def test_health_and_metrics(alone: House) -> None:
    caller = alone.caller()
    await publish(caller)
    await publish(caller, council="nowalone")
    assert (await caller.get("/health/live")).json()["status"] == "live"
    assert (await caller.get("/health/ready")).json() == {"status": "ready"}
    text = (await caller.get("/metrics")).body.decode()
    assert 'hub_submissions_total{result="accepted",service="missed-bin"} 1.0' in text
    assert 'hub_submissions_total{result="not-found",service="missed-bin"} 1.0' in text
    assert "hub_queued 1.0" in text and "hub_accept_seconds_count 1.0" in text


async def test_a_made_up_service_is_no_label(here: House) -> None:
    await here.caller().post("/v1/submissions", {**body(), "service": "made-up-by-a-caller"})
    assert "made-up" not in (await here.caller().get("/metrics")).body.decode()


async def test_not_ready_while_nothing_can_be_kept_and_metrics_all_the_same(alone: House) -> None:
    alone.store.writing.dispose()
    alone.store.close()
    answer = await alone.caller().get("/health/ready")
    assert (answer.status, answer.json()["code"]) == (503, "unavailable")


async def test_the_description_is_complete(here: House) -> None:
    document = await described(here)
    assert document["openapi"].startswith("3.1") and document["info"]["description"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (path, method)
            for status, answer in operation["responses"].items():
                if "/infreemation/" not in path:  # which says no in Infreemation's shape
                    assert int(status) < 400 or answer["$ref"].startswith("#/components/responses/"), (path, status)
            if not path.startswith(("/health", "/metrics", "/v1/services", "/v1/councils")):
                assert operation["security"], path


async def test_every_reference_in_the_description_leads_somewhere(here: House) -> None:
    document = await described(here)
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        part = document
        for name in reference.split("/"):
            part = part[name]


async def test_the_examples_of_the_description_are_taken(here: House) -> None:
    content = (await described(here))["paths"]["/v1/submissions"]["post"]["requestBody"]["content"]
    for name, example in content["application/json"]["examples"].items():
        if example["value"]["service"] in ("missed-bin", "complaint"):
            answer = await here.caller().post("/v1/submissions", {**example["value"], "council": "northborough"})
            assert answer.status == 202, name


async def test_examples_move_with_the_day(tmp_path: Path) -> None:
    days = [datetime(2026, 11, 23, 23, 59, tzinfo=UTC), datetime(2026, 11, 24, 0, 1, tzinfo=UTC)]
    with house(f"sqlite:///{tmp_path}/hub.db", clock=lambda: days[0]) as here:
        first = (await here.caller(None).get("/openapi.json")).body
        days.pop(0)
        assert (await here.caller(None).get("/openapi.json")).body != first


async def test_there_are_no_pages_that_load_scripts_from_elsewhere(here: House) -> None:
    for target in ("/docs", "/redoc"):
        assert (await here.caller(None).get(target)).status == 404
