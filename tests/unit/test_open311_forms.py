"""Open311 forms as answers: repeated keys, the extended description, what the door refuses and what it does not."""

from __future__ import annotations

import pytest

from hub.core import form_fields
from hub.core.offer import Attribute, Datatype, Offer
from hub.core.sheets import READERS, Misshapen
from hub.intake.open311.checking import check_form
from hub.intake.open311.reading import Sent, Upload, pack
from hub.intake.problems import Stop
from tests.open311 import FLY_TIP, MISSED, changed

OFFER = Offer(
    name="Fly-tipping",
    attributes=(
        Attribute(code="easting", description="", datatype=Datatype.NUMBER),
        Attribute(code="seen", description="", datatype=Datatype.DATETIME),
    ),
)


def sent(**changes: str | None) -> Sent:
    return Sent(pairs=changed(MISSED, **changes))


def nowhere(**changes: str | None) -> Sent:
    return sent(**{"lat": None, "long": None, "attribute__uprn": None, **changes})


def test_repeated_keys_become_lists_in_their_order() -> None:
    assert form_fields.answers(FLY_TIP)["attributes"]["type_of_waste"] == ["Asbestos", "Black bags"]
    pairs = [("media_url", "https://a.example/1.jpg"), ("media_url", "https://a.example/2.jpg")]
    assert form_fields.answers(pairs)["media_url"] == ["https://a.example/1.jpg", "https://a.example/2.jpg"]


def test_attributes_written_as_lists_are_the_same_attributes() -> None:
    assert form_fields.answers([("attribute[a][]", "1"), ("attribute[a][]", "2")]) == {"attributes": {"a": ["1", "2"]}}


def test_a_name_that_only_looks_like_an_attribute_is_not_lost() -> None:
    assert form_fields.answers([("attribute[", "1"), ("other[x]", "2")]) == {"attribute[": "1", "other[x]": "2"}


def test_blank_fields_are_no_answers() -> None:
    assert form_fields.answers([("email", "  "), ("attribute[uprn]", ""), ("phone", " 1 ")]) == {"phone": "1"}


def test_the_extended_description_is_taken_apart() -> None:
    assert form_fields.described(dict(MISSED)["description"]) == {
        "title": "Missed refuse",
        "detail": "Not taken",
        "url": "http://fixmystreet.example/report/2000123",
    }


def test_a_detail_may_look_like_the_labels_and_have_paragraphs() -> None:
    detail = "One.\n\nurl: not this one\n\ndetail: nor this\n\nTwo."
    made = form_fields.described(
        f"title: A\n\ndetail: {detail}\n\nurl: http://x.example/1\n\nSubmitted via FixMyStreet\n"
    )
    assert (made["detail"], made["url"]) == (detail, "http://x.example/1")


def test_what_stands_after_the_link_is_kept() -> None:
    made = form_fields.described("title: A\n\ndetail: B\n\nurl: http://x.example/1\n\nPS: mind the dog")
    assert made["detail"] == "B\n\nPS: mind the dog"


@pytest.mark.parametrize("plain", ["Just words.", "title: no more", "title: A\n\nurl: b", "detail: A\n\nurl: b"])
def test_any_other_description_is_the_detail(plain: str) -> None:
    assert form_fields.described(plain) == {"detail": plain}


def test_a_hostile_description_takes_no_time() -> None:
    assert form_fields.described("title: " + "\n\ndetail: " * 200_000)["detail"]


def test_a_kept_form_is_read_again_without_its_key() -> None:
    kept = pack(sent())
    assert "api_key" not in repr(kept) and READERS["open311"](kept).answers["attributes"]["uprn"] == "1000001"


def test_a_repeat_in_another_order_is_kept_alike() -> None:
    pairs = list(FLY_TIP)
    waste = [pair for pair in pairs if "waste" in pair[0]]
    shuffled = [*reversed([pair for pair in pairs if pair not in waste]), *waste]
    assert pack(Sent(pairs=shuffled)) == pack(Sent(pairs=pairs))


def test_files_that_were_not_kept_are_named_to_staff() -> None:
    upload = Upload(part="file_1", name="odd.exe", media_type="x/y", content=b"MZ")
    kept = pack(Sent(pairs=MISSED, uploads=[upload]), left_out=[upload])
    assert READERS["open311"](kept).answers["files_not_kept"] == ["odd.exe"]


@pytest.mark.parametrize(
    "body", [[], {}, {"fields": 1}, {"fields": [["a"]]}, {"fields": [["a", 1]]}, {"fields": ["ab"]}]
)
def test_what_is_no_kept_form_is_said_to_be_none(body: object) -> None:
    with pytest.raises(Misshapen):
        READERS["open311"](body)


@pytest.mark.parametrize(
    "where",
    [
        {"lat": "51.5", "long": "-0.1"},
        {"address_string": "NB1 2CD"},
        {"address_id": "#NOTPINPOINTED#"},
        {"attribute__uprn": "1000001"},
        {"attribute__NSGRef": "20601234"},
        {"attribute__easting": "512345", "attribute__northing": "234567"},
    ],
)
def test_one_location_of_any_kind_is_enough(where: dict[str, str]) -> None:
    check_form(nowhere(**where), OFFER)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"lat": "51.5"},
        {"address_string": "   "},
        {"attribute__easting": "512345"},
        {"lat": "fifty", "long": "1"},
        {"lat": "nan", "long": "1"},
        {"lat": "1e5", "long": "1"},
        {"lat": "91", "long": "1"},
        {"lat": "1", "long": "-180.5"},
        {"lat": "٥١", "long": "1"},
        {"lat": "1" * 400, "long": "1"},
        {"attribute__uprn": "1", "attribute__easting": "about 5"},
        {"attribute__uprn": "1", "attribute__seen": "last Tuesday"},
        {"attribute__uprn": "1", "attribute__seen": "2026-02-30T10:00:00Z"},
        {"attribute__uprn": "1", "attribute__seen": "2026-02-03T25:00:00Z"},
    ],
)
def test_nowhere_and_unreadable_numbers_and_dates_are_refused(changes: dict[str, str]) -> None:
    with pytest.raises(Stop) as stopped:
        check_form(nowhere(**changes), OFFER)
    assert stopped.value.problem.status == 400


@pytest.mark.parametrize(
    "seen", ["2026-07-03", "2026-07-03T14:30", "2026-07-03T14:30:36Z", "2026-07-03 14:30:36+01:00"]
)
def test_a_real_date_is_read_with_or_without_its_time_and_zone(seen: str) -> None:
    check_form(sent(attribute__seen=seen), OFFER)


def test_an_attribute_that_nobody_asked_for_is_never_refused() -> None:
    check_form(sent(attribute__unheard_of="about 5"), OFFER)
