"""What must be answered: subject access requests and general enquiries."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from hub.errors import Invalid
from hub.standard import SERVICES, Service, read_data, without_derived

TODAY = date(2026, 3, 10)
SAR, ENQUIRY = SERVICES["subject-access-request"], SERVICES["general-enquiry"]
HOME = {"uprn": "100012345678"}


def body(service: Service, **details: Any) -> dict[str, Any]:
    least = dict(service.good[0].body)
    return {**least, "details": {**least["details"], **details}}


def about(**subject: Any) -> dict[str, Any]:
    return body(SAR, subject_details={"full_name": "Sam Example", **subject})


def faults(service: Service, sent: dict[str, Any]) -> list[str]:
    """Where it is refused; by the models, and by the schema unless only a date lies before another."""
    with pytest.raises(Invalid) as refused:
        read_data(sent, today=TODAY)
    found = [pointer for pointer, _ in refused.value.faults]
    published = Draft202012Validator(service.schema(1), format_checker=FormatChecker())
    assert not published.is_valid(sent) or found[0].endswith("/to")
    return found


def warned(sent: dict[str, Any], *, today: date = TODAY) -> list[str]:
    return [warning.pointer for warning in read_data(sent, today=today).warnings]


@pytest.mark.parametrize(
    "contact",
    [
        {"full_name": "A", "phone": "1"},
        {"email": "a@example.org"},
        {"organisation": "A", "email": "a@example.org"},
        {"anonymous": True},
    ],
    ids=["no address", "no name", "an organisation", "anonymous"],
)
def test_a_subject_access_request_needs_a_name_and_somewhere_to_answer(contact: dict[str, Any]) -> None:
    assert "#/contact" in faults(SAR, {**body(SAR), "contact": contact})


@pytest.mark.parametrize("lacking", ["subject", "subject_details", "information_wanted", "reply_by"])
def test_a_subject_access_request_says_who_and_what_and_how(lacking: str) -> None:
    sent = body(SAR)
    sent["details"].pop(lacking)
    assert faults(SAR, sent) == [f"#/details/{lacking}"]


def test_access_is_what_is_asked_for_unless_another_right_is_named() -> None:
    assert read_data(body(SAR), today=TODAY).data["details"]["right"] == "access"
    assert read_data(body(SAR, right="erasure"), today=TODAY).data["details"]["right"] == "erasure"


@pytest.mark.parametrize(
    ("home", "where"),
    [
        ({"property": {"usrn": "20601234"}}, "property"),
        ({"from": "2019-04-01"}, "property"),
        ({"property": HOME, "from": "2024-09-30", "to": "2019-04-01"}, "to"),
        ({"property": HOME, "from_": "2019-04-01"}, "from_"),
        ({"property": HOME, "from": "2019-02-30"}, "from"),
    ],
)
def test_a_home_of_the_past_can_be_found_and_was_left_after_it_was_moved_into(home: dict[str, Any], where: str) -> None:
    assert faults(SAR, about(addresses=[home])) == [f"#/details/subject_details/addresses/0/{where}"]


def test_a_home_of_the_past_keeps_from_when_to_when() -> None:
    sent = about(addresses=[{"property": HOME, "from": "2019-04-01", "to": "2024-09-30"}])
    kept = read_data(sent, today=TODAY).data
    assert kept["details"]["subject_details"] == sent["details"]["subject_details"]
    assert read_data(without_derived(kept), today=TODAY).data == kept


@pytest.mark.parametrize("hour", ["24:00", "9:30", "09:60", "0930", "09:30:00", "noon"])
def test_an_hour_is_written_in_one_way(hour: str) -> None:
    sent = body(SAR, cctv={"date": "2026-03-02", "location": "Town hall", "time_from": hour})
    assert faults(SAR, sent) == ["#/details/cctv/time_from"]


@pytest.mark.parametrize(
    ("details", "where"),
    [
        ({"date_from": "2026-03-11"}, "date_from"),
        ({"cctv": {"date": "2026-03-11", "location": "Town hall"}}, "cctv/date"),
        ({"cctv": {"date": "2026-02-06", "location": "Town hall"}}, "cctv/date"),
        ({"reply_by": "post"}, "reply_by"),
        ({"identity_evidence": ["passport.jpg"]}, "identity_evidence/0"),
        ({"authority_evidence": ["letter.pdf"]}, "authority_evidence/0"),
    ],
    ids=["from tomorrow", "filmed tomorrow", "filmed long ago", "post without an address", "no passport", "no letter"],
)
def test_a_subject_access_request_is_taken_with_a_warning(details: dict[str, Any], where: str) -> None:
    assert warned(body(SAR, **details)) == [f"#/details/{where}"]


@pytest.mark.parametrize(
    ("born", "remarked"),
    [("2008-03-10", True), ("2008-03-11", False), ("2026-03-10", False)],
    ids=["18 today", "18 tomorrow", "born today"],
)
def test_a_child_is_not_of_age(born: str, remarked: bool) -> None:
    sent = body(SAR, subject="child", subject_details={"full_name": "Gwyn Esiampl", "date_of_birth": born})
    assert warned(sent) == ["#/details/subject"] * remarked


def test_evidence_is_among_the_attachments_by_id_or_by_name() -> None:
    files = [{"id": "id-1"}, {"name": "letter.pdf", "media_type": "application/pdf", "content_base64": "aGVsbG8="}]
    sent = body(SAR, identity_evidence=["id-1"], authority_evidence=["letter.pdf"])
    assert warned({**sent, "attachments": files}) == []


def test_all_that_is_said_of_the_person_is_sensitive() -> None:
    sensitive = {path.path for path in SAR.personal(1) if path.sensitive}
    named = (
        "subject_details",
        "information_wanted",
        "service_areas",
        "identity_evidence",
        "authority_evidence",
        "cctv",
    )
    assert sensitive >= {("details", name) for name in named}


@pytest.mark.parametrize("reply_wanted", [True, False])
def test_an_enquiry_may_be_anonymous_though_it_cannot_be_answered(reply_wanted: bool) -> None:
    sent = {**body(ENQUIRY, reply_wanted=reply_wanted), "contact": {"anonymous": True}}
    assert warned(sent) == ["#/details/reply_wanted"] * reply_wanted


@pytest.mark.parametrize("lacking", ["topic", "question", "reply_wanted"])
def test_an_enquiry_has_a_topic_a_question_and_a_wish(lacking: str) -> None:
    sent = body(ENQUIRY)
    sent["details"].pop(lacking)
    assert faults(ENQUIRY, sent) == [f"#/details/{lacking}"]


def test_the_public_list_knows_subject_access_and_no_enquiry() -> None:
    assert SAR.lgsl_of(read_data(body(SAR), today=TODAY).data) == (826,)
    assert ENQUIRY.lgsl_of(read_data(body(ENQUIRY), today=TODAY).data) == ENQUIRY.lgsl == ()
