"""One conversation with a mail server: one connection, one e-mail, and the final dot as the one point of no return."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Final

from aiosmtplib import SMTP, SMTPConnectError, SMTPResponse, SMTPResponseException
from aiosmtplib.protocol import SMTPProtocol

from connectors.email.messages import Written
from connectors.email.replies import Stage, of
from connectors.email.settings import EmailSettings
from hub.connector import Call, Misconfigured, Refused, Unavailable

_PIECE: Final = 64 * 1024
_BUFFERED: Final = 256 * 1024  #: bytes on their way out of this process
_BREATH: Final = 0.005


class Session:
    """A connection that is signed in, or was refused."""

    def __init__(self, client: SMTP, call: Call, settings: EmailSettings) -> None:
        self._client = client
        self._call = call
        self._settings = settings

    async def envelope(self, written: Written | None = None) -> None:
        """Name the sender and the mailbox. Nothing is taken by that; all of the mailbox or nothing."""
        options = ["SMTPUTF8", "BODY=8BITMIME"] if written is not None and written.utf8 else []
        if options and not self._client.supports_extension("smtputf8"):
            text = "The mail server cannot take an address that is not ASCII; leave `reply_to` out, then replay."
            raise Refused(text, code="smtp_no_smtputf8")
        limit = self._client.esmtp_extensions.get("size", "")
        if written is not None and limit.isdigit() and 0 < int(limit) < len(written.content):
            text = "The e-mail is larger than the mail server takes; send the file another way, then discard this."
            raise Refused(text, code="smtp_too_large")
        await self._say(f"MAIL FROM:<{self._settings.sender}>", *options, stage=Stage.ENVELOPE)
        for mailbox in self._settings.to:
            await self._say(f"RCPT TO:<{mailbox}>", stage=Stage.ENVELOPE)

    async def content(self, written: Written) -> str:
        """Send the e-mail; what the server said as it took it.

        A server takes nothing before the final dot (RFC 5321, 4.1.1.4), so all
        of a large e-mail goes up before the write is marked.
        """
        await self._say("DATA", stage=Stage.CONTENT, hoped=3)
        self._call.said(written.shown)
        await self._upload(written.upload)
        self._connected()
        await self._call.leaves()
        protocol = self._connected()
        protocol.write(b".\r\n")
        return await self._judged(protocol.read_response(), stage=Stage.CONTENT, hoped=2)

    async def sign_in(self) -> None:
        """Once, by one method: a wrong password that is tried by three of them locks an account."""
        username, password = self._settings.username, self._settings.password
        if username is None or password is None:
            return
        known = self._client.server_auth_methods
        secret = password.get_secret_value()
        if "plain" in known:
            await self._secretly(f"PLAIN {_base64(f'{chr(0)}{username}{chr(0)}{secret}')}", said="AUTH PLAIN")
        elif "login" in known:
            await self._secretly(f"LOGIN {_base64(username)}", said="AUTH LOGIN", hoped=3)
            await self._secretly(_base64(secret), said="(the password)", command=())
        else:
            text = "The mail server lets nobody sign in here: mend `security` or `port`, or leave `username` out."
            raise Misconfigured(text, code="smtp_no_auth")

    def _connected(self) -> SMTPProtocol:
        protocol = self._client.protocol
        if protocol is None or not protocol.is_connected:
            text = "The mail server hung up before the e-mail was whole; the hub tries again on schedule."
            raise Unavailable(text, code="hung_up")
        return protocol

    async def _upload(self, body: bytes) -> None:
        """All of it handed to the network, never more than a little of it waiting in this process."""
        for start in range(0, len(body), _PIECE):
            self._connected().write(body[start : start + _PIECE])
            await self._drained(_BUFFERED)
        await self._drained(0)

    async def _drained(self, most: int) -> None:
        while self._waiting() > most:  # noqa: ASYNC110  # a transport has no event to wait for
            await asyncio.sleep(_BREATH)

    def _waiting(self) -> int:
        """Bytes that are not out yet; none where the connection is gone, which the next write finds out."""
        size = getattr(self._client.transport, "get_write_buffer_size", None)
        return int(size()) if size is not None else 0

    async def _say(self, *words: str, stage: Stage, hoped: int = 2) -> str:
        self._call.said(" ".join(words))
        reply = self._client.execute_command(*(word.encode("ascii") for word in words))
        return await self._judged(reply, stage=stage, hoped=hoped)

    async def _secretly(self, what: str, *, said: str, command: tuple[bytes, ...] = (b"AUTH",), hoped: int = 2) -> None:
        self._call.said(f"{said} ‹secret›")
        reply = self._client.execute_command(*command, what.encode("ascii"))
        await self._judged(reply, stage=Stage.HELLO, hoped=hoped)

    async def _judged(self, reply: Awaitable[SMTPResponse], *, stage: Stage, hoped: int) -> str:
        try:
            code, text = await reply
        except SMTPResponseException as odd:  # no reply of SMTP, or one without an end
            code, text = odd.code, odd.message
        self._call.heard(f"{code} {text}")
        self._call.status = code
        if code // 100 != hoped:
            raise of(self._call, code, text, stage=stage)
        return text


@asynccontextmanager
async def opened(call: Call, settings: EmailSettings, *, tls: ssl.SSLContext | None) -> AsyncIterator[Session]:
    """A session for as long as the block runs; it ends politely where the block did."""
    host, port = settings.at
    client = SMTP(
        hostname=host,
        port=port,
        local_hostname=settings.our_domain,
        timeout=None,  # the line has one deadline for everything
        use_tls=settings.security == "tls",
        start_tls=False,
        tls_context=tls,
    )
    session = Session(client, call, settings)
    try:
        await _greeted(client, call, settings)
        await session.sign_in()
        yield session
        if client.protocol is not None and client.is_connected:
            client.protocol.write(b"QUIT\r\n")  # its answer is nothing to wait for
    except BaseException:
        # Whoever does not read any more would keep a connection that closes politely for ever.
        abort = getattr(client.transport, "abort", None)
        if abort is not None:
            abort()
        raise
    finally:
        client.close()


async def _greeted(client: SMTP, call: Call, settings: EmailSettings) -> None:
    """Greeted, known by name, and encrypted where it must be. Some servers let a caller wait for their greeting on
    purpose, so nothing but the one deadline is over it."""
    trouble: BaseException | None = None
    try:
        call.heard(str(await client.connect()))
        call.heard(str(await client.ehlo()))
        if settings.security == "starttls":
            if not client.supports_extension("starttls"):
                text = "The mail server offers no STARTTLS here: mend `port` or `security`, then resume."
                raise Misconfigured(text, code="smtp_no_starttls")
            await client.starttls()
            call.heard(str(await client.ehlo()))
    except SMTPResponseException as reply:
        call.heard(f"{reply.code} {reply.message}")
        raise of(call, reply.code, reply.message, stage=Stage.HELLO) from None
    except SMTPConnectError as error:
        trouble = error.__cause__ if isinstance(error.__cause__, OSError) else error
    if trouble is not None:
        raise trouble


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()
