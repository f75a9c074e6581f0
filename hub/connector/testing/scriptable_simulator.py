"""The kit's own back office: a plain REST register of cases, idempotent or not as a test asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from hub.connector.testing.backoffice import BackOffice
from hub.connector.testing.modes import At
from hub.connector.testing.wire import Call, Reply, Unreadable, json_reply


class ScriptableBackOffice(BackOffice):
    """`POST /cases` and `GET /cases?our_reference=`.

    With `idempotent` a second case with one `our_reference` is the first one
    again; without, it is a second row in the ledger, as in most real systems.
    """

    name = "scriptable"
    options: ClassVar[Mapping[str, Any]] = {"idempotent": True, "api_key": ""}

    def __init__(self) -> None:
        super().__init__()
        self._made = 0
        self._references: dict[str, str] = {}

    def at(self, call: Call) -> At:
        return At.WRITE if call.method == "POST" else At.READ

    def answer(self, call: Call) -> Reply:
        if self.option["api_key"] and call.headers.get("X-Api-Key") != self.option["api_key"]:
            return self.bad_auth(call)
        if not call.path.endswith("/cases"):
            return json_reply({"error": "not found"}, status=404)
        if call.method == "GET":
            return self._find(call.query.get("our_reference", ""))
        return self._create(call) if call.method == "POST" else json_reply({"error": "not allowed"}, status=405)

    def _create(self, call: Call) -> Reply:
        try:
            record = call.json()
        except Unreadable:
            return json_reply({"error": "the body is not JSON"}, status=400)
        ours = record.get("our_reference") if isinstance(record, dict) else None
        if not isinstance(ours, str) or not ours:
            return json_reply({"errors": [{"field": "our_reference", "message": "is missing"}]}, status=422)
        if not self.ledger.items:
            self._references.clear()
        if self.option["idempotent"] and ours in self._references:
            return json_reply({"reference": self._references[ours]})
        self._made += 1
        reference = f"CASE-{self._made:06d}"
        self.ledger.add(reference=reference, our_reference=ours, operation="CreateCase", record=record)
        self._references[ours] = reference
        return json_reply({"reference": reference}, status=201)

    def _find(self, ours: str) -> Reply:
        found: list[dict[str, Any]] = []
        if self.ledger.items and ours in self._references:
            found = [{"reference": self._references[ours], "our_reference": ours}]
        return json_reply({"items": found})

    def refuse(self, call: Call) -> Reply:
        return json_reply({"errors": [{"field": "title", "message": "is not acceptable here"}]}, status=422)

    def fault(self, call: Call) -> Reply:
        return json_reply({"error": "internal error"}, status=500)

    def bad_auth(self, call: Call) -> Reply:
        return json_reply({"error": "unknown key"}, status=401)


app = ScriptableBackOffice
