"""A pretend mail server with one mailbox: SMTP on its own port, and a ledger of the e-mails that it took."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from hashlib import sha256
from typing import Any, ClassVar

from hub.connector.testing import At, Behaviour, Mode, Office, our_reference_in

_LARGEST = 64 * 2**20
_THREAD = re.compile(r"<([^@.>]+)\.")
_PAGE = b"<!DOCTYPE html><html><body><h1>Sign in to the guest network</h1></body></html>\r\n"
#: Replies to whatever was sent, before any of it is done.
_SAYS: Mapping[Mode, bytes] = {
    Mode.REFUSE: b"554 5.7.1 Not wanted here",
    Mode.UNAVAILABLE: b"451 4.3.0 Try again later",
    Mode.RATE_LIMITED: b"450 4.7.1 Greylisted, come again",
    Mode.FAULT: b"999 unexplained",
    Mode.BAD_AUTH: b"535 5.7.8 Authentication credentials invalid",
    Mode.EXPIRED_SESSION: b"530 5.7.0 Authentication required",
}


class EmailOffice(Office):
    """Takes mail for anybody, from anybody who signs in as it was told (`username`, `password`; empty: as anybody).

    `mail`, `rcpt` and `data` are codes to answer those commands with, 0 for
    the good one; `offers` are the lines of its EHLO. It is strict where the
    world is: a bare line feed, an unstuffed dot or a reply nobody waited for
    spoils the conversation.
    """

    name = "email"
    options: ClassVar[Mapping[str, Any]] = {
        "username": "",
        "password": "",
        "mail": 0,
        "rcpt": 0,
        "data": 0,
        "offers": "AUTH PLAIN LOGIN, 8BITMIME, SIZE 52428800",
    }
    tells_when = False

    @asynccontextmanager
    async def opened(self, *, host: str, port: int) -> AsyncIterator[str]:
        talks: set[asyncio.Task[None]] = set()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            here = asyncio.current_task()
            assert here is not None
            talks.add(here)
            try:
                with contextlib.suppress(asyncio.CancelledError):  # the mail server is being switched off
                    await _Talk(self, reader, writer).hear_out()
            finally:
                talks.discard(here)
                writer.close()

        server = await asyncio.start_server(talk, host, port, limit=_LARGEST)
        try:
            where = server.sockets[0].getsockname()
            yield f"smtp://{f'[{where[0]}]' if ':' in where[0] else where[0]}:{where[1]}"
        finally:
            server.close()
            for one in tuple(talks):
                one.cancel()
            await asyncio.gather(*talks, return_exceptions=True)

    def take(self, content: bytes, *, envelope: Mapping[str, Any]) -> None:
        """File an e-mail under its conversation: a mailbox has no numbers of its own."""
        found = message_from_bytes(content, policy=policy.default)
        assert isinstance(found, EmailMessage)
        record = _record(found) | dict(envelope)
        thread = _THREAD.match(str(found["References"] or found["Message-ID"] or ""))
        ours = our_reference_in(record["subject"]) or (thread[1] if thread else None)
        self.ledger.add(
            reference=thread[1] if thread else str(found["Message-ID"]),
            our_reference=ours,
            operation="reply" if found["References"] else "create",
            record=record,
        )


class _Talk:
    """One connection, from its greeting to its end."""

    def __init__(self, office: EmailOffice, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.office = office
        self.reader = reader
        self.writer = writer
        self.sender = ""
        self.mailboxes: list[str] = []

    async def hear_out(self) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            if not await self._play(At.READ, b"220 pretend.example ESMTP"):
                return
            while True:
                verb, _, rest = (await self.reader.readuntil(b"\r\n"))[:-2].decode("utf-8", "replace").partition(" ")
                if verb.upper() == "QUIT":
                    await self._say(b"221 Bye")
                    return
                await self._obey(verb.upper(), rest)

    async def _obey(self, verb: str, rest: str) -> None:
        match verb:
            case "EHLO":
                lines = ["pretend.example", *filter(None, re.split(r",\s*", self.office.option["offers"]))]
                await self._say("\r\n".join(f"250-{line}" for line in lines[:-1]).encode())
                await self._say(f"250 {lines[-1]}".encode())
            case "AUTH":
                await self._sign_in(rest)
            case "MAIL":
                self.sender, self.mailboxes = rest, []
                await self._say(self._code("mail") or b"250 2.1.0 Ok")
            case "RCPT" if self.sender:
                self.mailboxes.append(re.sub(r"(?i)^TO:<(.*)>.*$", r"\1", rest))
                await self._say(self._code("rcpt") or b"250 2.1.5 Ok")
            case "DATA" if self.mailboxes:
                if refusal := self._code("data"):
                    await self._say(refusal)
                else:
                    await self._say(b"354 End with a dot")
                    await self._take()
            case "RSET" | "NOOP":
                await self._say(b"250 2.0.0 Ok")
            case _:
                await self._say(b"503 5.5.1 Not now")

    async def _sign_in(self, rest: str) -> None:
        method, _, first = rest.partition(" ")
        if method.upper() == "PLAIN":
            _, username, password = [*_plain(first).split("\0"), "", "", ""][:3]
        else:
            await self._say(b"334 UGFzc3dvcmQ6")
            password = _plain((await self.reader.readuntil(b"\r\n")).strip().decode())
            username = _plain(first)
        option = self.office.option
        good = option["username"] in ("", username) and option["password"] in ("", password)
        await self._play(At.LOGIN, b"235 2.7.0 Welcome" if good else _SAYS[Mode.BAD_AUTH])

    async def _take(self) -> None:
        content = await self._content()
        if content is None:
            await self._say(b"550 5.6.0 Lines end with CR LF")
            return
        envelope = {"from": re.sub(r"(?i)^FROM:<(.*)>.*$", r"\1", self.sender), "to": list(self.mailboxes)}
        at = At.ATTACH if b"\r\nReferences:" in content.partition(b"\r\n\r\n")[0] else At.WRITE
        await self._play(at, b"250 2.0.0 Ok: queued", commit=lambda: self.office.take(content, envelope=envelope))
        self.sender, self.mailboxes = "", []

    async def _content(self) -> bytes | None:
        """All up to the final dot, its dots unstuffed; None where a line ended without CR."""
        lines: list[bytes] = []
        clean = True
        while (line := await self.reader.readuntil(b"\n")) != b".\r\n":
            clean = clean and line.endswith(b"\r\n")
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines) if clean else None

    async def _play(self, at: At, good: bytes, *, commit: Callable[[], None] = lambda: None) -> bool:
        """Answer as the script says; whether the conversation goes on."""
        behaviour = self.office.script.take(at)
        if behaviour is None:
            commit()
            await self._say(good)
            return True
        return await self._misbehave(behaviour, good, commit)

    async def _misbehave(self, behaviour: Behaviour, good: bytes, commit: Callable[[], None]) -> bool:
        wait = behaviour.wait.total_seconds() if behaviour.wait is not None else 0.0
        match behaviour.mode:
            case Mode.SLOW:
                commit()
                await asyncio.sleep(wait)
                await self._say(good)
            case Mode.TIMEOUT:
                return await self._never()
            case Mode.COMMIT_THEN_TIMEOUT:
                commit()
                return await self._never()
            case Mode.COMMIT_THEN_DROP:
                commit()
                self.writer.transport.abort()
                return False
            case Mode.DRIP:
                commit()
                for byte in good + b"\r\n":
                    self.writer.write(bytes([byte]))
                    await self.writer.drain()
                    await asyncio.sleep(wait)
            case Mode.HTML_ERROR:
                self.writer.write(_PAGE)
                await self.writer.drain()
                return False
            case mode:
                await self._say(_SAYS.get(mode, good))
        return True

    async def _never(self) -> bool:
        """Say nothing until the caller has had enough."""
        while await self.reader.read(65536):
            pass
        return False

    def _code(self, option: str) -> bytes | None:
        code = self.office.option[option]
        return f"{code} told to say so".encode() if code else None

    async def _say(self, line: bytes) -> None:
        self.writer.write(line + b"\r\n")
        await self.writer.drain()


def _record(found: EmailMessage) -> dict[str, Any]:
    """The e-mail as whoever opens the mailbox sees it."""
    body = found.get_body(preferencelist=("plain",))
    files = list(found.iter_attachments())
    data = next((one for one in files if one.get_content_type() == "application/json"), None)
    return {
        "subject": str(found["Subject"]),
        "body": body.get_content() if body is not None else "",
        "message_id": str(found["Message-ID"]),
        "references": str(found["References"] or ""),
        "reply_to": str(found["Reply-To"] or ""),
        "data": json.loads(data.get_content()) if data is not None else None,
        "files": [_file(one) for one in files],
    }


def _file(part: Any) -> dict[str, Any]:
    content = part.get_payload(decode=True) or b""
    return {
        "name": part.get_filename(),
        "media_type": part.get_content_type(),
        "size": len(content),
        "sha256": sha256(content).hexdigest(),
    }


def _plain(encoded: str) -> str:
    try:
        return base64.b64decode(encoded).decode("utf-8", "replace")
    except ValueError:
        return ""


app = EmailOffice
