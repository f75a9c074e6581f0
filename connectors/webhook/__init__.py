"""Signed posts (Standard Webhooks) to a council that has an address and no product."""

from __future__ import annotations

import hashlib
import json
import re
import time
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict

from connectors.webhook import signing
from connectors.webhook.settings import WebhookSettings
from hub.connector import (
    Answer,
    Attachment,
    Delivery,
    FreeRecord,
    Http,
    Misconfigured,
    Operation,
    Receipt,
    Refused,
    ReplaySafety,
    tailored,
)

__all__ = ["Message", "Webhook", "WebhookSettings"]

_LONGEST: Final = 120  #: characters of a reference: what the hub keeps
_GONE: Final = 410


class Message(FreeRecord):
    """Whatever the council wants to be told."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "missed_bin.reported",
                    "timestamp": "2026-11-23T09:00:00Z",
                    "data": {"reference": "{our_reference}", "street": "Müller’s Row", "bins": [{"code": "food"}]},
                }
            ]
        }
    )


class Webhook:
    """A signed post (Standard Webhooks) for each request: for a council that has an address and no product."""

    name: ClassVar[str] = "webhook"
    simulator: ClassVar[str] = "connectors.webhook.simulator:app"
    Settings: ClassVar[type[BaseModel]] = WebhookSettings
    operations: ClassVar[Mapping[str, Operation]] = {
        verb: Operation(Message) for verb in ("create", "update", "cancel", "attach")
    }

    @classmethod
    def configured(cls, settings: Mapping[str, Any]) -> type[Self]:
        keeps = settings.get("deduplicates") is True
        safety = ReplaySafety.IDEMPOTENT if keeps else ReplaySafety.UNSAFE
        left = ("attach",) if settings.get("attachments") == "leave" else ()
        verbs = [verb for verb in cls.operations if verb not in left]
        return tailored(
            cls, operations={verb: Operation(Message, replay_safety=safety) for verb in verbs}, without=left
        )

    def __init__(self, settings: WebhookSettings, http: Http) -> None:
        self._settings = settings
        self._http = http
        self._keys = [signing.key_of(secret.get_secret_value()) for secret in settings.secrets]

    async def create(self, record: Message, delivery: Delivery) -> Receipt:
        answer = await self._post(record.tree(), delivery, id=f"{delivery.our_reference}-create")
        reference = delivery.our_reference if self._settings.reference is None else _reference(answer, self._settings)
        await delivery.took(reference)
        return Receipt(reference=reference)

    async def update(self, record: Message, receipt: Receipt, delivery: Delivery) -> Receipt:
        await self._post(record.tree(), delivery, id=f"{delivery.our_reference}-update")
        return Receipt(reference=receipt.reference)

    async def cancel(self, record: Message, receipt: Receipt, delivery: Delivery) -> Receipt:
        await self._post(record.tree(), delivery, id=f"{delivery.our_reference}-cancel")
        return Receipt(reference=receipt.reference)

    async def attach(self, attachment: Attachment, receipt: Receipt, delivery: Delivery) -> None:
        content = b"".join([chunk async for chunk in attachment.chunks()])
        message = {
            "our_reference": delivery.our_reference,
            "reference": receipt.reference,
            "attachment": {
                "name": attachment.name,
                "media_type": attachment.media_type,
                "size": attachment.size,
                "content_base64": b64encode(content).decode(),
            },
        }
        # By its content: the same file is the same message in every attempt, and no other file is.
        of_file = hashlib.sha256(content).hexdigest()[:16]
        await self._post(message, delivery, id=f"{delivery.our_reference}-attach-{of_file}")

    async def _post(self, message: Mapping[str, Any], delivery: Delivery, *, id: str) -> Answer:
        """Sign these very bytes and send them. The id is the same in every attempt, the time is that of this one."""
        try:
            body = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        except (ValueError, TypeError, RecursionError):
            text = "The record cannot be written as JSON; mend the mapping or the data, then replay."
            raise Refused(text, code="unsendable") from None
        signed = signing.headers(self._keys, id=id, at=int(time.time()), body=body)
        headers = {"Content-Type": "application/json", "Accept": "application/json", **signed}
        answer = await self._http.write(
            delivery, "POST", self._settings.url, content=body, headers=headers, accept={_GONE}
        )
        if answer.status == _GONE:
            text = "The receiver wants no more posts at this address; ask for the new one and mend `url`, then resume."
            raise Misconfigured(text, code="webhook_gone")
        # Any 2xx means that it was taken, whatever its body; but no receiver of hooks answers with a web page.
        if answer.body.lstrip()[:1] == b"<" and "html" in answer.headers.get("Content-Type", "").lower():
            raise answer.puzzling("webhook_web_page")
        return answer


def _reference(answer: Answer, settings: WebhookSettings) -> str:
    """The number that the council file says is in the answer."""
    found = answer.json()
    for step in (settings.reference or "").split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        match found:
            case Mapping():
                found = found.get(name)
            case list() if name.isdecimal() and int(name) < len(found):
                found = found[int(name)]
            case _:
                found = None
    text = str(found).strip() if isinstance(found, str | int) and not isinstance(found, bool) else ""
    if not text or len(text) > _LONGEST or not text.isprintable() or re.fullmatch(r"0+|-[0-9]+", text):
        raise answer.puzzling("webhook_no_reference")
    return text
