"""Log lines hold ids, and never a resident's words."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog

from hub import telemetry
from hub.errors import MappingFault
from hub.model import Outcome

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What has been logged as JSON so far; logging is as before afterwards."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    stream = io.StringIO()
    telemetry.configure("json", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    root.handlers[:], root.level = before
    for name in telemetry.QUIET:
        logging.getLogger(name).setLevel(logging.NOTSET)


class FullDisk(io.StringIO):
    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def test_a_line_that_cannot_be_written_is_nobodys_failure(lines: Lines) -> None:
    telemetry.configure("json", stream=FullDisk())
    structlog.get_logger().warning("worker.store_away")
    logging.getLogger("sqlalchemy").error("away")


def test_a_line_is_one_json_object_with_its_ids(lines: Lines) -> None:
    structlog.get_logger().info("delivery.delivered", delivery="0193-a", attempt=2)
    line = lines()[0]
    assert line.items() >= {"event": "delivery.delivered", "delivery": "0193-a", "attempt": 2, "level": "info"}.items()
    assert line["timestamp"].endswith("Z")


def test_times_and_states_are_written_as_words_and_numbers(lines: Lines) -> None:
    structlog.get_logger().info(
        "attempt.ended", outcome=Outcome.REFUSED, took=timedelta(seconds=1.5), at=datetime(2026, 11, 23, tzinfo=UTC)
    )
    assert lines()[0].items() >= {"outcome": "refused", "took": 1.5, "at": "2026-11-23T00:00:00+00:00"}.items()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("email", "ana@example.org"),
        ("contact_phone", "07700 900123"),
        ("first_name", "Ana"),
        ("body", {"details": "…"}),
        ("record", "<Uprn>100</Uprn>"),
        ("password", "hunter2"),
        ("caller", "ana@example.org"),
        ("where", "12 High Street, AB1 2CD"),
    ],
)
def test_what_is_personal_is_hidden_and_whoever_logged_it_is_told(lines: Lines, key: str, value: object) -> None:
    with pytest.warns(telemetry.NotLogged, match=key):
        structlog.get_logger().info("intake.taken", **{key: value})
    assert lines()[0][key] == telemetry.HIDDEN


def test_an_object_is_named_and_not_shown(lines: Lines) -> None:
    structlog.get_logger().info("intake.taken", taken={"name": "Ana Lovelace"})
    assert lines()[0]["taken"] == "‹dict›"


@pytest.mark.parametrize("key", ["key_id", "email_count", "destination", "our_reference", "submission", "error"])
def test_ids_and_counts_are_not_hidden(lines: Lines, key: str) -> None:
    structlog.get_logger().info("intake.taken", **{key: "ABCD-EFGH"})
    assert lines()[0][key] == "ABCD-EFGH"


def test_an_exception_is_told_by_type_and_place_and_not_in_its_own_words(lines: Lines) -> None:
    try:
        int("Ana Lovelace")
    except ValueError:
        structlog.get_logger().exception("attempt.broke", attempt=1)
    failure = lines()[0]["failure"]
    assert failure[0] == "ValueError"
    assert failure[1].endswith("test_an_exception_is_told_by_type_and_place_and_not_in_its_own_words")
    assert "Ana" not in str(lines())


def test_the_hubs_own_errors_speak_and_their_causes_only_give_their_names(lines: Lines) -> None:
    try:
        try:
            int("Ana Lovelace")
        except ValueError as cause:
            raise MappingFault("`b` is not there", where="waste.yaml:3 Uprn") from cause
    except MappingFault:
        structlog.get_logger().exception("attempt.broke")
    failure = [line for line in lines()[0]["failure"] if not line.startswith("  ")]
    assert failure == ["MappingFault: waste.yaml:3 Uprn: `b` is not there", "ValueError"]


def test_libraries_say_the_template_and_not_the_values(lines: Lines) -> None:
    logging.getLogger("aiohttp.server").error("Error handling request from %s", "Ana Lovelace")
    logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: <Task exception=Ana>")
    assert [line["event"] for line in lines()] == [
        "Error handling request from %s",
        "Task exception was never retrieved",
    ]


@pytest.mark.parametrize(
    "name",
    ["uvicorn.access", "aiohttp.access", "zeep.transports", "kombu.connection", "amqp", "httpx", "uvicorn.error"],
)
def test_libraries_that_quote_what_they_carry_are_silent(lines: Lines, name: str) -> None:
    logging.getLogger(name).info("GET /open311?phone=07700900123")
    logging.getLogger(name).debug("<Envelope>Ana</Envelope>")
    assert lines() == []


def test_a_console_line_is_for_people(lines: Lines) -> None:
    stream = io.StringIO()
    telemetry.configure("console", stream=stream)
    structlog.get_logger().warning("broker.away", broker="127.0.0.1:5672")
    assert "broker.away" in stream.getvalue()
    assert "broker=127.0.0.1:5672" in stream.getvalue()


def test_a_line_never_stops_the_work(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        structlog.get_logger().info("attempt.ended", strange=object(), email=b"\xff", nested=[[object()]])
    assert lines()[0]["event"] == "attempt.ended"
