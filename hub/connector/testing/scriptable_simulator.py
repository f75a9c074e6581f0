"""The kit's own back office: a plain REST register of cases, which treats repeats and looks as a test asks."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from hub.connector.testing.backoffice import BackOffice
from hub.connector.testing.modes import At
from hub.connector.testing.scriptable_cases import Case, Cases
from hub.connector.testing.wire import Call, Reply, Unreadable, file_in, json_reply

_ATTACHMENTS = re.compile(r".*/cases/([^/]+)/attachments")
_TOKEN = re.compile(r".*/tokens/([^/]+)")


class ScriptableBackOffice(BackOffice):
    """Cases are posted to `/cases` and looked for there, by `our_reference` or `since`; each takes attachments.

    With `idempotent` a second case with one `our_reference` is the first one
    again; with `rejects_duplicates` it is refused as there already; with
    neither it is a second row in the ledger, as in most real systems. A look
    shows a case only when it is `late` seconds old. With `number_later` a
    create is answered with a token, which is worth a number after
    `number_seconds`.
    """

    name = "scriptable"
    options: ClassVar[Mapping[str, Any]] = {
        "idempotent": True,
        "api_key": "",
        "rejects_duplicates": False,
        "late": 0.0,
        "number_later": False,
        "number_seconds": 0.0,
        "page_size": 200,
    }

    def __init__(self) -> None:
        super().__init__()
        self._made = 0
        self._cases = Cases()

    def at(self, call: Call) -> At:
        if call.method != "POST":
            return At.READ
        return At.ATTACH if call.path.endswith("/attachments") else At.WRITE

    def answer(self, call: Call) -> Reply:
        if self.option["api_key"] and call.headers.get("X-Api-Key") != self.option["api_key"]:
            return self.bad_auth(call)
        if call.path.endswith("/cases"):
            return self._of_cases(call)
        if call.method == "POST" and (attaching := _ATTACHMENTS.fullmatch(call.path)):
            return self._attach(call, attaching[1])
        if call.method == "GET" and (asking := _TOKEN.fullmatch(call.path)):
            return self._number(asking[1])
        return json_reply({"error": "not found"}, status=404)

    def forget(self) -> int:
        self._cases = Cases()
        return super().forget()

    def refuse(self, call: Call) -> Reply:
        return json_reply({"errors": [{"field": "title", "message": "is not acceptable here"}]}, status=422)

    def fault(self, call: Call) -> Reply:
        return json_reply({"error": "internal error"}, status=500)

    def bad_auth(self, call: Call) -> Reply:
        return json_reply({"error": "unknown key"}, status=401)

    def _of_cases(self, call: Call) -> Reply:
        match call.method:
            case "POST":
                return self._create(call)
            case "GET" if "since" in call.query:
                return self._list(call.query["since"], call.query.get("cursor", "0"))
            case "GET":
                return self._find(call.query.get("our_reference", ""))
            case _:
                return json_reply({"error": "not allowed"}, status=405)

    def _create(self, call: Call) -> Reply:
        try:
            record = call.json()
        except Unreadable:
            return json_reply({"error": "the body is not JSON"}, status=400)
        ours = record.get("our_reference") if isinstance(record, dict) else None
        if not isinstance(ours, str) or not ours:
            return json_reply({"errors": [{"field": "our_reference", "message": "is missing"}]}, status=422)
        there = self._cases.under(ours)
        if there and self.option["rejects_duplicates"]:
            return json_reply({"error": "already exists", **_named(there[0])}, status=409)
        if there and self.option["idempotent"]:
            return self._acknowledge(there[0], status=200)
        return self._acknowledge(self._file(ours, record), status=201)

    def _file(self, ours: str, record: Any) -> Case:
        self._made += 1
        reference = f"CASE-{self._made:06d}"
        row = self.ledger.add(reference=reference, our_reference=ours, operation="CreateCase", record=record)
        token = f"TOK-{self._made:06d}"
        return self._cases.add(reference=reference, ours=ours, token=token, at=row["received_at"])

    def _acknowledge(self, case: Case, *, status: int) -> Reply:
        if self.option["number_later"]:
            return json_reply({"token": case.token}, status=202)
        return json_reply({"reference": case.reference}, status=status)

    def _find(self, ours: str) -> Reply:
        seen = [case for case in self._cases.under(ours) if case.made <= time.time() - self.option["late"]]
        return json_reply({"items": [_named(case) for case in seen]})

    def _list(self, since: str, cursor: str) -> Reply:
        start = _instant(since)
        if start is None or not cursor.isdecimal():
            return json_reply({"error": "since must be an instant with a zone, cursor what `next` was"}, status=400)
        page, more = self._cases.since(
            start, position=int(cursor), until=time.time() - self.option["late"], limit=max(1, self.option["page_size"])
        )
        items = [{**_named(case), "status": "Open", "at": case.at} for case in page]
        return json_reply({"items": items, "next": more})

    def _attach(self, call: Call, reference: str) -> Reply:
        row = self.ledger.under(reference)
        if row is None:
            return json_reply({"error": "there is no such case"}, status=404)
        file = file_in(call)
        if file is None:
            return json_reply({"errors": [{"field": "file", "message": "is missing"}]}, status=422)
        self.ledger.add(reference=reference, our_reference=row["our_reference"], operation="Attach", record=file)
        return json_reply({"attached": file["name"]}, status=201)

    def _number(self, token: str) -> Reply:
        case = self._cases.behind(token)
        if case is None or time.time() - case.made < self.option["number_seconds"]:
            return json_reply({"error": "there is no number yet"}, status=404)
        return json_reply({"reference": case.reference})


def _named(case: Case) -> dict[str, str]:
    return {"reference": case.reference, "our_reference": case.ours}


def _instant(text: str) -> float | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant.timestamp() if instant.tzinfo is not None else None


def rejects() -> ScriptableBackOffice:
    """One that refuses what is there already."""
    return _with(idempotent=False, rejects_duplicates=True)


def plain() -> ScriptableBackOffice:
    """One that files whatever it is sent."""
    return _with(idempotent=False)


def numbers() -> ScriptableBackOffice:
    """One that is idempotent, and gives its numbers later."""
    return _with(number_later=True)


def _with(**options: Any) -> ScriptableBackOffice:
    office = ScriptableBackOffice()
    office.option.update(options)
    return office


app = ScriptableBackOffice
