"""Back offices that misbehave on purpose, on real sockets."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.connector import Delivery, StepKind

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


def a_delivery(kind: StepKind = StepKind.CREATE, **marks: Any) -> Delivery:
    at = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    return Delivery(
        our_reference="ABCD-EFGH", reference="ABCD-EFGH", operation="Create", received_at=at, kind=kind, **marks
    )


def answer(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    """One HTTP answer, as bytes; `Content_Type="text/xml"` becomes a header."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass
class Line:
    """One connection, from the back office's side."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heard: list[bytes]

    async def hear(self) -> bytes:
        """One whole request with a Content-Length; b"" once the caller hung up."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return b""
        length = next((int(one[15:]) for one in head.lower().split(b"\r\n") if one.startswith(b"content-length:")), 0)
        request = head + await self.reader.readexactly(length)
        self.heard.append(request)
        return request

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """A TCP reset instead of a polite end."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@dataclass
class Peer:
    """A listening back office: where it is, what it heard, and how often it was called up."""

    url: str
    heard: list[bytes] = field(default_factory=list)
    calls: int = 0


Manner = Callable[[Line], Awaitable[None]]


@asynccontextmanager
async def peer(manner: Manner | bytes, *, tls: SSLContext | None = None) -> AsyncIterator[Peer]:
    """A server that treats every connection in this manner; bytes are its answer to every request."""
    office = Peer(url="")
    lines: set[asyncio.Task[None]] = set()

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        office.calls += 1
        task = asyncio.current_task()
        assert task is not None
        lines.add(task)
        with suppress(ConnectionError, asyncio.CancelledError):
            await (always(manner) if isinstance(manner, bytes) else manner)(Line(reader, writer, office.heard))
        writer.transport.abort() if writer.transport.is_closing() else writer.close()
        lines.discard(task)

    server = await asyncio.start_server(receive, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    office.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    try:
        yield office
    finally:
        server.close()
        for line in list(lines):
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)


def always(data: bytes) -> Manner:
    async def manner(line: Line) -> None:
        while await line.hear():
            await line.say(data)

    return manner


async def resets(line: Line) -> None:
    await line.hear()
    line.reset()


async def hangs_up(line: Line) -> None:
    await line.hear()


async def never_answers(line: Line) -> None:
    await line.hear()
    await asyncio.sleep(30)


async def drips(line: Line) -> None:
    """An answer of which a byte comes every 20 ms, for ever."""
    await line.hear()
    await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        await line.say(b".")
        await asyncio.sleep(0.02)


async def drip(line: Line, data: bytes) -> None:
    """A byte every 50 ms: for minutes, and never a silence that a read timeout would notice."""
    for at in range(len(data)):
        await line.say(data[at : at + 1])
        await asyncio.sleep(0.05)


async def stops_halfway(line: Line) -> None:
    await line.hear()
    await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")


async def resets_halfway(line: Line) -> None:
    await line.hear()
    await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    await asyncio.sleep(0.05)
    line.reset()


async def hangs_up_at_once(line: Line) -> None:
    line.reset()


@contextmanager
def deaf() -> Iterator[str]:
    """An address where nobody picks up: the queue of connections is full."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = []
        for _ in range(4):
            caller = socket.socket()
            caller.setblocking(False)
            with suppress(BlockingIOError):
                caller.connect(listening.getsockname())
            waiting.append(caller)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            for caller in waiting:
                caller.close()


@contextmanager
def nobody() -> Iterator[str]:
    """An address where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@dataclass
class Certificate:
    """A self-made certificate, its key beside it."""

    path: Path

    def server(self) -> SSLContext:
        context = SSLContext(PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path)
        return context


def a_certificate(folder: Path, *, name: str = "127.0.0.1", days: int = 1) -> Certificate:
    """A certificate for this address or name, valid until `days` from now (ended, if negative)."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    until = datetime.now(UTC) + timedelta(days=days)
    try:
        alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        alternative = x509.DNSName(name)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - timedelta(days=10))
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return Certificate(path)


async def a_moment() -> None:
    """Long enough for a hang-up to be heard."""
    await asyncio.sleep(0.05)
