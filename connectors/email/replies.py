"""What a mail server's code means at each stage: who can mend it, and whether anything was taken."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from hub.connector import Call, DeliveryFailure, Misconfigured, Refused, Unavailable


class Stage(StrEnum):
    """How far the conversation has got."""

    HELLO = "hello"  #: greeting, EHLO, STARTTLS, signing in: nothing of this request yet
    ENVELOPE = "envelope"  #: sender and mailbox: the council's settings, the same for every request
    CONTENT = "content"  #: the e-mail itself


_BUSY: Final = "The mail server cannot take it now; the hub tries again on schedule."
_OURS: Final = "The mail server does not accept us ({code}): mend host, username or password, then resume."
_ENVELOPE: Final = "The mail server does not accept the sender or the mailbox ({code}): mend them, then resume."
_NO: Final = "The mail server refused this e-mail ({code}): mend the data or the mapping, then replay."

#: Wherever they come, these are about who we are (RFC 4954).
_KEY: Final = frozenset({530, 534, 535, 538})
#: The same in the words of RFC 3463, where a server says it of an e-mail that it has heard out: Exchange does.
_KEY_IN_DETAIL: Final = frozenset({"5.7.57", "5.7.60"})
_TOO_LARGE: Final = 552
_LONGEST: Final = 4000  #: characters of a server's own words that are kept


def of(call: Call, code: int, text: str, *, stage: Stage) -> DeliveryFailure:
    """The failure that this reply means, where it is not the one that was hoped for.

    4xx is never taken, also after the final dot (RFC 5321, 4.2.1), and 5xx is
    a no. What is no reply of SMTP at all leaves it open.
    """
    plain = text.encode("utf-8", "replace").decode()[:_LONGEST]
    name, reasons, kind = f"smtp_{code}", (plain,) if plain else (), code // 100
    if kind == 4:
        return Unavailable(_BUSY, code=name, reasons=reasons)
    if kind != 5:
        return call.failed("not_smtp", *reasons)
    if code in _KEY or plain.partition(" ")[0] in _KEY_IN_DETAIL or stage is Stage.HELLO:
        return Misconfigured(_OURS.format(code=code), code=name, reasons=reasons)
    if stage is Stage.ENVELOPE and code != _TOO_LARGE:
        # One sender may be refused for one request (a quota, a filter): `check` goes as far as this without an e-mail.
        return Misconfigured(_ENVELOPE.format(code=code), code=name, reasons=reasons, suspect=True)
    return Refused(_NO.format(code=code), code=name, reasons=reasons)
