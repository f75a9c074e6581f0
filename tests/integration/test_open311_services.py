"""What FixMyStreet reads every hour: the services of a council and what each asks for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.generation import CouncilFilesRefused
from tests.integration.open311_house import Site, refused, site


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Shared: these tests only read."""
    with site(f"sqlite:///{tmp_path_factory.mktemp('house')}/hub.db") as made:
        yield made


async def test_every_service_of_a_council_is_listed_without_a_key(here: Site) -> None:
    services = (await here.xml("northborough/services.xml?jurisdiction_id=northborough"))["service"]
    assert [each["service_code"] for each in services] == ["DOG_1", "fly-tipping", "missed-bin", "strict"]
    assert all(each["service_name"] and each["metadata"] == "true" and each["type"] == "realtime" for each in services)


async def test_a_pattern_is_not_shown_beside_a_councils_own_and_is_still_known(here: Site) -> None:
    listed = [each["service_code"] for each in (await here.xml("northborough/services.xml"))["service"]]
    assert "street-issue" not in listed and (await here.get("northborough/services/street-issue.xml")).status == 200


async def test_a_council_that_takes_one_service_lists_one(here: Site) -> None:
    [service] = (await here.xml("eastvale/services.xml"))["service"]
    assert (service["service_code"], service["group"]) == ("fly-tipping", "Street cleaning")


async def test_names_groups_and_keywords_come_as_the_profile_says(here: Site) -> None:
    dog = (await here.xml("northborough/services.xml"))["service"][0]
    assert (dog["service_name"], dog["keywords"], dog["group"]) == (
        "Dog fouling by a neighbour", "private", 'Dogs & other "animals"',
    )  # fmt: skip


async def test_a_definition_comes_out_as_lists(here: Site) -> None:
    definition = await here.xml("northborough/services/fly-tipping.xml?jurisdiction_id=northborough")
    by_code = {each["code"]: each for each in definition["attributes"]}
    assert definition["service_code"] == "fly-tipping"
    assert by_code["type_of_waste"]["datatype"] == "multivaluelist"
    assert {"key": "Asbestos", "name": "Asbestos"} in by_code["type_of_waste"]["values"]


@pytest.mark.parametrize("code", ["fly-tipping", "missed-bin", "street-issue", "DOG_1"])
async def test_a_definition_asks_for_what_the_client_sends_only_when_asked(here: Site, code: str) -> None:
    definition = await here.xml(f"northborough/services/{code}.xml")
    by_code = {each["code"]: each for each in definition["attributes"]}
    assert {"fixmystreet_id", "easting", "northing", "uprn", "closest_address"} <= set(by_code)
    assert by_code["fixmystreet_id"]["automated"] == by_code["easting"]["automated"] == "server_set"
    assert by_code["uprn"]["automated"] == "hidden_field" and "automated" not in by_code.get("category", {})


async def test_json_has_no_wrappers(here: Site) -> None:
    listed = (await here.get("northborough/services.json")).json()
    defined = (await here.get("northborough/services/fly-tipping.json")).json()
    assert listed[0]["service_code"] == "DOG_1" and listed[0]["metadata"] is True
    assert defined["attributes"][0]["order"] == 1 and isinstance(defined["attributes"], list)


async def test_without_an_extension_accept_decides(here: Site) -> None:
    for path in ("northborough/services", "northborough/services/fly-tipping", "northborough/discovery"):
        xml, told = await here.get(path), await here.get(path, accept="application/json")
        assert xml.headers["content-type"] == "text/xml; charset=utf-8" and told.json()


async def test_discovery_names_the_one_address_of_a_council(here: Site) -> None:
    endpoint = (await here.get("northborough/discovery.json")).json()["endpoints"][0]
    assert endpoint["url"].endswith("/open311/northborough/") and endpoint["formats"] == [
        "text/xml",
        "application/json",
    ]
    assert (await here.xml("northborough/discovery.xml"))["endpoints"]["endpoint"]["type"] == "production"


async def test_a_council_is_found_by_its_gss_code_too(here: Site) -> None:
    assert (await here.get("E07000999/services.xml")).body == (await here.get("northborough/services.xml")).body


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nowhere/services.xml", 404),
        ("northborough/services.xml?jurisdiction_id=nowhere", 404),
        ("northborough/services.xml?jurisdiction_id=eastvale", 400),
        ("northborough/services.xml?api_key=wrong&jurisdiction_id=E07000998", 400),
        ("northborough/services/nope.xml", 404),
        ("northborough/services/abandoned-vehicle.xml", 404),
        ("northborough/services/%3Fa%23b%00.xml", 404),
        ("northborough/services.html", 404),
        ("northborough/servicerequestupdates.xml", 404),
        ("northborough/servicerequestupdates.xml?start_date=2026-05-01T10:00:00Z", 404),
        ("northborough/", 404),
        ("northborough", 404),
        ("northborough/services/", 404),
        ("%00/services.xml", 404),
        ("northborough/requests.xml", 404),
        ("northborough/requests.xml?start_date=2026-05-01T10:00:00Z&end_date=2026-05-01T11:00:00Z", 404),
        ("northborough/requests/ABCD-EFGH.xml", 404),
        ("northborough/requests/nope.xml", 404),
        ("northborough/requests/ABCD-EFGH.xml?api_key=wrong", 403),
        ("northborough/tokens/ABCD-EFGH.xml", 404),
    ],
)
async def test_every_no_is_open311s_own(here: Site, path: str, status: int) -> None:
    assert refused(await here.get(path)) == (status, str(status))


async def test_a_no_in_json_is_a_list_of_errors(here: Site) -> None:
    answer = await here.get("northborough/services/nope.json")
    assert answer.status == 404 and answer.json()[0]["code"] == 404 and answer.json()[0]["description"]


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH"])
async def test_another_method_says_which_there_are(here: Site, method: str) -> None:
    answer = await here.caller.call(method, "/open311/northborough/requests.xml")
    assert refused(answer) == (405, "405") and answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"


async def test_options_and_head_are_answered(here: Site) -> None:
    options = await here.caller.call("OPTIONS", "/open311/northborough/services.xml")
    head = await here.caller.call("HEAD", "/open311/northborough/services.xml")
    assert (options.status, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
    assert (head.status, head.body) == (200, b"")


async def test_a_list_that_cannot_be_made_whole_is_a_503_and_never_a_part(tmp_path: Path) -> None:
    def refused_whole() -> None:
        raise CouncilFilesRefused(())

    with site(f"sqlite:///{tmp_path}/hub.db", councils=refused_whole) as broken:
        answer = await broken.get("northborough/services.xml")
    assert refused(answer) == (503, "503") and answer.headers["retry-after"] == "60"
    assert b"<service>" not in answer.body


async def test_a_definition_that_is_in_the_list_can_be_fetched(here: Site) -> None:
    for service in (await here.xml("northborough/services.xml"))["service"]:
        definition = await here.xml(f"northborough/services/{service['service_code']}.xml")
        assert isinstance(definition["attributes"], list)
