"""What is kept of what was typed, and in what form."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from hub.errors import Invalid
from hub.standard import SERVICES, Read, read, read_data, without_derived
from hub.standard.follow_up import read_follow_up

TODAY = date(2026, 3, 10)
BIN = SERVICES["missed-bin"].good[0].body


def taken(**changes: Any) -> Read:
    return read(json.dumps({**BIN, **changes}).encode(), today=TODAY)


def test_defaults_are_filled_in_and_what_is_absent_stays_absent() -> None:
    assert taken().data == {
        **BIN,
        "channel": "web",
        "language": "en",
        "details": {"containers": [{"waste_type": "refuse"}], "reason": "not_collected"},
    }


def test_the_default_regime_leaves_the_law_to_the_council() -> None:
    example = SERVICES["foi-request"].good[0]
    assert read_data(example.body, today=TODAY).data["details"]["regime"] == "not_sure"


@pytest.mark.parametrize(("sent", "kept"), [("00100012345678", None), ("000012345678", "12345678"), ("0", "0")])
def test_a_uprn_loses_its_leading_zeros(sent: str, kept: str | None) -> None:
    if kept is None:
        with pytest.raises(Invalid):
            taken(property={"uprn": sent})
    else:
        assert taken(property={"uprn": sent}).data["property"] == {"uprn": kept}


def test_a_usrn_loses_its_leading_zeros() -> None:
    assert taken(location={"usrn": "00123456"}).data["location"] == {"usrn": "123456"}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("nb12cd", "NB1 2CD"), ("sw1a  1aa", "SW1A 1AA"), ("W1A-0AX.", "W1A 0AX"), ("75008 Paris", "75008 Paris")],
)
def test_a_postcode_that_is_recognised_is_tidied(typed: str, kept: str) -> None:
    home = {"address": {"lines": ["1 High Street"], "postcode": typed}}
    assert taken(property=home).data["property"]["address"]["postcode"] == kept


def test_text_is_trimmed_and_emoji_and_welsh_survive() -> None:
    assert taken(description=" Tŷ Ŵyn 🗑️👩‍🦽\n").data["description"] == "Tŷ Ŵyn 🗑️👩‍🦽"


@pytest.mark.parametrize("empty", ["", "  \n", "\x1c", "\x85\u2003"], ids=["empty", "only space", "control", "both"])
def test_an_empty_text_that_may_be_left_out_is_left_out(empty: str) -> None:
    assert "description" not in taken(description=empty).data


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("a\x00b", "ab"), ("a\u009fb\x7f", "ab"), ("a\x1b[31mb", "a[31mb"), ("\x07", None)],
    ids=["NUL", "C1 and DEL", "escape", "nothing else"],
)
def test_control_characters_are_removed_with_a_warning(sent: str, kept: str | None) -> None:
    read = taken(description=sent)
    assert read.data.get("description") == kept
    assert [warning.pointer for warning in read.warnings] == ["#/description"]


@pytest.mark.parametrize(("sent", "kept"), [("a\r\nb", "a\nb"), ("a\rb", "a\nb"), ("a\tb\nc", "a\tb\nc")])
def test_tabs_and_newlines_stay_and_every_newline_is_one(sent: str, kept: str) -> None:
    read = taken(description=sent)
    assert (read.data["description"], read.warnings) == (kept, [])


@pytest.mark.parametrize("padding", [" ", "\x87", "\n"], ids=["space", "control", "newline"])
def test_a_text_is_measured_as_it_was_sent(padding: str) -> None:
    """Whoever checks by the schema measures that too."""
    assert taken(front_end_reference=padding + "x" * 119).data["front_end_reference"] == "x" * 119
    with pytest.raises(Invalid) as refusal:
        taken(front_end_reference=padding + "x" * 120)
    assert refusal.value.faults == (("#/front_end_reference", "Use at most 120 characters."),)
    with pytest.raises(Invalid) as refusal:
        read_follow_up(json.dumps({"kind": "cancel", "front_end_reference": padding + "x" * 120}).encode(), today=TODAY)
    assert refusal.value.faults == (("#/front_end_reference", "Use at most 120 characters."),)


def test_a_newline_of_two_characters_is_measured_as_one() -> None:
    assert len(taken(description="\x00" + "a\r\n" * 100).data["description"]) == 199


def test_control_characters_in_plain_sight_are_found() -> None:
    raw = json.dumps({**BIN, "extra": {"a": ["x\x85y"]}}, ensure_ascii=False).encode()
    cleaned = read(raw, today=TODAY)
    assert cleaned.data["extra"] == {"a": ["xy"]}
    assert [warning.pointer for warning in cleaned.warnings] == ["#/extra/a/0"]


@pytest.mark.parametrize(("sent", "kept"), [("en-GB", "en"), ("cy-GB", "cy"), ("cy", "cy")])
def test_a_language_of_a_country_is_folded(sent: str, kept: str) -> None:
    assert taken(language=sent).data["language"] == kept


@pytest.mark.parametrize(
    ("typed", "dialled"),
    [
        ("07700 900123", "+447700900123"),
        (" +44 (0)7700 900123 ", "+447700900123"),
        ("(01632) 960.001", "+441632960001"),
        ("0800 1111", "+448001111"),
        ("020 7946 0001 ext 5", "+442079460001"),
        ("+1 212 555 0100", "+12125550100"),
    ],
)
def test_a_phone_is_kept_as_typed_and_made_diallable(typed: str, dialled: str) -> None:
    contact = taken(contact={"phone": typed}).data["contact"]
    assert contact == {"phone": typed.strip(), "phone_e164": dialled}


@pytest.mark.parametrize("typed", ["ask at the desk", "999", "07700 9001234567"])
def test_a_phone_that_cannot_be_dialled_is_kept_with_a_warning(typed: str) -> None:
    read = taken(contact={"phone": typed})
    assert read.data["contact"] == {"phone": typed}
    assert [warning.pointer for warning in read.warnings] == ["#/contact/phone"]


def test_coordinates_are_carried_as_they_were_sent() -> None:
    location = {"lat": 52.6369, "long": -1, "easting": 458300, "northing": 304500.25}
    kept = taken(location=location).data["location"]
    assert json.dumps(kept) == json.dumps(location)


def test_what_the_hub_added_can_be_taken_off_and_read_again() -> None:
    once = taken(contact={"phone": "07700 900123"}, property={"uprn": "0012"}, location={"usrn": "00123456"})
    again = read_data(without_derived(once.data), today=TODAY)
    assert again.data == once.data


def test_the_digest_is_of_what_was_sent_whatever_the_order_or_the_escapes() -> None:
    body = {**BIN, "description": "Tŷ\r\n", "contact": {"phone": "07700 900123"}}
    turned = dict(reversed(body.items()))
    spaced = json.dumps(turned, indent=2, ensure_ascii=False).encode()
    assert read(spaced, today=TODAY).digest_input == taken(**body).digest_input


def test_the_digest_tells_apart_what_is_kept_the_same() -> None:
    assert taken(property={"uprn": "12"}).digest_input != taken(property={"uprn": "012"}).digest_input


def test_extra_answers_keep_their_order() -> None:
    assert list(taken(extra={"z": "1", "a": "2"}).data["extra"]) == ["z", "a"]
