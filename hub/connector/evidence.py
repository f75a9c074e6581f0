"""What was said to a back office and what it answered, without a credential in it."""

from __future__ import annotations

import base64
import functools
import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

HIDDEN = "‹secret›"
CAP = 16 * 1024  #: bytes kept of each body

_HIDDEN_BYTES = HIDDEN.encode()
_TOKENS_KEPT = 32  #: a product renews its token every hour or so; the old ones are dead
_SHORTEST_CORE = 6  #: base64 of other things holds any 4 characters by chance
_MORE_BASE64 = rb"(?:[A-Za-z0-9+/_-]|%2[bBfF])*(?:=|%3[dD]){0,2}"
_SENSITIVE = frozenset(
    {
        "api-key",
        "apikey",
        "authorization",
        "cookie",
        "ipublickey",
        "ocp-apim-subscription-key",
        "password",
        "proxy-authorization",
        "set-cookie",
        "username",
        "www-authenticate",
        "x-api-key",
        "x-auth-token",
    }
)
_SENSITIVE_WORDS = ("token", "secret", "apikey", "api-key", "password", "session")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer, as a person may be shown it.

    `status` is None and `failure` holds the code where no answer came. Bodies
    are cut to 16 KiB; every secret is replaced before the exchange is made.
    """

    method: str
    url: str
    request_headers: tuple[tuple[str, str], ...]
    request: bytes
    status: int | None
    response_headers: tuple[tuple[str, str], ...]
    response: bytes
    failure: str | None
    started_at_monotonic: float
    ms: float


_recorder: ContextVar[list[Exchange] | None] = ContextVar("http_evidence", default=None)


@contextmanager
def http_evidence() -> Iterator[list[Exchange]]:
    """Keep what the seams say and hear within this block, in this task and those it starts."""
    log: list[Exchange] = []
    token = _recorder.set(log)
    try:
        yield log
    finally:
        _recorder.reset(token)


def recorder() -> list[Exchange] | None:
    """The log to write to, or None where nobody asked for evidence."""
    return _recorder.get()


class Veil:
    """Replaces the secrets of one destination, in every encoding a body or address may carry them in."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lasting = tuple(secrets)
        self._tokens: deque[str] = deque(maxlen=_TOKENS_KEPT)
        self._weave()

    def add(self, token: str) -> None:
        """Hide this token too from now on."""
        if token not in self._tokens and token not in self._lasting:
            self._tokens.append(token)
            self._weave()

    def _weave(self) -> None:
        branches: dict[bytes, bytes] = {}
        for secret in filter(None, (*self._lasting, *self._tokens)):
            branches[_in_any_spelling(secret)] = _landmark(secret)
            for core in _base64_cores(secret):
                branches[_in_any_spelling(core) + _MORE_BASE64] = _landmark(core)
        marks = set(branches.values())
        # One that holds another is found wherever the other is.
        self._landmarks = tuple(one for one in marks if not any(other in one for other in marks - {one}))
        # Longest first: a short secret must not cut a longer one in two.
        longest_first = sorted(branches, key=lambda branch: len(branch), reverse=True)
        self._pattern = re.compile(b"|".join(longest_first)) if branches else None
        # A secret that straddles the cut is looked for whole, then cut.
        self._reach = CAP + max(map(len, branches), default=0)

    def finds(self, body: bytes) -> bool:
        """Whether a secret may stand in this body."""
        # `in` is a memmem, some hundred times faster than the pattern, and bodies rarely hold a secret.
        return any(map(body.__contains__, self._landmarks))

    def cover(self, body: bytes) -> bytes:
        """The body without its secrets, cut to 16 KiB."""
        window = body if len(body) <= self._reach else body[: self._reach]
        if self._pattern is not None and self.finds(window):
            window = self._pattern.sub(_HIDDEN_BYTES, window)
        return window if len(window) <= CAP else window[:CAP]

    def cover_text(self, text: str) -> str:
        return self.cover(text.encode("utf-8", "replace")).decode("utf-8", "replace")

    def cover_headers(self, headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """The headers, those that carry credentials by their name never with their value."""
        kept = [(name, HIDDEN if _sensitive(name) else value) for name, value in headers.items()]
        if self.finds("\n".join([value for _, value in kept]).encode("utf-8", "replace")):
            kept = [(name, self.cover_text(value)) for name, value in kept]
        return tuple(kept)


@functools.lru_cache(maxsize=1024)
def _sensitive(name: str) -> bool:
    name = name.lower()
    return name in _SENSITIVE or any(word in name for word in _SENSITIVE_WORDS)


def _landmark(text: str) -> bytes:
    """The longest run of letters and digits: every encoding of text leaves those as they are."""
    runs: list[str] = re.findall(r"[A-Za-z0-9]*", text)
    return max(runs, key=len).encode()


def _in_any_spelling(text: str) -> bytes:
    """A pattern for this text as it stands in plain text, XML, JSON, an address or a form, or in a mixture."""
    return b"".join(map(_character, text))


_XML_NAMES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}


@functools.lru_cache(maxsize=512)
def _character(one: str) -> bytes:
    if one.isascii() and one.isalnum():
        return one.encode()
    utf8, utf16 = one.encode("utf-8", "surrogatepass"), one.encode("utf-16-be", "surrogatepass")
    ways = [re.escape(utf8), b"".join(b"%%%02x" % byte for byte in utf8)]
    ways.append(b"&#(?:0*%d|x0*%x);" % (ord(one), ord(one)))
    ways.append(b"".join(rb"\\u%02x%02x" % pair for pair in zip(utf16[::2], utf16[1::2], strict=True)))
    ways.append(re.escape(json.dumps(one)[1:-1].encode()))
    ways += [b"&%s;" % _XML_NAMES[one].encode()] if one in _XML_NAMES else []
    ways += [rb"\\/"] if one == "/" else [rb"\+"] if one == " " else []
    return b"(?i:" + b"|".join(ways) + b")"


def _base64_cores(secret: str) -> set[str]:
    """What base64 of any text around the secret (`user:secret`) must hold, at each of the three alignments."""
    raw = secret.encode("utf-8", "surrogatepass")
    found = {base64.b64encode(raw).decode().rstrip("=")}
    for before in range(3):
        padded = base64.b64encode(bytes(before) + raw).decode()
        start = (before * 8 + 5) // 6  # characters mixed with what stands before
        end = (before + len(raw)) * 8 // 6  # and with what stands behind
        found.add(padded[start:end])
    found = {core for core in found if len(core) >= _SHORTEST_CORE}
    return found | {core.translate(str.maketrans("+/", "-_")) for core in found}
