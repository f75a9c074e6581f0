"""Forms with files, read as they come: part by part, never whole in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.types import Receive, Scope

from hub.intake.limits import stream_body
from hub.intake.problems import Stop, stop

MOST_PARTS: Final = 1_000
OVERHEAD: Final = 256 * 1024  #: of a form around the one file in it
_AS_IT_IS: Final = frozenset(("", "7bit", "8bit", "binary"))


@dataclass(slots=True)
class Part:
    """One field of a form. Its content is read before the next part is asked for, or never."""

    field: str
    filename: str | None  #: None: it is no file
    content_type: str
    _form: _Form

    async def chunks(self) -> AsyncIterator[bytes]:
        """Its content as it comes. Raises what reading the body raises."""
        while (chunk := await self._form.data()) is not None:
            yield chunk

    async def text(self, *, most: int) -> str:
        """Its content as text. Raises Stop: 413 above so many bytes, 400 where it is no UTF-8."""
        found = bytearray()
        async for chunk in self.chunks():
            found += chunk
            if len(found) > most:
                raise stop("too-large", "A field of the form is too long; send long content as a file.")
        try:
            return found.decode()
        except UnicodeDecodeError:
            raise stop("unreadable", "A field of the form is not UTF-8; send the form encoded as UTF-8.") from None


async def parts(scope: Scope, receive: Receive, *, cap: int) -> AsyncIterator[Part]:
    """The parts of a multipart/form-data body in order; `cap` is for the whole of it.

    Raises Stop: 415 for another kind of body, 400 for a broken one, and what
    `stream_body` raises.
    """
    form = _Form(boundary_of(scope), stream_body(scope, receive, cap=cap))
    for _ in range(MOST_PARTS):
        part = await form.part()
        if part is None:
            return
        yield part
    raise stop("too-large", f"The form has more than {MOST_PARTS} parts; send fewer.")


def boundary_of(scope: Scope) -> bytes:
    """What stands between the parts. Raises Stop (415)."""
    told = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    kind, options = parse_options_header(told.decode("latin-1"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise stop("unsupported-media-type", "Send multipart/form-data with a boundary, as browsers and curl -F do.")
    return boundary


@dataclass(slots=True)
class _Headers:
    """Those of one part, as they come by."""

    found: dict[bytes, bytes] = field(default_factory=dict)
    name: bytes = b""
    value: bytes = b""


class _Form:
    """Feeds the parser as much of the body as the next thing asked for needs."""

    def __init__(self, boundary: bytes, body: AsyncIterator[bytes]) -> None:
        self._body = body
        self._ready: deque[_Headers | bytes | None] = deque()  #: headers, then data, then None at a part's end
        self._headers = _Headers()
        self._within = False  #: a part that was begun and not ended
        self._whole = False
        try:
            self._parser = MultipartParser(boundary, self._callbacks())
        except FormParserError:
            raise _broken("the boundary is too long") from None

    def _callbacks(self) -> Any:
        def begin() -> None:
            self._headers = _Headers()

        def name(data: bytes, start: int, end: int) -> None:
            self._headers.name += data[start:end]

        def value(data: bytes, start: int, end: int) -> None:
            self._headers.value += data[start:end]

        def header() -> None:
            headers = self._headers
            headers.found[headers.name.lower()] = headers.value
            headers.name = headers.value = b""

        def whole() -> None:
            self._whole = True

        return {
            "on_part_begin": begin, "on_header_field": name, "on_header_value": value, "on_header_end": header,
            "on_headers_finished": lambda: self._ready.append(self._headers),
            "on_part_data": lambda data, start, end: self._ready.append(data[start:end]),
            "on_part_end": lambda: self._ready.append(None), "on_end": whole,
        }  # fmt: skip

    async def part(self) -> Part | None:
        """The next one; what was not read of the one before is passed over. None at the end."""
        while self._within:
            await self.data()
        headers = await self._next()
        if headers is None:
            return None
        assert isinstance(headers, _Headers)
        self._within = True
        return _part(headers.found, self)

    async def data(self) -> bytes | None:
        """The next piece of the part that is read; None at its end."""
        if not self._within:
            return None
        found = await self._next()
        self._within = found is not None
        assert not isinstance(found, _Headers)
        return found

    async def _next(self) -> _Headers | bytes | None:
        while not self._ready:
            chunk = await anext(self._body, None)
            if chunk is None:
                if not self._whole:
                    raise _broken("it ends before its last boundary")
                return None
            try:
                self._parser.write(chunk)
            except FormParserError:
                raise _broken("what stands between or before its parts is not of the form") from None
        return self._ready.popleft()


def _part(headers: dict[bytes, bytes], form: _Form) -> Part:
    kind, options = parse_options_header(headers.get(b"content-disposition", b"").decode("latin-1"))
    if kind != b"form-data" or b"name" not in options:
        raise _broken("a part has no `Content-Disposition: form-data; name=…`")
    encoding = headers.get(b"content-transfer-encoding", b"").strip().lower().decode("latin-1")
    if encoding not in _AS_IT_IS:
        raise stop("unreadable", "A part has a Content-Transfer-Encoding; send the bytes as they are, without it.")
    filename = options.get(b"filename")
    return Part(
        field=_text(options[b"name"]),
        filename=None if filename is None else _text(filename),
        content_type=headers.get(b"content-type", b"").decode("latin-1").strip(),
        _form=form,
    )


def _text(raw: bytes) -> str:
    """Names are UTF-8 from every browser; what is older reads as Latin-1, which leaves no byte unread."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _broken(why: str) -> Stop:
    return stop("unreadable", f"The multipart body is broken: {why}. Let your HTTP library build the form.")
