"""E-mails to a council's mailbox over SMTP, for councils without an API."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from pydantic import BaseModel

from connectors.email.messages import File, Message, write
from connectors.email.session import opened
from connectors.email.settings import EmailSettings
from hub.connector import (
    Attachment,
    Call,
    Delivery,
    FreeRecord,
    Health,
    Http,
    Line,
    Misconfigured,
    Operation,
    Receipt,
    Refused,
    ReplaySafety,
    Unavailable,
)

__all__ = ["Email", "EmailSettings", "Message"]


class Email:
    """A mailbox: one e-mail for each request, and one for each update and attachment that names its case."""

    name: ClassVar[str] = "email"
    simulator: ClassVar[str] = "connectors.email.simulator:app"
    Settings: ClassVar[type[BaseModel]] = EmailSettings
    #: A second e-mail is a second e-mail. A mailbox that drops one with a Message-ID it has seen may be told of
    #: by its council: `replay: {create: {safety: idempotent, note: …}}`.
    operations: ClassVar[Mapping[str, Operation]] = {
        "create": Operation(Message, replay_safety=ReplaySafety.UNSAFE),
        "update": Operation(Message, replay_safety=ReplaySafety.UNSAFE),
        "cancel": Operation(Message, replay_safety=ReplaySafety.UNSAFE),
        "attach": Operation(FreeRecord, replay_safety=ReplaySafety.UNSAFE),
    }

    def __init__(self, settings: EmailSettings, http: Http) -> None:
        self._settings = settings
        self._line = Line(http, name="email")
        self._tls: ssl.SSLContext | None = None

    async def create(self, record: Message, delivery: Delivery) -> Receipt:
        """Send it. A mailbox gives no number, so the reference is our own: it is in the subject."""
        await self._send(record, delivery, case=delivery.our_reference)
        await delivery.took(delivery.our_reference)
        return Receipt(reference=delivery.our_reference)

    async def update(self, record: Message, receipt: Receipt, delivery: Delivery) -> Receipt:
        """An e-mail in the conversation of the first."""
        await self._send(record, delivery, case=receipt.reference or delivery.our_reference)
        return receipt

    async def cancel(self, record: Message, receipt: Receipt, delivery: Delivery) -> Receipt:
        return await self.update(record, receipt, delivery)

    async def attach(self, attachment: Attachment, receipt: Receipt, delivery: Delivery) -> None:
        """An e-mail of its own, so that a file that is too large never holds up the request."""
        case = receipt.reference or delivery.our_reference
        content = b"".join([chunk async for chunk in attachment.chunks()])
        file = File(name=attachment.name, media_type=attachment.media_type, content=content)
        about = Message(subject=f"A file for {case}", body=f"A file that came with the request {case}.")
        await self._send(about, delivery, case=case, files=[file])

    async def check(self) -> Health:
        """As far as naming the mailbox: proves server, certificate, password, sender and mailbox, and sends nothing."""

        async def talk(call: Call) -> None:
            async with opened(call, self._settings, tls=await self._trusted()) as session:
                await session.envelope()

        try:
            await self._line.read("CHECK", self._address, talk)
        except (Misconfigured, Refused, Unavailable) as failure:
            return Health(ok=False, detail=str(failure))
        return Health(ok=True)

    async def _send(self, record: Message, delivery: Delivery, *, case: str, files: list[File] | None = None) -> None:
        writing = partial(write, record, self._settings, delivery, case=case, files=files or [])
        # A file of some megabytes takes a second to encode, which nobody else must wait for.
        written = await self._line.apart(writing) if files else writing()

        async def talk(call: Call) -> None:
            async with opened(call, self._settings, tls=await self._trusted()) as session:
                await session.envelope(written)
                await session.content(written)

        await self._line.write(delivery, "SMTP", self._address, talk)

    @property
    def _address(self) -> str:
        host, port = self._settings.at
        return f"smtp://{host}:{port}"

    async def _trusted(self) -> ssl.SSLContext | None:
        """Whom to trust; read from disk once, away from the event loop."""
        if self._settings.security == "none":
            return None
        if self._tls is None:
            try:
                self._tls = await self._line.apart(partial(ssl.create_default_context, cafile=self._settings.trust))
            except OSError:  # no such file, or no certificate in it
                text = "The file that `trust` names holds no certificate; mend it, then resume."
                raise Misconfigured(text, code="smtp_trust") from None
        return self._tls
