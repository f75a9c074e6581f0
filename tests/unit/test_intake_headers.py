"""The headers that intake reads: Idempotency-Key and traceparent."""

from __future__ import annotations

import pytest

from hub.intake.idempotency import idempotency_key
from hub.intake.problems import Stop
from hub.intake.trace import trace_of

REQUEST = "01936d2a-7b5c-7def-8abc-0123456789ab"
OWN = REQUEST.replace("-", "")


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ('"8e03978e-40d5-43dd-bc93-6894a57f9324"', "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ("  spaced out  ", "spaced out"),
        (r'"say \"hi\" \\ bye"', r'say "hi" \ bye'),
        ("x" * 255, "x" * 255),
    ],
)
def test_a_key_is_the_same_quoted_or_bare(header: str, key: str) -> None:
    assert idempotency_key([header]) == key


def test_no_header_is_no_key() -> None:
    assert idempotency_key([]) is None


@pytest.mark.parametrize(
    "header", ["", '""', '"open', '"a"b"', "x" * 256, "naïve", "tab\tin", '"bad \\n escape"', "\x7f"]
)
def test_a_key_that_cannot_be_used_is_a_400(header: str) -> None:
    with pytest.raises(Stop) as stopped:
        idempotency_key([header])
    assert stopped.value.problem.status == 400


def test_two_keys_are_one_too_many() -> None:
    with pytest.raises(Stop):
        idempotency_key(["a", "b"])


def test_a_valid_traceparent_keeps_its_trace() -> None:
    trace = trace_of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", request=REQUEST)
    assert trace.id == "4bf92f3577b34da6a3ce929d0e0e4736"


def test_the_caller_s_sampled_flag_is_not_handed_on() -> None:
    trace = trace_of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", request=REQUEST)
    assert trace.parent == f"00-{trace.id}-{OWN[16:]}-00"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n",
        "Mrs Jones",
    ],
)
def test_any_other_traceparent_begins_a_trace_of_our_own(header: str | None) -> None:
    assert trace_of(header, request=REQUEST).id == OWN
