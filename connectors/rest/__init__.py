"""Any REST system, declared wholly in the council file."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Final, Self

from pydantic import BaseModel

from connectors.rest import shape
from connectors.rest.access import Access
from connectors.rest.reading import Read, as_reference, inside
from connectors.rest.record import Note, Record
from connectors.rest.settings import Call, Duplicate, Format, Lookup, RestSettings, Writing
from connectors.rest.templates import address, filled, names
from connectors.rest.writing import parts
from hub.connector import (
    Answer,
    Attachment,
    Delivery,
    Health,
    Http,
    Misconfigured,
    Operation,
    Parts,
    Receipt,
    Refused,
    StepKind,
    Unavailable,
    of_status,
    tailored,
)

__all__ = ["Record", "Rest", "RestSettings"]

#: Every status is judged here: council.yaml may have a table for it.
_ANY: Final = range(200, 600)
_NOBODYS: Final = "0000-0000"  #: a reference that no case has: ours hold no 0
_ACCEPT: Final = {Format.JSON: "application/json", Format.XML: "application/xml, text/xml", Format.ANY: "*/*"}


class Rest:
    """Any REST system, declared in the council file: its calls, its keys, and how its answers are read."""

    name: ClassVar[str] = "rest"
    simulator: ClassVar[str] = "connectors.rest.simulator:app"
    Settings: ClassVar[type[BaseModel]] = RestSettings
    operations: ClassVar[Mapping[str, Operation]] = {
        "create": Operation(Record),
        "update": Operation(Note),
        "cancel": Operation(Note),
        "attach": Operation(Note),
    }

    @classmethod
    def configured(cls, settings: Mapping[str, Any]) -> type[Self]:
        made = shape.read(settings)
        return tailored(cls, operations=shape.operations(made), without=shape.without(made))

    def __init__(self, settings: RestSettings, http: Http) -> None:
        self._settings = settings
        self._http = http
        self._access = Access(settings.auth, http)

    async def create(self, record: Record, delivery: Delivery) -> Receipt:
        call = self._settings.create
        read = await self._send(call, delivery, parts(call, record.tree()), record.in_path())
        twin = read.meets(call.duplicate)
        if isinstance(twin, Duplicate):
            return await self._joined(read, twin, delivery)
        self._judge(read, call, delivery.kind)
        reference = delivery.our_reference if call.reference.ours else read.reference(call.reference)
        if reference is None:
            raise read.answer.puzzling("rest_no_reference")
        await delivery.took(reference)
        return Receipt(reference=reference)

    async def update(self, record: Record, receipt: Receipt, delivery: Delivery) -> Receipt:
        return await self._tell(self._settings.update, record, receipt, delivery)

    async def cancel(self, record: Record, receipt: Receipt, delivery: Delivery) -> Receipt:
        return await self._tell(self._settings.cancel, record, receipt, delivery)

    async def attach(self, attachment: Attachment, receipt: Receipt, delivery: Delivery) -> None:
        call = self._settings.attach
        assert call is not None
        facts = {
            "name": attachment.name,
            "media_type": attachment.media_type,
            "size": str(attachment.size),
            "our_reference": delivery.our_reference,
        }
        body: Parts
        if call.record is not None:
            content = b"".join([chunk async for chunk in attachment.chunks()])
            body = {"json": filled(call.record, {**facts, "base64": b64encode(content).decode()})}
        else:
            body = {"multipart": {**filled(call.fields, facts), call.field: attachment}}
        of_file = hashlib.sha256("|".join(facts.values()).encode()).hexdigest()[:12]
        read = await self._send(call, delivery, body, _known_as(call, receipt), key=of_file)
        self._judge(read, call, delivery.kind)

    async def find(self, our_reference: str) -> Receipt | None:
        """The case under exactly our reference. A list of strangers is no "not there": the search was not heard."""
        look = self._settings.lookup
        assert look is not None
        read = await self._look(look, our_reference)
        if read.meets(look.none) is not None:
            return None
        _unless_well(read.answer, kind=None)
        items = read.items(look.items)
        if items is None:
            raise read.answer.puzzling("rest_no_list")
        theirs = [inside(item, look.our_reference) or "" for item in items]
        if our_reference in theirs:
            reference = as_reference(inside(items[theirs.index(our_reference)], look.reference))
            if reference is None:
                raise read.answer.puzzling("rest_no_reference")
            return Receipt(reference=reference)
        if items and not any(our_reference in each for each in theirs):
            raise read.answer.puzzling("rest_search_ignored")
        return None

    async def check(self) -> Health:
        """Prove address and key by what council.yaml names, else by a look for nobody's case."""
        try:
            await self._access.renew()
            if self._settings.check is not None:
                url = address(self._settings.url, self._settings.check.path, {})
                _unless_well(await self._ask("GET", url, self._settings.answers, {}), kind=None)
            elif self._settings.lookup is not None:
                await self.find(_NOBODYS)
        except (Misconfigured, Refused, Unavailable) as failure:
            return Health(ok=False, detail=str(failure))
        return Health(ok=True)

    async def _tell(self, call: Writing | None, record: Record, receipt: Receipt, delivery: Delivery) -> Receipt:
        """Say something of a case that is there."""
        assert call is not None
        values = record.in_path() | _known_as(call, receipt)
        read = await self._send(call, delivery, parts(call, record.tree()), values)
        self._judge(read, call, delivery.kind)
        return Receipt(reference=receipt.reference)

    async def _joined(self, read: Read, twin: Duplicate, delivery: Delivery) -> Receipt:
        """The receipt for a case that was there before, which is ours where its reference proves it."""
        ours = delivery.our_reference
        if twin.reference is None:
            found = await self.find(ours)
            if found is None or found.reference is None:
                raise read.answer.puzzling("rest_duplicate_not_found")
            reference, joined = found.reference, False
        elif twin.reference.ours:
            reference, joined = ours, False
        else:
            named = read.reference(twin.reference)
            if named is None:
                raise read.answer.puzzling("rest_no_reference")
            reference = named
            joined = twin.our_reference is None or read.text(twin.our_reference) != ours
        await delivery.took(reference)
        return Receipt(reference=reference, joined=joined)

    def _judge(self, read: Read, call: Call, kind: StepKind) -> None:
        """Raise what the answer means, by the council's own tables first and by its status then."""
        answer = read.answer
        reasons = (answer.excerpt(),) if answer.body else ()
        if (rule := read.meets(call.misconfigured)) is not None:
            text = "The destination says that it does not know our key; mend it, then resume."
            raise Misconfigured(text, code=read.code("misconfigured", rule), reasons=reasons, suspect=True)
        if (rule := read.meets(call.refused)) is not None:
            raise Refused(code=read.code("refused", rule), reasons=reasons)
        if (rule := read.meets(call.busy)) is not None:
            usual = of_status(answer, kind=kind)
            wait = usual.retry_after if isinstance(usual, Unavailable) else _asked_wait(answer)
            raise Unavailable(code=read.code("busy", rule), reasons=reasons, retry_after=wait)
        if read.meets(call.ok) is None:
            _unless_well(answer, kind=kind)
            if call.ok:
                raise answer.puzzling("rest_not_ok")
        read.understood()

    async def _send(
        self, call: Call, delivery: Delivery, body: Parts, values: Mapping[str, Any], *, key: str | None = None
    ) -> Read:
        """Make the call, with a new token where the old one is no longer known."""
        url = address(self._settings.url, call.path, {"our_reference": delivery.our_reference, **values})
        how = call.answers or self._settings.answers
        access = await self._access.headers()
        sent = self._with(body, how, access, self._key(delivery, key))
        answer = await self._http.write(delivery, call.method, url, accept=_ANY, **sent)
        if answer.status == 401 and self._access.renews:
            delivery.not_taken()
            access = await self._access.headers(instead_of=access)
            sent = self._with(body, how, access, self._key(delivery, key))
            answer = await self._http.write(delivery, call.method, url, accept=_ANY, **sent)
        return Read(answer, how)

    async def _look(self, look: Lookup, our_reference: str) -> Read:
        url = address(self._settings.url, look.path, {"our_reference": our_reference})
        body: Parts = {"json": filled(look.query, {"our_reference": our_reference})} if look.query is not None else {}
        how = look.answers or self._settings.answers
        return Read(await self._ask(look.method, url, how, body), how)

    async def _ask(self, method: str, url: str, how: Format, body: Parts) -> Answer:
        access = await self._access.headers()
        answer = await self._http.read(method, url, accept=_ANY, **self._with(body, how, access))
        if answer.status == 401 and self._access.renews:
            access = await self._access.headers(instead_of=access)
            answer = await self._http.read(method, url, accept=_ANY, **self._with(body, how, access))
        return answer

    def _with(self, body: Parts, how: Format, *more: Mapping[str, str]) -> Parts:
        """The parts of one request; what the council file says of headers wins over what is usual."""
        headers = {"Accept": _ACCEPT[how], **body.get("headers", {})}
        for each in (self._settings.headers, *more):
            lower = {name.lower() for name in each}
            headers = {name: value for name, value in headers.items() if name.lower() not in lower} | dict(each)
        return {**body, "headers": headers}

    def _key(self, delivery: Delivery, of_file: str | None) -> dict[str, str]:
        """The same in every attempt, another one for everything else that is said of the case."""
        if self._settings.idempotency_header is None:
            return {}
        made = delivery.our_reference
        if delivery.kind is not StepKind.CREATE:
            made = "-".join(filter(None, (made, delivery.kind.value, of_file)))
        return {self._settings.idempotency_header: made}


def _known_as(call: Call, receipt: Receipt) -> dict[str, Any]:
    """The council's own number of the case, where the address asks for it."""
    if receipt.reference is None and "reference" in names(call.path):
        text = "The case has no number yet; the hub tries again on schedule."
        raise Unavailable(text, code="rest_number_to_follow")
    return {"reference": receipt.reference}


def _asked_wait(answer: Answer) -> timedelta | None:
    """Retry-After in seconds, where a product says it beside a status of its own."""
    asked = answer.headers.get("Retry-After", "").strip()
    return timedelta(seconds=int(asked)) if re.fullmatch(r"[0-9]{1,5}", asked) else None


def _unless_well(answer: Answer, *, kind: StepKind | None) -> None:
    failure = of_status(answer, kind=kind)
    if failure is not None:
        raise failure
