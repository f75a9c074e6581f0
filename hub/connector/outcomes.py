"""The table that turns a transport error or a status into one of the four failures."""

from __future__ import annotations

import errno
import re
import socket
import ssl
import time
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

import aiohttp
from aiohttp import client_exceptions, http_exceptions

from hub.connector.answers import Answer
from hub.errors import DeliveryFailure, Misconfigured, Refused, Unavailable, Unclear
from hub.model import StepKind

LONGEST_WAIT = timedelta(days=7)  #: no Retry-After is believed beyond this


class Left(StrEnum):
    """Whether the request can have reached the back office."""

    NEVER = "never"
    PERHAPS = "perhaps"  #: unless the body is known not to have been handed over
    OURS = "ours"  #: never, and it is our address or trust that is wrong


class Repeated(aiohttp.ClientError):
    """aiohttp was about to send a write a second time; `cause` is why."""

    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.cause = cause


#: Every exception of aiohttp's client by its exact class: a guard test walks aiohttp and finds what is missing here.
TRANSPORT: Mapping[type[BaseException], tuple[Left, str]] = {
    # our address, or whom we trust
    aiohttp.InvalidURL: (Left.OURS, "address"),
    client_exceptions.InvalidUrlClientError: (Left.OURS, "address"),
    client_exceptions.NonHttpUrlClientError: (Left.OURS, "address"),
    client_exceptions.InvalidUrlRedirectClientError: (Left.OURS, "redirect"),
    client_exceptions.NonHttpUrlRedirectClientError: (Left.OURS, "redirect"),
    client_exceptions.RedirectClientError: (Left.OURS, "redirect"),
    aiohttp.TooManyRedirects: (Left.OURS, "redirect"),
    aiohttp.ClientConnectorCertificateError: (Left.OURS, "certificate"),
    aiohttp.ServerFingerprintMismatch: (Left.OURS, "certificate"),
    # no connection, so no request
    aiohttp.ClientConnectorDNSError: (Left.NEVER, "dns"),
    aiohttp.ClientConnectorError: (Left.NEVER, "connect"),
    client_exceptions.UnixClientConnectorError: (Left.NEVER, "connect"),
    aiohttp.ClientProxyConnectionError: (Left.NEVER, "proxy"),
    aiohttp.ClientHttpProxyError: (Left.NEVER, "proxy"),
    aiohttp.ClientConnectorSSLError: (Left.NEVER, "tls"),
    aiohttp.ClientSSLError: (Left.NEVER, "tls"),
    aiohttp.ConnectionTimeoutError: (Left.NEVER, "connect_timeout"),
    # a connection, and then nobody knows
    aiohttp.ClientError: (Left.PERHAPS, "transport"),
    aiohttp.ClientConnectionError: (Left.PERHAPS, "hung_up"),
    aiohttp.ClientConnectionResetError: (Left.PERHAPS, "reset"),
    aiohttp.ClientOSError: (Left.PERHAPS, "reset"),
    aiohttp.ServerConnectionError: (Left.PERHAPS, "hung_up"),
    aiohttp.ServerDisconnectedError: (Left.PERHAPS, "hung_up"),
    aiohttp.ServerTimeoutError: (Left.PERHAPS, "read_timeout"),
    aiohttp.SocketTimeoutError: (Left.PERHAPS, "read_timeout"),
    aiohttp.ClientPayloadError: (Left.PERHAPS, "broken_answer"),
    aiohttp.UploadAbortedError: (Left.PERHAPS, "hung_up"),
    aiohttp.ClientResponseError: (Left.PERHAPS, "not_http"),
    aiohttp.ContentTypeError: (Left.PERHAPS, "not_http"),
    aiohttp.WSServerHandshakeError: (Left.PERHAPS, "not_http"),
    aiohttp.WSMessageTypeError: (Left.PERHAPS, "not_http"),
    http_exceptions.HttpProcessingError: (Left.PERHAPS, "not_http"),
    # what lies underneath, and is all that a line without HTTP ever raises
    ssl.SSLCertVerificationError: (Left.OURS, "certificate"),
    ssl.SSLError: (Left.PERHAPS, "tls"),
    socket.gaierror: (Left.NEVER, "dns"),
    ConnectionRefusedError: (Left.NEVER, "connect_refused"),
    EOFError: (Left.PERHAPS, "hung_up"),
    TimeoutError: (Left.PERHAPS, "read_timeout"),
    OSError: (Left.PERHAPS, "reset"),
    UnicodeError: (Left.OURS, "address"),  # a host name that IDNA cannot write
    RuntimeError: (Left.PERHAPS, "closed"),  # the session was closed under a call
}

_WORDS: Mapping[str, str] = {
    "address": "The destination's address cannot be used; mend `url` in the council file, then resume.",
    "redirect": "The destination's address sends us elsewhere, which is never followed; mend `url`, then resume.",
    "certificate": "The destination's certificate does not verify; renew or trust it, then resume.",
    "dns": "The destination's name is not found; the hub tries again on schedule.",
    "connect_refused": "Nothing listens at the destination's address; the hub tries again on schedule.",
    "connect": "The destination cannot be reached; the hub tries again on schedule.",
    "connect_timeout": "The destination does not pick up; the hub tries again on schedule.",
    "tls": "The destination broke off the TLS handshake; the hub tries again on schedule.",
}


def of_transport(trouble: BaseException, *, write: bool, left: bool) -> DeliveryFailure:
    """The failure that a transport error means; `left` is false where the request certainly never left."""
    if isinstance(trouble, Repeated):
        trouble = trouble.cause
    verdict, code = next(TRANSPORT[kind] for kind in type(trouble).__mro__ if kind in TRANSPORT)
    if code == "connect" and getattr(trouble, "errno", None) == errno.ECONNREFUSED:
        code = "connect_refused"
    if isinstance(trouble.__cause__, ssl.SSLCertVerificationError):
        verdict, code = Left.OURS, "certificate"
    return of_code(code, verdict=verdict, write=write, left=left)


def of_code(code: str, *, verdict: Left = Left.PERHAPS, write: bool, left: bool) -> DeliveryFailure:
    """The failure for something the seam found out by itself (a deadline, a body over the limit)."""
    text = _WORDS.get(code)
    match verdict:
        case Left.OURS:
            return Misconfigured(text, code=code)
        case Left.PERHAPS if write and left:
            return Unclear(text, code=code)
        case Left.PERHAPS | Left.NEVER:
            return Unavailable(text, code=code)


_BUSY = frozenset({408, 425, 429, 503})
_KEY = frozenset({401, 403, 407})
_GONE = frozenset({404, 405, 410})


def of_status(answer: Answer, *, kind: StepKind | None) -> DeliveryFailure | None:
    """The failure that a status means, None for a success. `kind` is the step a write belongs to."""
    status = answer.status
    if 200 <= status < 300:
        return None
    code = f"http_{status}"
    reasons = (answer.excerpt(),) if answer.body else ()
    if 300 <= status < 400:
        return Misconfigured(_WORDS["redirect"], code="redirect", reasons=reasons)
    if status in _BUSY:
        text = f"The destination is busy (HTTP {status}); the hub tries again on schedule."
        return Unavailable(text, code=code, reasons=reasons, retry_after=retry_after(answer))
    if status in _KEY or (status in _GONE and kind in (None, StepKind.CREATE, StepKind.NUMBER)):
        text = f"The destination does not accept our key or address (HTTP {status}); mend them, then resume."
        return Misconfigured(text, code=code, reasons=reasons, suspect=True)
    if 400 <= status < 500:
        text = f"The destination refused the record (HTTP {status}); mend the data or the mapping, then replay."
        return Refused(text, code=code, reasons=reasons)
    if answer.written:
        text = f"The destination failed while it had the record (HTTP {status}); look before you replay."
        return Unclear(text, code=code, reasons=reasons)
    text = f"The destination failed (HTTP {status}); the hub tries again on schedule."
    return Unavailable(text, code=code, reasons=reasons)


def retry_after(answer: Answer) -> timedelta | None:
    """How long the back office asks us to wait: seconds, or a date read against its own clock."""
    asked = answer.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", asked):
        return min(timedelta(seconds=int(asked)), LONGEST_WAIT)
    until = _instant(asked)
    if until is None:
        return None
    now = _instant(answer.headers.get("Date", "")) or time.time()
    return timedelta(seconds=min(max(until - now, 0.0), LONGEST_WAIT.total_seconds()))


def _instant(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
