"""Which files are taken, told by their bytes: what a sender calls a file is never believed."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import Final

from hub.errors import HubError

#: What is taken: each type with the extensions that its files have, the usual one first.
TAKEN: Final[Mapping[str, tuple[str, ...]]] = {
    "image/jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "image/png": ("png",),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "image/heic": ("heic", "heif", "heics", "heifs"),
    "application/pdf": ("pdf",),
    "application/msword": ("doc", "dot"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("docx",),
    "application/vnd.ms-excel": ("xls",),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("xlsx",),
    "application/vnd.oasis.opendocument.text": ("odt",),
    "text/plain": ("txt", "text", "log", "md"),
    "text/csv": ("csv",),
    "message/rfc822": ("eml",),
    "application/vnd.ms-outlook": ("msg",),
    "video/mp4": ("mp4", "m4v"),
    "video/quicktime": ("mov", "qt"),
}
#: How the list above is said to whoever sent something else.
IN_WORDS: Final = "JPEG, PNG, GIF, WebP, HEIC, PDF, DOC, DOCX, XLS, XLSX, ODT, TXT, CSV, EML, MSG, MP4 and MOV"

_HEAD: Final = 4096
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP: Final = b"PK\x03\x04"
_IMAGES: Final = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"GIF87a", "image/gif"),
                  (b"GIF89a", "image/gif"))  # fmt: skip
_HEIC: Final = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))
_MP4: Final = frozenset(
    (
        b"isom",
        b"iso2",
        b"iso4",
        b"iso5",
        b"iso6",
        b"mp41",
        b"mp42",
        b"avc1",
        b"M4V ",
        b"M4VH",
        b"M4VP",
        b"MSNV",
        b"dash",
    )
)
_OLD_MOV: Final = frozenset((b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"))
_ODT: Final = b"mimetypeapplication/vnd.oasis.opendocument.text"

#: Names inside a container that say what it holds, wherever in it they stand; the first that is found decides.
_IN_A_ZIP: Final = (
    (b"vbaProject.bin", None),  # macros run where the file is opened
    (b"word/document.xml", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/workbook.xml", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
)
_IN_AN_OLE: Final = (
    ("_VBA_PROJECT".encode("utf-16-le"), None),
    ("__properties_version1.0".encode("utf-16-le"), "application/vnd.ms-outlook"),
    ("WordDocument".encode("utf-16-le"), "application/msword"),
    ("Workbook".encode("utf-16-le"), "application/vnd.ms-excel"),
    ("Book".encode("utf-16-le"), "application/vnd.ms-excel"),
)
_OVERLAP: Final = max(len(mark) for mark, _ in (*_IN_A_ZIP, *_IN_AN_OLE))

_CONTROL: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MARKUP: Final = re.compile(r"\s*(?:#!|<[a-z!?/])", re.IGNORECASE)
_MAIL: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9-]*:[^\n]*\n(?:[ \t][^\n]*\n)*){2,}")
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
#: Plain text to the eye, and run or rendered by whatever opens it.
_ACTIVE: Final = frozenset(
    ("bas bash bat cgi cmd com cpl css exe hta htm html inf ini jar js jse jsp lnk mht mhtml mjs php phtml pif pl ps1 "
     "psm1 py pyw rb reg scf scr sct sh shtml svg svgz url vb vbe vbs ws wsc wsf wsh xht xhtml xml xsl xslt").split()
)  # fmt: skip
_ACTIVE_TYPES: Final = re.compile(r"(?:text|application|image)/.*(?:html|xml|svg|script|php|x-sh|x-msdos|x-ms)")


class NotTaken(HubError):
    """Files of this kind are not taken."""


class Sniffer:
    """Told a file's bytes as they come by, says at the end what they are. Keeps a few kilobytes, however long it is."""

    def __init__(self) -> None:
        self._head = b""
        self._tail = b""
        self._found: set[bytes] = set()
        self._control = False
        self._utf8: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()

    def feed(self, chunk: bytes) -> None:
        """The next bytes, as many as there are."""
        if len(self._head) < _HEAD:
            self._head += chunk[: _HEAD - len(self._head)]
        marks = self._marks()
        if marks:
            seen = self._tail + chunk
            self._found.update(mark for mark, _ in marks if mark in seen)
            self._tail = seen[-_OVERLAP:]
        elif not self._control:
            self._as_text(chunk)

    def answer(self, *, name: str = "", told: str = "") -> str:
        """Its media type; `name` and `told` settle only what bytes cannot: a CSV is a text. Raises NotTaken."""
        found = self._by_its_head() or self._by_its_marks() or self._by_its_text(name, told)
        if found is None:
            raise NotTaken(_REFUSED)
        return found

    def _marks(self) -> tuple[tuple[bytes, str | None], ...]:
        if self._head.startswith(_ZIP):
            return _IN_A_ZIP
        return _IN_AN_OLE if self._head.startswith(_OLE) else ()

    def _as_text(self, chunk: bytes) -> None:
        if _CONTROL.search(chunk) and not self._head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self._control = True
        if self._utf8 is not None:
            try:
                self._utf8.decode(chunk)
            except UnicodeDecodeError:
                self._utf8 = None

    def _by_its_head(self) -> str | None:
        head = self._head
        for magic, media_type in _IMAGES:
            if head.startswith(magic):
                return media_type
        if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            return "image/webp"
        if head.removeprefix(codecs.BOM_UTF8).lstrip(b"\x00\t\n\x0c\r ").startswith(b"%PDF-"):
            return "application/pdf"
        if head[4:8] == b"ftyp":
            return self._by_its_brands()
        if head[4:8] in _OLD_MOV and len(head) >= 16 and not head[:1].strip(b"\x00"):
            return "video/quicktime"
        if head.startswith(_ZIP) and _ODT in head[30:200]:
            return "application/vnd.oasis.opendocument.text"
        return None

    def _by_its_brands(self) -> str | None:
        """An ISO base media file says what it is, and then what else it may be read as."""
        size = min(int.from_bytes(self._head[:4], "big"), 256)
        brands = [self._head[8:12], *(self._head[at : at + 4] for at in range(16, size, 4))]
        for brand in brands:
            if brand in _HEIC:
                return "image/heic"
            if brand == b"qt  ":
                return "video/quicktime"
            if brand in _MP4:
                return "video/mp4"
        return None

    def _by_its_marks(self) -> str | None:
        return next((media_type for mark, media_type in self._marks() if mark in self._found), None)

    def _by_its_text(self, name: str, told: str) -> str | None:
        if self._control or self._marks() or not self._head:
            return None
        text = self._text()
        extension = extension_of(name)
        if text is None or _MARKUP.match(text) or extension in _ACTIVE or _ACTIVE_TYPES.match(told.lower()):
            return None
        if extension == "csv" or told.lower().startswith("text/csv"):
            return "text/csv"
        mail = extension == "eml" or told.lower().startswith("message/rfc822")
        return "message/rfc822" if mail and _MAIL.match(text.replace("\r\n", "\n")) else "text/plain"

    def _text(self) -> str | None:
        """How it begins; None where that is no text in any way of writing that people's programs use."""
        for bom, encoding in _BOMS:
            if self._head.startswith(bom):
                return self._head[len(bom) :].decode(encoding, errors="replace")
        # Old spreadsheets write CSV in the code page of Windows, which leaves no byte unread.
        return self._head.decode("utf-8" if self._utf8 is not None else "cp1252", errors="replace")


_REFUSED: Final = f"Files of this kind are not taken; send one of {IN_WORDS}, without macros."


def extension_of(name: str) -> str:
    """What stands behind the last dot, in small letters."""
    _, dot, extension = name.rpartition(".")
    return extension.strip().lower() if dot else ""
