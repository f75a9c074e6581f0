"""Destinations: settings by reference, limits, promises about repeats; and what a council takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import BaseModel, SecretStr

from hub.council import Council, Councils, Destination, secret_settings
from hub.council_destinations import duration
from hub.errors import NotThere
from hub.model import ReplaySafety
from tests.folders import COUNCIL, SECRETS, DepotSettings, council_with, files, loaded, only


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


def test_a_block_that_a_mapping_lacks_is_unsafe_to_repeat() -> None:
    assert council().routes[0].safety("cancel") is ReplaySafety.UNSAFE


def test_a_mapping_never_sees_the_bytes_of_an_attachment() -> None:
    sent = {"attachments": [{"name": "a.jpg", "content_base64": "x" * 10}]}
    context = council().routes[0].context(sent, {})
    assert context["attachments"] == [{"name": "a.jpg"}]
    assert sent["attachments"][0]["content_base64"]
