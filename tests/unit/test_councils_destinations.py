"""Destinations: settings by reference, limits, promises about repeats; and what a council takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from pydantic import BaseModel, SecretStr

from hub.connector import Operation
from hub.council import Council, Councils, Destination, secret_settings
from hub.council_cases import previews
from hub.council_destinations import duration
from hub.errors import MappingFault, NotThere
from hub.model import ReplaySafety, Takes
from tests.folders import COUNCIL, PATTERN, SECRETS, Depot, DepotSettings, Job, council_with, files, loaded, only


def councils(council: str = COUNCIL) -> Councils:
    made = loaded(files(council=council))
    assert made.councils is not None, made.findings
    return made.councils


def council() -> Council:
    return councils().find("northborough")


def waste(old: str = "", new: str = "") -> Destination:
    return councils(COUNCIL.replace(old, new)).destination("northborough/waste")


def test_a_council_is_found_by_slug_and_by_gss_code() -> None:
    known = councils()
    assert known.find("E07000999") is known.find("northborough")


def test_a_council_that_is_not_there_is_not_there() -> None:
    with pytest.raises(NotThere, match="no council under that name"):
        councils().find("southborough")


def test_a_council_knows_its_services_routes_and_destinations() -> None:
    assert council().services == {"missed-bin"}
    assert [route.name for route in council().routes_for("missed-bin")] == ["missed-bin->waste"]
    assert council().routes_for("complaint") == ()
    assert [each.id for each in councils().destinations()] == ["northborough/waste"]
    with pytest.raises(NotThere, match="missed-bin->waste"):
        council().route("missed")
    with pytest.raises(NotThere, match="hub destinations list"):
        councils().destination("northborough/crm")


def test_settings_keep_references_and_resolve_them_when_asked() -> None:
    settings = waste().resolve_settings(SECRETS.__getitem__)
    assert waste().settings["password"] == "env:WASTE_PASSWORD"
    assert isinstance(settings, DepotSettings)
    assert settings.url == "http://depot.example"
    assert settings.password.get_secret_value() == "correct-horse"


def test_only_secrets_are_secret_values() -> None:
    assert waste().secret_values(SECRETS.__getitem__) == ["correct-horse"]


def test_nothing_secret_stands_in_a_destination() -> None:
    assert "correct-horse" not in repr(councils().find("northborough"))


def test_secrets_are_found_by_type_and_by_name_however_deep() -> None:
    class Inner(BaseModel):
        pin_code: SecretStr

    class Outer(BaseModel):
        login: Inner | None = None
        many: list[Inner] = []

    stated = {
        "login": {"pin_code": "a", "user": "b"},
        "many": [{"pin_code": "c"}],
        "api_key": "d",
        "client_secret": "e",
        "token": "f",
        "token_url": "g",
        "Password": "h",
        "keyword": "i",
    }
    assert [value for _, value in secret_settings(stated, Outer)] == ["a", "c", "d", "e", "f", "h"]


def test_limits_are_read() -> None:
    limits = waste().limits
    assert (limits.concurrency, limits.per_second, limits.timeout) == (4, 10, timedelta(seconds=60))


@pytest.mark.parametrize(
    ("text", "long"),
    [
        ("60s", timedelta(seconds=60)),
        ("500ms", timedelta(milliseconds=500)),
        ("2m", timedelta(minutes=2)),
        ("1.5h", timedelta(minutes=90)),
        ("60", None),
        (60, None),
        ("s", None),
        ("-5s", None),
        (None, None),
    ],
)
def test_times_are_read(text: object, long: timedelta | None) -> None:
    assert duration(text) == long


def test_waits_between_tries_may_be_stated() -> None:
    stated = waste("    replay:", "    retry: [10s, 1m]\n    replay:")
    assert stated.retry == (timedelta(seconds=10), timedelta(minutes=1))
    assert waste().retry is None
    assert only(council_with("    replay:", "    retry: 10s\n    replay:"), "bad_retry").line == 11


def test_a_destination_is_closed_in_its_windows() -> None:
    sunday = datetime(2026, 1, 18, 3, tzinfo=UTC)
    assert waste().closed_until(sunday) == datetime(2026, 1, 18, 5, tzinfo=UTC)
    assert waste().closed_until(sunday + timedelta(days=1)) is None


def test_a_window_may_be_written_as_a_text() -> None:
    assert waste('{closed: "Sun 02:00-05:00", reason: weekly restart}', '"Sun 02:00-05:00"').windows[0].reason == ""


def test_a_council_may_promise_less_than_the_connector() -> None:
    assert council().routes[0].safety() is ReplaySafety.UNSAFE
    declared = councils(COUNCIL.replace("    replay: {create: unsafe}\n", "")).find("northborough").routes[0]
    assert declared.safety() is ReplaySafety.LOOKUP


def test_a_council_may_promise_more_with_a_note() -> None:
    noted = waste("{create: unsafe}", "{BookJob: {safety: idempotent, note: agreed with the depot}}")
    assert noted.replay_safety("create", "BookJob") is ReplaySafety.IDEMPOTENT
    assert noted.replay_notes == {"BookJob": "agreed with the depot"}


def test_a_look_that_the_connector_cannot_make_is_no_safety() -> None:
    class Blind(Depot):
        """A depot that finds nothing again."""

        find = None  # type: ignore[assignment]

    assert waste().replay_safety("create", "BookJob") is ReplaySafety.UNSAFE
    declared = replace(waste(), replay={})
    assert declared.replay_safety("create", "BookJob") is ReplaySafety.LOOKUP
    assert replace(declared, connector_class=Blind).replay_safety("create", "BookJob") is ReplaySafety.UNSAFE
    raised = replace(declared, replay={"create": ReplaySafety.LISTING})
    assert raised.replay_safety("create", "BookJob") is ReplaySafety.UNSAFE


def test_until_it_is_settled_an_unclear_one_may_still_turn_up() -> None:
    class Slow(Depot):
        """A depot that says how slow it is."""

        operations: ClassVar = {"BookJob": Operation(Job, settle=timedelta(minutes=6))}

    stated = waste("    replay:", "    settle: 90s\n    replay:")
    assert (stated.settle, stated.settles_in("BookJob")) == (timedelta(seconds=90), timedelta(seconds=90))
    assert waste().settles_in("BookJob") == waste().limits.timeout
    assert replace(waste(), connector_class=Slow).settles_in("BookJob") == timedelta(minutes=6)
    assert replace(stated, connector_class=Slow).settles_in("BookJob") == timedelta(seconds=90)


@pytest.mark.parametrize(("line", "on"), [("", True), ("    breaker: on\n", True), ("    breaker: off\n", False)])
def test_a_council_may_switch_the_breaker_off(line: str, on: bool) -> None:
    assert waste("    replay:", f"{line}    replay:").breaker is on


def test_a_block_that_a_mapping_lacks_is_unsafe_to_repeat() -> None:
    assert council().routes[0].safety("cancel") is ReplaySafety.UNSAFE


def test_a_mapping_never_sees_the_bytes_of_an_attachment() -> None:
    sent = {"attachments": [{"name": "a.jpg", "content_base64": "x" * 10}]}
    context = council().routes[0].context(sent, {})
    assert context["attachments"] == [{"name": "a.jpg"}]
    assert sent["attachments"][0]["content_base64"]


def test_a_destination_takes_what_is_live_unless_it_says_so() -> None:
    assert waste().takes is Takes.LIVE
    assert waste("    replay:", "    takes: both\n    replay:").takes is Takes.BOTH
    finding = only(council_with("    replay:", "    takes: tests\n    replay:"), "wrong_enum")
    assert (finding.line, finding.remedy) == (11, "did you mean `test`?")


def test_a_destination_for_tests_is_tried_over_the_examples_all_the_same() -> None:
    tests_only = COUNCIL.replace("    replay:", "    takes: test\n    replay:")
    broken = PATTERN.replace("{{ property.uprn | default(omit) }}", "{{ property.uprn | required }}")
    assert any(each.code == "example" for each in loaded(files(council=tests_only, pattern=broken)).findings)


def test_a_preview_shows_a_test_only_where_it_would_go() -> None:
    sent = {"property": {"uprn": "1"}, "details": {"containers": [{"waste_type": "food"}]}}
    hub = {"our_reference": "ABCD-EFGH"}
    assert len(previews(council(), "missed-bin", sent, hub)) == 1
    assert previews(council(), "missed-bin", {**sent, "test": True}, hub) == []


def test_a_list_or_a_map_of_secrets_is_secret_throughout() -> None:
    class Keys(BaseModel):
        both: list[SecretStr]
        named: dict[str, SecretStr] = {}
        plain: list[str] = []

    stated = {"both": ["a", "b"], "named": {"x": "c", "y": "d"}, "plain": ["e"]}
    assert [value for _, value in secret_settings(stated, Keys)] == ["a", "b", "c", "d"]


def test_what_may_not_go_there_is_refused_with_the_line_of_its_route() -> None:
    route = council().routes[0]
    route.admit({"test": False})
    with pytest.raises(MappingFault, match=r"northborough/council\.yaml:13: the submission is a test") as raised:
        route.admit({"test": True})
    assert raised.value.code == "test"
    trial = replace(route, destination=replace(route.destination, takes=Takes.TEST))
    trial.admit({"test": True})
    with pytest.raises(MappingFault, match="is no test"):
        trial.admit({})
