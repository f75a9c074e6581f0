"""Reports as FixMyStreet sends them: taken at once under a number that stays, refused for very little."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hub.intake.limits import Rate
from hub.model import Role
from hub.store import tables
from tests.integration.open311_house import (
    BINS,
    JPEG,
    KEY,
    TIPS,
    Site,
    content,
    councils,
    mended,
    number,
    refused,
    rows,
    site,
)
from tests.open311 import changed, form, xml_in


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    with site(f"sqlite:///{tmp_path}/hub.db") as made:
        yield made


async def test_a_report_is_a_submission_at_once(here: Site) -> None:
    reference = await here.sent(BINS)
    made = content(here, reference)
    assert (made["service"], made["property"], made["front_end_reference"]) == (
        "missed-bin", {"uprn": "1000001"}, "2000123",
    )  # fmt: skip
    assert made["description"] == "Missed refuse\nNot taken" and here.house.rung == ["northborough/waste"]


async def test_repeated_attributes_arrive_all(here: Site) -> None:
    made = content(here, await here.sent(TIPS))
    assert made["details"]["waste_types"] == ["asbestos", "black_bags"]
    assert made["details"]["witnessed_at"].startswith("2026-07-03T1") and made["location"]["easting"] == 512345


async def test_one_ticked_box_and_a_word_that_no_table_knows_are_taken(here: Site) -> None:
    pairs = [pair for pair in TIPS if pair != ("attribute[type_of_waste]", "Black bags")]
    made = content(
        here, await here.sent(changed(pairs, attribute__type_of_waste="Paint tins", attribute__land_type="Moor"))
    )
    assert (made["details"]["waste_types"], made["details"]["land_type"]) == (["other"], "unknown")
    assert (made["extra"]["type_of_waste"], made["extra"]["land_type"]) == ("Paint tins", "Moor")


async def test_what_no_profile_reads_is_in_extra(here: Site) -> None:
    pairs = [*BINS, ("media_url", "https://a.example/1.jpg"), ("media_url", "https://a.example/2.jpg")]
    made = content(here, await here.sent([*pairs, ("attribute[mood]", "cross"), ("deviceid", "an app")]))
    extra = made["extra"]
    assert extra["media_url"] == ["https://a.example/1.jpg", "https://a.example/2.jpg"]
    assert (extra["attributes.mood"], extra["deviceid"]) == ("cross", "an app")


async def test_somewhere_that_was_not_pinpointed_says_so(here: Site) -> None:
    pairs = changed(TIPS, lat=None, long=None, address_id="#NOTPINPOINTED#", address_string="NB1 2CD")
    assert content(here, await here.sent(pairs))["location"]["pinned"] is False


async def test_a_councils_own_code_is_its_own_category(here: Site) -> None:
    made = content(here, await here.sent(changed(TIPS, service_code="DOG_1")))
    assert (made["service"], made["details"]["category"]) == ("street-issue", "dog_fouling")


async def test_json_is_answered_without_wrappers(here: Site) -> None:
    answer = await here.post(BINS, "northborough/requests.json")
    assert answer.status == 200 and list(answer.json()[0]) == ["service_request_id", "account_id"]


@pytest.mark.parametrize("how", ["query", "header", "bearer"])
async def test_the_key_may_stand_elsewhere(here: Site, how: str) -> None:
    headers = {"query": {}, "header": {"x_api_key": KEY}, "bearer": {"authorization": f"Bearer {KEY}"}}[how]
    path = "/open311/northborough/requests.xml" + (f"?api_key={KEY.replace(' ', '+')}" if how == "query" else "")
    kind = "application/x-www-form-urlencoded"
    number(await here.caller.post(path, form(changed(BINS, api_key=None)), content_type=kind, **headers))


async def test_what_cannot_be_mapped_is_parked_under_a_number_that_stays(here: Site) -> None:
    strict = changed(TIPS, service_code="strict")
    first, again = await here.sent(strict), await here.sent(strict)
    [row] = rows(here, tables.received)
    assert first == again == row.reference and row.state == "parked" and "category_code" in row.why
    assert (await here.xml(f"northborough/requests/{first}.xml"))["request"][0]["status"] == "open"


async def test_a_parked_report_goes_on_under_its_number_once_the_profile_is_mended(tmp_path: Path) -> None:
    in_force = [councils(), mended()]
    with site(f"sqlite:///{tmp_path}/hub.db", councils=lambda: in_force[0]) as here:
        strict = changed(TIPS, service_code="strict")
        reference = number(await here.upload(strict, ("photo1", "tip.jpeg", "image/jpeg", JPEG)))
        in_force.pop(0)
        [row] = rows(here, tables.received)
        answer = await here.house.user("ann", Role.OPERATOR).post(f"/v1/received/{row.id}/replay", {})
        assert (answer.status, answer.json()["state"]) == (200, "mapped"), answer.body
        made = content(here, reference)
        assert made["details"]["category"] == "pothole" and len(made["attachments"]) == 1
        assert number(await here.upload(strict, ("photo1", "tip.jpeg", "image/jpeg", JPEG))) == reference


async def test_a_repeat_gets_the_same_number_whatever_order_it_comes_in(here: Site) -> None:
    first = await here.sent(BINS)
    assert await here.sent(list(reversed(BINS))) == first
    assert len(rows(here, tables.submission)) == 1 and rows(here, tables.follow_up) == []


async def test_a_repeat_with_other_words_gets_the_first_number_and_is_not_lost(here: Site) -> None:
    first = await here.sent(BINS)
    assert await here.sent(changed(BINS, attribute__location_of_containers="At the back, sorry")) == first
    assert len(rows(here, tables.submission)) == len(rows(here, tables.follow_up)) == 1


async def test_two_at_once_are_one(here: Site) -> None:
    numbers = await asyncio.gather(*[here.sent(BINS) for _ in range(8)])
    assert len(set(numbers)) == 1 and len(rows(here, tables.submission)) == 1


async def test_two_at_once_are_one_while_parked_too(here: Site) -> None:
    numbers = await asyncio.gather(*[here.sent(changed(TIPS, service_code="strict")) for _ in range(8)])
    assert len(set(numbers)) == 1 and len(rows(here, tables.received)) == 1


async def test_the_same_report_number_at_another_council_is_another_report(here: Site) -> None:
    assert await here.sent(TIPS) != await here.sent(TIPS, "eastvale/requests.xml")


async def test_without_a_report_number_the_words_are_what_repeats(here: Site) -> None:
    unnumbered = changed(BINS, attribute__fixmystreet_id=None)
    first = await here.sent(unnumbered)
    assert await here.sent(list(reversed(unnumbered))) == first
    assert await here.sent(changed(unnumbered, first_name="Ann")) != first


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"api_key": "wrong"}, 403),
        ({"api_key": None}, 403),
        ({"api_key": ""}, 403),
        ({"api_key": "\ud83d\x00"}, 403),
        ({"service_code": "nope"}, 404),
        ({"service_code": None}, 404),
        ({"service_code": "../missed-bin\x00"}, 404),
        ({"jurisdiction_id": "eastvale"}, 400),
        ({"jurisdiction_id": "E07000998"}, 400),
        ({"jurisdiction_id": "nowhere"}, 404),
        ({"lat": None, "long": None, "attribute__uprn": None}, 400),
        ({"lat": "north"}, 400),
        ({"attribute__easting": "somewhere"}, 400),
        ({"attribute__collection_date": "2026-02-30"}, 400),
    ],
)
async def test_little_is_refused_and_leaves_nothing(here: Site, changes: dict[str, str | None], status: int) -> None:
    pairs = [(name, value.replace("\ud83d", "")) for name, value in changed(BINS, **changes)]
    assert refused(await here.post(pairs)) == (status, str(status))
    assert rows(here, tables.received) == [] and here.house.rung == []


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "not an address"},
        {"phone": "ask for Bob " * 20},
        {"description": "x" * 5_000},
        {"attribute__uprn": "not a uprn"},
        {"attribute__fixmystreet_id": "\x00\x1b"},
        {"description": "\x00\x01\x0b Zażółć 🗑 \ufffe"},
        {"email": None, "phone": None},
        {"first_name": None},
        {"x" * 300: "y"},
        {f"attribute__{'c' * 300}": "y" * 3_000},
    ],
)
async def test_everything_else_is_taken_mapped_or_parked(here: Site, changes: dict[str, str | None]) -> None:
    assert await here.sent(changed(BINS, **changes)) == rows(here, tables.received)[0].reference


async def test_a_key_of_another_council_or_service_is_refused(here: Site) -> None:
    for name, reached, services in (("a", ["eastvale"], None), ("b", None, ["fly-tipping"])):
        here.house.front_end(name, councils=reached, services=services)
        assert refused(await here.post(changed(BINS, api_key=f"key of {name}"))) == (403, "403")


async def test_a_hundred_of_one_field_and_a_form_of_nothing_are_no_5xx(here: Site) -> None:
    number(await here.post([*BINS, *[("attribute[x]", str(n)) for n in range(300)]]))
    assert refused(await here.post([*BINS, *[("x", "y")] * 1_001])) == (413, "413")
    assert refused(await here.post([])) == (403, "403")


async def test_bytes_that_are_not_utf8_are_read_as_an_older_client_meant_them(here: Site) -> None:
    raw = form(changed(BINS, first_name="Z")).replace(b"first_name=Z", b"first_name=Zo%EB")
    answer = await here.caller.post("/open311/northborough/requests.xml", raw)
    assert content(here, number(answer))["contact"]["full_name"] == "Zoë Mould"


@pytest.mark.parametrize("raw", [b'{"service_code": "missed-bin"}', b"<xml/>", b"[]"])
async def test_what_is_no_form_is_told_so(here: Site, raw: bytes) -> None:
    answer = await here.caller.post("/open311/northborough/requests.xml", raw, content_type="application/json")
    assert refused(answer) == (400, "400")


async def test_a_form_over_the_limit_is_a_413(tmp_path: Path) -> None:
    with site(f"sqlite:///{tmp_path}/hub.db", max_body=10_000) as small:
        assert refused(await small.post([*BINS, ("attribute[long]", "x" * 20_000)])) == (413, "413")
        assert refused(await small.upload([*BINS], ("photo1", "a.jpeg", "image/jpeg", JPEG * 2_000))) == (413, "413")


async def test_too_fast_is_a_429_with_a_time(tmp_path: Path) -> None:
    with site(f"sqlite:///{tmp_path}/hub.db", rate=Rate(per_second=0.1, burst=1)) as slow:
        await slow.sent(BINS)
        answer = await slow.post(BINS)
    assert refused(answer) == (429, "429") and int(answer.headers["retry-after"]) > 0


async def test_a_store_that_is_away_is_a_503_with_a_time(here: Site) -> None:
    await here.sent(BINS)
    here.house.store.close()
    answer = await here.post(changed(BINS, attribute__fixmystreet_id="9"))
    assert refused(answer) == (503, "503") and int(answer.headers["retry-after"]) > 0


async def test_a_report_is_open_and_says_nothing_personal(here: Site) -> None:
    reference = await here.sent(TIPS)
    answer = await here.get(f"northborough/requests/{reference}.xml")
    [told] = xml_in(answer.body)["request"]
    assert (told["service_request_id"], told["status"], told["service_code"]) == (reference, "open", "fly-tipping")
    assert b"Smith" not in answer.body and b"junction" not in answer.body and b"52.03" not in answer.body


async def test_several_are_told_at_once_and_strangers_left_out(here: Site) -> None:
    first, second = await here.sent(TIPS), await here.sent(BINS)
    path = f"northborough/requests.json?service_request_id={first},{second.lower()},AAAA-AAAA,nonsense"
    assert [each["service_request_id"] for each in (await here.get(path)).json()] == [first, second]
    assert refused(await here.get(f"eastvale/requests/{first}.xml"))[0] == 404


async def test_a_token_is_the_number(here: Site) -> None:
    reference = await here.sent(BINS)
    made = await here.xml(f"northborough/tokens/{reference}.xml")
    assert made["request"][0]["service_request_id"] == reference


async def test_a_private_report_is_told_to_its_own_front_end_only(here: Site) -> None:
    reference = await here.sent(changed(TIPS, service_code="DOG_1"))
    here.house.front_end("another")
    path = f"northborough/requests/{reference}.xml"
    answers = [await here.get(path), await here.get(f"{path}?api_key=key+of+another")]
    assert [refused(answer)[0] for answer in answers] == [404, 404]
    assert (await here.get(f"{path}?api_key={KEY.replace(' ', '+')}")).status == 200


@pytest.mark.parametrize(
    ("case", "status"), [("resolved", "closed"), ("no_further_action", "closed"), ("planned", "open")]
)
async def test_what_the_council_has_done_with_is_closed(here: Site, case: str, status: str) -> None:
    reference = await here.sent(BINS)
    here.house.store.transact_now(lambda c: c.execute(sa.update(tables.submission).values(case_status=case)))
    [told] = (await here.xml(f"northborough/requests/{reference}.xml"))["request"]
    assert (told["status"], told["status_notes"]) == (status, case)
