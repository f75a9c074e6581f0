"""The main job: a submission in, a council's system answering."""

from __future__ import annotations

import time
from typing import Any

import pytest
import sqlalchemy as sa

from hub.store import tables
from hub.store.engine import open_engines
from tests.bodies import MARKER, complaint, foi_request, missed_bin
from tests.towns import Town

BODIES = {"waste": missed_bin, "crm": complaint, "foi": foi_request}


def final(told: dict[str, Any]) -> bool:
    return bool(told["final"])


def stopped(told: dict[str, Any]) -> bool:
    return bool(told["status"] == "needs_attention")


def rows(town: Town, office: str, reference: str) -> list[dict[str, Any]]:
    """What that office committed for this submission."""
    return [row for row in town.offices[office].ledger() if (row["our_reference"] or "").startswith(reference)]


@pytest.mark.parametrize("office", list(BODIES))
def test_a_submission_reaches_its_system_and_comes_back_with_its_reference(northborough: Town, office: str) -> None:
    reference = northborough.publish(BODIES[office]())
    told = northborough.until(reference, final)
    [row] = rows(northborough, office, reference)
    [delivery] = told["deliveries"]
    assert (told["status"], delivery["state"], delivery["attempts"]) == ("delivered", "delivered", 1)
    assert (delivery["reference"], delivery["our_reference"]) == (row["reference"], reference)
    assert delivery["waiting"] is None
    assert ("due_by" in told) is (office == "foi")


def test_refuse_and_food_make_two_worksheets_with_two_service_ids(northborough: Town) -> None:
    reference = northborough.publish(missed_bin("refuse", "food"))
    told = northborough.until(reference, final)
    found = {row["our_reference"]: row for row in rows(northborough, "waste", reference)}
    assert {delivery["our_reference"] for delivery in told["deliveries"]} == {f"{reference}-1", f"{reference}-2"}
    for delivery in told["deliveries"]:
        assert delivery["reference"] == found[delivery["our_reference"]]["reference"]
    text = str([row["record"] for row in found.values()])
    assert "81" in text and "85" in text


def test_a_refusal_is_a_dead_letter_with_its_reason_for_staff(northborough: Town) -> None:
    northborough.offices["waste"].behave("refuse", times=1)
    told = northborough.until(northborough.publish(missed_bin()), stopped)
    [delivery] = told["deliveries"]
    assert (delivery["state"], delivery["reference"], told["final"]) == ("dead", None, False)
    status, shown = northborough.ops("GET", f"/v1/deliveries/{delivery['id']}")
    assert status == 200 and shown["attempts"][0]["outcome"] == "refused", shown


def test_a_503_is_tried_again_and_says_why_it_waits(northborough: Town) -> None:
    northborough.offices["crm"].behave("unavailable", times=1)
    reference = northborough.publish(complaint())
    waiting = northborough.until(reference, lambda told: bool(told["deliveries"][0]["waiting"] or told["final"]))
    told = northborough.until(reference, final)
    assert waiting["deliveries"][0]["waiting"]["reason"] == "retry"
    assert (told["status"], told["deliveries"][0]["attempts"]) == ("delivered", 2)
    assert len(rows(northborough, "crm", reference)) == 1


def test_an_expired_session_is_renewed_within_the_same_attempt(northborough: Town) -> None:
    northborough.until(northborough.publish(complaint()), final)
    northborough.offices["crm"].behave("expired_session")
    reference = northborough.publish(complaint())
    [delivery] = northborough.until(reference, lambda told: final(told) or stopped(told))["deliveries"]
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 1)
    assert len(rows(northborough, "crm", reference)) == 1


def test_a_dead_letter_is_replayed_after_its_mapping_was_mended(northborough: Town) -> None:
    before = northborough.council_file.read_text()
    northborough.council_file.write_text(before.replace("mixed_recycling: 82, ", ""))
    northborough.hub("reload")
    northborough_settles(northborough)
    told = northborough.until(northborough.publish(missed_bin("mixed_recycling")), stopped)
    northborough.council_file.write_text(before)
    northborough.hub("reload")
    northborough_settles(northborough)
    delivery = told["deliveries"][0]["id"]
    status, _ = northborough.ops("POST", f"/v1/deliveries/{delivery}/replay", {"reason": "table mended"})
    assert status in (200, 202)
    told = northborough.until(told["reference"], final)
    assert told["deliveries"][0]["reference"] == rows(northborough, "waste", told["reference"])[0]["reference"]


def northborough_settles(town: Town) -> None:
    """Wait until every process has had time to take up the newest council files."""
    time.sleep(3)


def test_a_doubtful_create_is_unclear_and_never_sent_again_before_a_person_says(northborough: Town) -> None:
    northborough.offices["waste"].behave("commit_then_drop", times=1)
    reference = northborough.publish(missed_bin())
    told = northborough.until(reference, stopped)
    [delivery] = told["deliveries"]
    assert delivery["state"] == "unclear"
    assert northborough.ops("POST", f"/v1/deliveries/{delivery['id']}/replay", {})[0] == 409
    [row] = rows(northborough, "waste", reference)
    answer = {"outcome": "delivered", "reference": row["reference"], "reason": "seen in Whitespace"}
    assert northborough.ops("POST", f"/v1/deliveries/{delivery['id']}/resolve", answer)[0] == 200
    told = northborough.until(reference, final)
    assert told["deliveries"][0]["reference"] == row["reference"]
    assert len(rows(northborough, "waste", reference)) == 1


def test_a_doubtful_create_at_an_idempotent_system_is_repeated_and_arrives_once(northborough: Town) -> None:
    northborough.offices["register"].behave("commit_then_timeout", times=1)
    reference = northborough.publish(missed_bin(channel="api"))
    told = northborough.until(reference, final, seconds=30)
    assert told["deliveries"][0]["attempts"] == 2
    assert len(rows(northborough, "register", reference)) == 1


def test_a_wrong_key_pauses_the_destination_and_uses_no_attempt(northborough: Town) -> None:
    northborough.offices["foi"].behave("bad_auth")
    reference = northborough.publish(foi_request())
    told = northborough.until(
        reference, lambda told: (told["deliveries"][0]["waiting"] or {}).get("reason") == "paused"
    )
    assert (told["status"], told["deliveries"][0]["state"]) == ("accepted", "queued")
    northborough.offices["foi"].behave("ok")
    assert northborough.ops("POST", "/v1/destinations/northborough/foi/resume", {})[0] in (200, 202)
    assert northborough.until(reference, final)["status"] == "delivered"


def test_a_web_firewalls_no_to_one_text_does_not_halt_the_borough(northborough: Town) -> None:
    northborough.offices["register"].behave("bad_auth", times=1, at="write")
    dead = northborough.until(northborough.publish(missed_bin(channel="api")), stopped)
    assert dead["deliveries"][0]["state"] == "dead"
    assert northborough.until(northborough.publish(missed_bin(channel="api")), final)["status"] == "delivered"


def test_a_repeated_key_is_answered_the_same_and_sent_once(northborough: Town) -> None:
    headers = {"Idempotency-Key": "acceptance-1"}
    first = northborough.publish(missed_bin(), **headers)
    again = northborough.publish(missed_bin(), **headers)
    northborough.until(first, final)
    assert again == first and len(rows(northborough, "waste", first)) == 1
    status, problem = northborough.ask("POST", "/v1/submissions", missed_bin("food"), headers=headers)
    assert status == 422 and "key" in problem["detail"].lower()


def test_nothing_personal_is_in_any_log_metric_or_group(northborough: Town) -> None:
    told = [process.log.read_text() for process in northborough.processes]
    told += [northborough.text("/metrics")]
    told += [str(northborough.ops("GET", address)) for address in ("/v1/groups", "/v1/audit")]
    assert "unclear" in told[-2] or "refused" in told[-2]
    assert not [text for text in told if MARKER.lower() in text.lower()]


def test_nothing_personal_lies_in_the_database_in_the_clear(northborough: Town) -> None:
    writing, reading = open_engines(northborough.environment["HUB_DATABASE_URL"])
    with reading.connect() as connection:
        for table in tables.metadata.sorted_tables:
            for row in connection.execute(sa.select(table)):
                assert MARKER.lower().encode() not in _raw(row), table.name
    reading.dispose()
    writing.dispose()


def _raw(row: Any) -> bytes:
    values = [value if isinstance(value, bytes) else str(value).encode() for value in row]
    return b"|".join(values).lower()
