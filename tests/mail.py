"""An e-mail connector, a pretend mail server in this event loop, and a real one that is not ours."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiosmtpd.smtp import SMTP, AuthResult, Envelope
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.email import Email, EmailSettings, Message
from connectors.email.simulator import EmailOffice
from hub.connector import Http
from hub.connector.testing import serving

SETTINGS = {"sender": "hub@council.example", "to": "foi@council.example"}
PASSWORD = "correct horse battery"


def email(host: str, port: int, *, patience: float = 5.0, **settings: Any) -> Email:
    given = {"host": host, "port": port, "security": "none", **SETTINGS, **settings}
    return Email(EmailSettings.model_validate(given), Http(timeout=dt.timedelta(seconds=patience)))


def message(**fields: Any) -> Message:
    return Message.model_validate({"subject": "Missed bins", "body": "How many?", **fields})


@asynccontextmanager
async def mailbox(
    *, patience: float = 5.0, settings: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[Any]:
    """The connector and the pretend mail server that it speaks to."""
    office = EmailOffice()
    office.option.update(options)
    async with serving(office) as address:
        at = urlsplit(address.url)
        yield email(at.hostname or "", at.port or 0, patience=patience, **(settings or {})), office


class Mailbag:
    """What a server that is not ours was handed."""

    def __init__(self) -> None:
        self.kept: list[Envelope] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        self.kept.append(envelope)
        return "250 kept"

    def read(self) -> EmailMessage:
        """The only e-mail, as a mail reader sees it."""
        (envelope,) = self.kept
        found = message_from_bytes(envelope.content or b"", policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found


@asynccontextmanager
async def stranger(
    bag: Mailbag, *, tls: ssl.SSLContext | None = None, start: bool = True, **how: Any
) -> AsyncIterator[int]:
    """A server of aiosmtpd's; its port. With `start` TLS is begun by STARTTLS, and is required."""
    if tls is not None and start:
        how |= {"tls_context": tls, "require_starttls": True}
    loop = asyncio.get_running_loop()
    made = await loop.create_server(
        lambda: SMTP(bag, hostname="stranger.example", enable_SMTPUTF8=True, loop=loop, **how),
        "127.0.0.1",
        0,
        ssl=None if start else tls,
    )
    try:
        yield made.sockets[0].getsockname()[1]
    finally:
        made.close()


def knows(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    """An authenticator that knows one user."""
    good = (data.login, data.password) == (b"hub", PASSWORD.encode())
    return AuthResult(success=good, handled=False)


def certificate(folder: Path, *, host: str = "127.0.0.1") -> tuple[Path, ssl.SSLContext]:
    """A certificate that nobody but this test trusts: its file, and what a server serves it with."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pretend mail server")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "ca.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    serves = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serves.load_cert_chain(public, private)
    return public, serves
