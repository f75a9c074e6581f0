"""Files and later words through real processes: in at one, out of another, and counted where they arrived."""

from __future__ import annotations

import base64
from typing import Any

from tests.bodies import missed_bin
from tests.files import JPEG, form, part
from tests.towns import Town

INLINE = {"name": "bin.jpg", "media_type": "image/jpeg", "content_base64": base64.b64encode(JPEG).decode()}


def upload(town: Town, content: bytes) -> dict[str, str]:
    headers = {"Content-Type": "multipart/form-data; boundary=XX"}
    status, told = town.ask("POST", "/v1/attachments", form(part(content)), headers=headers)
    assert status == 201, told
    return {"id": told["id"]}


def all_there(told: dict[str, Any]) -> bool:
    steps = [delivery for said in told["follow_ups"] for delivery in said["deliveries"]]
    return bool(told["final"]) and all(each["state"] in ("delivered", "dead") for each in steps)


def files_of(town: Town, told: dict[str, Any]) -> list[int]:
    """How large the files are that the council's system has of this case."""
    reference = told["deliveries"][0]["reference"]
    rows = [row for row in town.offices["register"].ledger() if row["reference"] == reference]
    return sorted(row["record"]["bytes"] for row in rows if row["operation"] == "Attach")


def test_files_reach_the_case_that_names_them_and_words_that_cannot_wait_for_a_person(northborough: Town) -> None:
    large = JPEG + b"x" * 5_000_000
    body = missed_bin(channel="api") | {"attachments": [upload(northborough, large), INLINE]}
    reference = northborough.publish(body)
    northborough.ask("POST", f"/v1/submissions/{reference}/updates", {"kind": "comment", "text": "Still there."})
    more = {"kind": "evidence", "attachments": [upload(northborough, JPEG + b"2")]}
    status, said = northborough.ask("POST", f"/v1/submissions/{reference}/updates", more)
    assert status == 202, said
    told = northborough.until(reference, lambda told: all_there(told) and len(files_of(northborough, told)) == 3)
    assert files_of(northborough, told) == [len(JPEG), len(JPEG) + 1, len(large)]
    assert [each["status"] for each in told["follow_ups"]] == ["needs_attention", "delivered"]
    assert told["status"] == "delivered"
    _, dead = northborough.ops("GET", f"/v1/deliveries/{told['follow_ups'][0]['deliveries'][0]['id']}")
    assert (dead["kind"], dead["state"], dead["fault_code"]) == ("follow_up", "dead", "no_update")


def test_a_photo_is_in_no_log(northborough: Town) -> None:
    northborough.publish(missed_bin(channel="api") | {"attachments": [INLINE | {"name": "Qwertzuiop.jpg"}]})
    northborough.ask("POST", "/v1/attachments", form(part(JPEG, filename="Qwertzuiop.jpg")),
                     headers={"Content-Type": "multipart/form-data; boundary=XX"})  # fmt: skip
    assert "Qwertzuiop" not in "".join(process.log.read_text() for process in northborough.processes)
