"""A pretend receiver of Standard Webhooks: it checks every signature, and refuses what is old."""

from __future__ import annotations

import hashlib
import hmac
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, ClassVar

from hub.connector.testing import At, BackOffice, Call, Reply, Unreadable, json_reply, our_reference_in


class WebhookReceiver(BackOffice):
    """Knows whoever signs with one of its `secrets`; with none it takes any signature.

    A `webhook-id` that it has seen changes nothing, unless `deduplicates` is
    off. Below `/silent` it names no number of its own, and its ledger
    has our reference for that. `gone` answers 410.
    """

    name = "webhook"
    options: ClassVar[Mapping[str, Any]] = {
        "secrets": ["whsec_Y29uZm9ybWFuY2Utc2VjcmV0LW9mLXRoZS1odWI="],
        "tolerance": 300.0,
        "deduplicates": True,
        "gone": False,
    }

    def __init__(self) -> None:
        super().__init__()
        self._made = 0
        self._seen: dict[str, str] = {}

    def forget(self) -> int:
        self._seen = {}
        return super().forget()

    def at(self, call: Call) -> At:
        return At.ATTACH if b'"content_base64"' in call.body else At.WRITE

    def answer(self, call: Call) -> Reply:
        if call.method != "POST":
            return json_reply({"error": "post here"}, status=405)
        if self.option["gone"]:
            return json_reply({"error": "no more of these, please"}, status=410)
        wrong = self._wrong(call)
        if wrong is not None:
            return json_reply({"error": wrong}, status=401)
        try:
            record = call.json()
        except Unreadable:
            record = None
        if not isinstance(record, dict):
            return json_reply({"error": "send one JSON object"}, status=400)
        return self._take(call, record)

    def refuse(self, call: Call) -> Reply:
        return json_reply({"error": "this cannot be used"}, status=422)

    def fault(self, call: Call) -> Reply:
        return json_reply({"error": "internal error"}, status=500)

    def bad_auth(self, call: Call) -> Reply:
        return json_reply({"error": "the signature is of no secret that is known"}, status=401)

    def _take(self, call: Call, record: dict[str, Any]) -> Reply:
        id, silent = call.headers["webhook-id"], "/silent" in call.path
        known = self._seen.get(id) if self.option["deduplicates"] else None
        if known is None:
            known = self._filed(id, record, silent=silent)
            self._seen[id] = known
        return json_reply({"message": "taken, with thanks"} if silent else {"data": {"id": known}}, status=202)

    def _filed(self, id: str, record: dict[str, Any], *, silent: bool) -> str:
        """A row for a message: of a case that is there where the message names one, else of a new one."""
        operation = next((word for word in ("update", "cancel", "attach") if f"-{word}" in id), "create")
        if operation == "attach":
            reference, file = str(record.get("reference")), dict(record.get("attachment") or {})
            size = len(b64decode(file.pop("content_base64", "")))
            record = {**file, "bytes": size}
            ours = id.partition("-attach")[0]
        else:
            ours = our_reference_in(record) or id.rpartition("-")[0]
            reference = self._numbered(ours, operation=operation, silent=silent)
        self.ledger.add(reference=reference, our_reference=ours, operation=operation, record=record)
        return reference

    def _numbered(self, ours: str, *, operation: str, silent: bool) -> str:
        case = ours.partition("-u")[0]
        there = next((row["reference"] for row in self.ledger.items if row["our_reference"] == case), None)
        if operation != "create" and there is not None:
            return str(there)
        self._made += 1
        return ours if silent else f"MSG-{self._made:06d}"

    def _wrong(self, call: Call) -> str | None:
        """Why a message is not believed."""
        id, at, signed = (call.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
        if not (id and at.isdecimal() and signed):
            return "webhook-id, webhook-timestamp and webhook-signature are needed"
        if abs(time.time() - int(at)) > self.option["tolerance"]:
            return "the timestamp is too far from now"
        content = f"{id}.{at}.".encode() + call.body
        given = [mark.removeprefix("v1,") for mark in signed.split(" ") if mark.startswith("v1,")]
        if not given:
            return "there is no v1 signature"
        known = [b64decode(secret.removeprefix("whsec_")) for secret in self.option["secrets"]]
        wanted = [b64encode(hmac.digest(key, content, hashlib.sha256)).decode() for key in known]
        matches = any(hmac.compare_digest(one, other) for one in given for other in wanted)
        return None if matches or not known else "the signature is of no secret that is known; PUT /_options {secrets}"


app = WebhookReceiver
