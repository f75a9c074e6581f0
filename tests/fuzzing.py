"""Good bodies spoilt: in their structure, in their bytes, in what is said about them; the same for the same seed."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote_from_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One request as it goes on the wire."""

    method: str
    path: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = field(default=b"", repr=False)
    length: int | None = None  #: what Content-Length claims where that is not the truth


#: Texts that have broken something somewhere.
TEXTS: Sequence[str] = (
    "", " ", "\t\n", "0", "-1", "null", "true", "NaN", "{{ 7 * 7 }}", "{% for x in y %}", "' OR 1=1 --",
    "../../etc/passwd",
    "<script>alert(1)</script>", "<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>&y;", "]]>", "${jndi:ldap://x}",
    "\x00", "a\x00b", "\x1b[31m", "\r\n\r\n", "\u0085\u2028\u2029", "\ufeff", "\u202eevif", "e\u0301" * 40,
    "Z͑ͫ̓ͪ̂ͫ" * 20,
    "\ud800", "x\udfffy", "\U0010ffff", "\ufffe\uffff", "👩‍👩‍👧‍👦" * 20, "Dŵr 🗑️ Siân", "ß" * 300, "İıſK",
    "٣٤٥", "１２３",
    "%", "%zz", "%00", "%s%n", "=cmd|' /C calc'!A0", "A" * 300, "A" * 5_000, "é" * 70_000, "9" * 400, "1e999", "0x10",
    "2026-02-30", "9999-12-31T23:59:60Z", "0000-00-00", "10000-01-01", "2026-11-24T00:00:00+99:99", "24:60",
    "AB1 2CD", "100090215480", "northborough", "E07000999", "missed-bin", "data:;base64,", "javascript:x",
)  # fmt: skip
NUMBERS: Sequence[Any] = (
    0, -1, 1, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**40, 0.5, -0.0, 1e-400, 1e308, 5e-324, float("inf"),
    float("nan"), True, False, None,
)  # fmt: skip


def _deep(value: Any, levels: int) -> Any:
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def anything(dice: random.Random) -> Any:
    """A value of any type."""
    match dice.randrange(6):
        case 0:
            return dice.choice(NUMBERS)
        case 1 | 2:
            return dice.choice(TEXTS)
        case 3:
            return [dice.choice(TEXTS) for _ in range(dice.choice((0, 1, 3, 200)))]
        case 4:
            return {dice.choice(TEXTS): dice.choice(NUMBERS) for _ in range(dice.choice((0, 1, 3, 60)))}
        case _:
            return _deep(dice.choice(TEXTS), dice.choice((3, 30, 60)))


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every holder and key in a tree."""
    found: list[tuple[Any, Any]] = []
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inner:
        found.append((tree, key))
        found += _places(value)
    return found


def spoilt(tree: Any, dice: random.Random) -> Any:
    """The tree with one to four things changed: replaced, left out, doubled, added, moved."""
    tree = copy.deepcopy(tree)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        places = _places(tree)
        if not places:
            return anything(dice)
        holder, key = dice.choice(places)
        match dice.randrange(7):
            case 0 | 1:
                holder[key] = anything(dice)
            case 2:
                del holder[key]
            case 3 if isinstance(holder, list):
                holder.extend([holder[key]] * dice.choice((1, 10, 600)))
            case 3 | 4 if isinstance(holder, dict):
                holder[dice.choice(TEXTS)] = anything(dice)
            case 5 if isinstance(holder[key], str):
                text, at = holder[key], dice.randrange(len(holder[key]) + 1)
                holder[key] = text[:at] + dice.choice(TEXTS) + text[at:]
            case _:
                other, name = dice.choice(places)
                if name in other if isinstance(other, dict) else name < len(other):
                    holder[key] = copy.deepcopy(other[name])
    return tree


def as_json(tree: Any, dice: random.Random) -> bytes:
    """As JSON is written by somebody: escaped or not, in another encoding, with a key twice."""
    text = json.dumps(tree, ensure_ascii=dice.random() < 0.5, indent=dice.choice((None, None, 1)))
    if dice.random() < 0.02:
        levels = dice.choice((100, 300, 5_000, 100_000))  # more than can be made of lists
        text = text[:-1] + ',"a":' + "[" * levels + "]" * dice.choice((0, levels)) + "}"
    if dice.random() < 0.03 and text.startswith("{"):
        text = '{"council":"northborough",' + text[1:]
    encoding = dice.choices(("utf-8", "utf-16", "utf-8-sig", "latin-1", "utf-7"), (90, 2, 4, 2, 2))[0]
    return text.encode(encoding, errors="surrogatepass" if encoding.startswith("utf-8") else "replace")


def battered(raw: bytes, dice: random.Random) -> bytes:
    """The bytes with bits turned, parts cut out, doubled, or strange ones put in."""
    raw = raw[:200_000]
    for _ in range(dice.choice((1, 1, 2, 8))):
        at, to = sorted((dice.randrange(len(raw) + 1), dice.randrange(len(raw) + 1)))
        match dice.randrange(6):
            case 0 if at < len(raw):
                raw = raw[:at] + bytes([raw[at] ^ (1 << dice.randrange(8))]) + raw[at + 1 :]
            case 1:
                raw = raw[:to]
            case 2:
                raw = raw[:at] + raw[to:]
            case 3:
                raw = raw[:to] + raw[at : at + 2_000] + raw[to:]
            case 4:
                raw = raw[:at] + dice.randbytes(dice.choice((1, 4, 64))) + raw[at:]
            case _:
                raw = raw[:at] + dice.choice(TEXTS).encode("utf-8", "surrogatepass")[:500] + raw[at:]
    return raw


_KINDS: Sequence[bytes] = (
    b"", b"application/json", b"application/json; charset=utf-16", b"text/plain", b"multipart/form-data",
    b"multipart/form-data; boundary=", b"multipart/form-data; boundary=" + b"x" * 300, b"multipart/mixed; boundary=XX",
    b'multipart/form-data; boundary="X\\"X"', b"application/x-www-form-urlencoded", b"application/xml", b"\xff/\xfe",
    b";;",
    b"multipart/form-data; boundary=XX; boundary=YY", b"multipart/form-data; BOUNDARY*=utf-8''%58%58",
)  # fmt: skip
_STRANGE: Sequence[tuple[bytes, bytes]] = (
    (b"Content-Encoding", b"gzip"), (b"Content-Encoding", b"identity"), (b"Expect", b"100-continue"),
    (b"Idempotency-Key", b"a"), (b"Idempotency-Key", b'"'), (b"Idempotency-Key", b"\xc3\xa9"), (b"Idempotency-Key",
    b"x" * 999),
    (b"Authorization", b"Bearer"), (b"Authorization", b"Basic \xff"), (b"X-Api-Key", b"\x80"), (b"traceparent",
    b"00-\xff"),
    (b"traceparent", b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01"), (b"Accept", b"*/*;q=9," * 200),
    (b"If-None-Match", b"*"),
    (b"X-HTTP-Method-Override", b"DELETE"), (b"X-Forwarded-For", b"::1"), (b"Cookie", b"\xff=\xfe"), (b"Range",
    b"bytes=9-1"),
)  # fmt: skip


def mistold(shot: Shot, dice: random.Random) -> Shot:
    """The same body, and something untrue or strange said of it."""
    match dice.randrange(5):
        case 0:
            others = tuple(pair for pair in shot.headers if pair[0] != b"Content-Type")
            return replace(shot, headers=(*others, (b"Content-Type", dice.choice(_KINDS))))
        case 1:
            return replace(shot, length=dice.choice((0, max(len(shot.body) - 7, 0), len(shot.body) + 50, 10**12)))
        case 2:
            return replace(
                shot, method=dice.choice(("PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "post", "X"))
            )
        case _:
            return replace(shot, headers=(*shot.headers, dice.choice(_STRANGE)))


def misled(shot: Shot, dice: random.Random) -> Shot:
    """The same to a spoilt address."""
    path, at = shot.path, dice.randrange(1, len(shot.path) + 1)
    text = dice.choice(TEXTS).encode("utf-8", "surrogatepass")[:3_000]
    match dice.randrange(6):
        case 0:
            path = path[:at] + quote_from_bytes(text, safe="").encode() + path[at:]
        case 1:
            path = (
                path + (b"&" if b"?" in path else b"?") + quote_from_bytes(text, safe="=").encode() + b"=" + b"%ff%00"
            )
        case 2:
            path = path[:at] + dice.choice((b"%", b"%2", b"%zz", b"%00", b"%ff", b"%0a", b"//", b"/../", b";", b"+"))
        case 3:
            parts = path.split(b"/")
            parts[dice.randrange(1, len(parts))] = quote_from_bytes(text, safe="").encode()
            path = b"/".join(parts)
        case 4 if b"?" in path:
            before, _, query = path.partition(b"?")
            path = before + b"?" + b"&".join([query] * dice.choice((2, 40)))
        case _:
            path = path[:at]
    return replace(shot, path=path)


#: What becomes of a good request: how its body is spoilt before it is bytes, or of its bytes, or of what is said of it.
Spoil = Callable[[random.Random], Shot]


def hostile_form(dice: random.Random, fields: Mapping[str, str], file: bytes) -> tuple[bytes, bytes]:
    """A multipart form that is wrong in one way or another: its Content-Type, its body."""
    line = dice.choice((b"\r\n", b"\r\n", b"\r\n", b"\n"))
    mark = dice.choice((b"XX", b"XX", b"XX", b"X" * 70, b"--"))
    pieces = []
    odd = 0.15 if dice.random() < 0.3 else 0
    for name, value in fields.items():
        told = name.encode("utf-8", "replace")
        disposition = dice.choice((
            b'form-data; name="%s"' % told, b"form-data; name=%s" % told, b'form-data; name="%s"; name="x"' % told,
            b"form-data; name*=utf-8''%s" % told, b"form-data", b"attachment", b'form-data; name="' + told, b"",
        )) if dice.random() < odd else b'form-data; name="%s"' % told  # fmt: skip
        pieces.append(b"Content-Disposition: " + disposition + line * 2 + value.encode("utf-8", "surrogatepass"))
    named = dice.choice(TEXTS).encode("utf-8", "replace").replace(b"\r", b"").replace(b"\n", b"")[:300]
    head = b'Content-Disposition: form-data; name="file"; filename="%s"' % named
    head += (
        line
        + b"Content-Type: "
        + dice.choice((b"image/png", b"\xff", b"", b"text/html", b"image/png; x=" + b"y" * 900))
    )
    if dice.random() < 0.2:
        head += line + dice.choice((
            b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: quoted-printable", b"X" * 9_000 + b": y",
            b"no colon", b"Content-Disposition: form-data; name=twice", b"A: b" + line + b"A: c", b": empty",
        ))  # fmt: skip
    pieces.append(head + line * 2 + file)
    dice.shuffle(pieces)
    if dice.random() < 0.1:
        pieces *= dice.choice((2, 12, 400))
    end = dice.choice(
        (b"--" + mark + b"--" + line,) * 6 + (b"", b"--" + mark, b"--" + mark + b"--" + line + b"epilogue" * 99)
    )
    body = b"".join(b"--" + mark + line + piece + line for piece in pieces) + end
    return b"multipart/form-data; boundary=" + mark, dice.choice((b"",) * 9 + (b"preamble" + line,)) + body
