"""The folder itself: blocking, atomic, and sure of what it did before. Everything here runs in a thread.

A file is written whole under `work`, made durable, noted, and only then
renamed to where it is picked up. The note outlives the file, so that a repeat
knows what it is when the other system has long taken the file away:

    no note                    it was never put there: put it there
    a note, its part is there  it was about to be, and was not: put it there
    a note, its part is gone   it was put there, whatever became of it since
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import time
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_LEFT_BEHIND: Final = timedelta(days=1)  #: after so long nobody is writing a part any more
_PIECE: Final = 256 * 1024
_CANNOT_SYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.ENOSYS})  #: a folder, on some shares


class Stands(StrEnum):
    """What is there already under a name."""

    NOTHING = "nothing"
    SAME = "same"  #: this very content, put there before
    OURS = "ours"  #: put there by us, with other content
    STRANGE = "strange"  #: a file that we did not put there


class Missing(FileNotFoundError):
    """The folder is not what the settings say it is."""


class Full(Exception):
    """More files wait to be picked up than may."""


@dataclass(slots=True, kw_only=True)
class Part:
    """A file under its unfinished name."""

    path: Path
    file: BinaryIO
    digest: str = ""
    _hash: hashlib._Hash = field(default_factory=hashlib.sha256)

    def write(self, piece: bytes) -> None:
        self.file.write(piece)
        self._hash.update(piece)

    def seal(self) -> str:
        """Durable, and its digest."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        self.digest = self._hash.hexdigest()
        return self.digest

    def discard(self) -> None:
        """Remove it. Only where no note names it as about to be: a note without its part says that it was put there."""
        with contextlib.suppress(OSError):
            self.file.close()
        with contextlib.suppress(OSError):
            self.path.unlink()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """One folder that another system picks up from. Every method blocks, and raises OSError."""

    folder: Path
    work: Path
    mode: int
    marker: str | None
    most_waiting: int | None
    notes_kept: timedelta

    def ready(self, *, counting: bool) -> None:
        """Raises Missing or Full where nothing may be put there."""
        if not self.folder.is_dir() or (self.marker is not None and not (self.folder / self.marker).exists()):
            raise Missing
        if counting and self.most_waiting is not None and self._waiting(self.most_waiting) >= self.most_waiting:
            raise Full

    def begin(self) -> Part:
        """An empty part, of no name yet."""
        self._parts.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sweep()
        path = self._parts / f"{secrets.token_hex(4)}.part"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, self.mode)
        os.fchmod(handle, self.mode)  # whatever the umask is
        return Part(path=path, file=os.fdopen(handle, "wb"))

    def claim(self, part: Part, name: str, *, day: str, shared: bool) -> Stands:
        """What is there under this name; where that is nothing, it is noted that this part is about to be.

        Durable. A part of an attempt before this one, that was never put there,
        is superseded: noted over first and then removed, so that at no moment a
        note stands without its part and without its file. Where a name is
        `shared`, other content is another file on its way, and is left alone.
        """
        note = self._read_note(name, day=day)
        if shared and not (self._is_first(name, day=day) if note is None else note.digest == part.digest):
            return Stands.OURS
        if note is not None and not (self._parts / note.part).exists():
            return self._as_noted(note, part, name)
        target = self.folder / name
        if target.exists():
            return Stands.SAME if _digest(target) == part.digest else Stands.STRANGE
        part.path = part.path.rename(self._parts / f"{day}~{_flat(name)}~{part.path.name}")
        _sync_folder(self._parts)
        self._write_note(part, name, day=day)
        if note is not None and not _removed(self._parts / note.part):
            return self._as_noted(note, part, name)  # whoever was thought dead has put it there this moment
        return Stands.NOTHING

    def _as_noted(self, note: _Note, part: Part, name: str) -> Stands:
        if note.digest != part.digest:
            return Stands.OURS
        _sync_folder((self.folder / name).parent)  # certain by then, if it is there still
        return Stands.SAME

    def put(self, part: Part, name: str) -> None:
        """The one moment at which the other system sees it. Raises FileExistsError if something is there by now."""
        target = self.folder / name
        if target.parent != self.folder:
            self._make(target.parent)
        if os.path.lexists(target):
            raise FileExistsError
        part.path.rename(target)
        try:
            _sync_folder(target.parent)
            _sync_folder(part.path.parent)
        except OSError as error:
            # It is there: a full disk by now does not mean what it would have meant before.
            raise OSError(errno.EIO, "put there, and perhaps not for good") from error

    def _make(self, folder: Path) -> None:
        """A folder for attachments, which whoever may read the files may enter."""
        try:
            folder.mkdir()
        except FileExistsError:
            if not folder.is_dir():
                raise
        else:
            folder.chmod(self.mode | (self.mode & 0o444) >> 2)

    def withdraw(self, part: Part, name: str, *, day: str) -> None:
        """Take back a part that certainly was not put there, its note first."""
        with contextlib.suppress(OSError):
            self._note(name, day=day).unlink(missing_ok=True)
            part.discard()

    @property
    def _parts(self) -> Path:
        return self.work / "parts"

    def _note(self, name: str, *, day: str) -> Path:
        return self.work / "notes" / day / _flat(name)

    def _read_note(self, name: str, *, day: str) -> _Note | None:
        try:
            digest, part = self._note(name, day=day).read_text(encoding="ascii").split(maxsplit=1)
        except (FileNotFoundError, ValueError):
            return None  # one that was cut short was never durable, so nothing came after it
        return _Note(digest=digest, part=part.strip())

    def _is_first(self, name: str, *, day: str) -> bool:
        """Whether nobody else is about to note this name in this very moment; from now on it is reserved."""
        path = self._note(name, day=day)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def _write_note(self, part: Part, name: str, *, day: str) -> None:
        path = self._note(name, day=day)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}~{secrets.token_hex(4)}")
        with fresh.open("w", encoding="ascii") as file:
            file.write(f"{part.digest} {part.path.name}\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
        _sync_folder(path.parent)

    def _waiting(self, most: int) -> int:
        with os.scandir(self.folder) as entries:
            return sum(1 for _, entry in zip(range(most + 1), entries, strict=False) if not entry.name.startswith("."))

    def _sweep(self) -> None:
        """Remove what killed processes left behind, and notes that no repeat can ask for any more."""
        now = time.time()
        for part in self._parts.iterdir():
            with contextlib.suppress(FileNotFoundError):
                old = now - part.stat().st_mtime > _LEFT_BEHIND.total_seconds()
                if old and not self._is_noted(part.name):
                    part.unlink()
        notes = self.work / "notes"
        for day in notes.iterdir() if notes.is_dir() else ():
            # By the last note in it and not by its name: an old request may be sent for the first time today.
            if _DAY.fullmatch(day.name) and now - day.stat().st_mtime > self.notes_kept.total_seconds():
                shutil.rmtree(day, ignore_errors=True)

    def _is_noted(self, part: str) -> bool:
        day, _, rest = part.partition("~")
        note = self._read_note(rest.rpartition("~")[0], day=day) if rest else None
        return note is not None and note.part == part


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    digest: str
    part: str


def _removed(path: Path) -> bool:
    """Whether it was there to be removed. Whoever is first decides: it cannot be renamed after that."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _flat(name: str) -> str:
    """A name without folders: no name of ours holds a tilde."""
    return name.replace("/", "~")


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
    return found.hexdigest()


def _sync_folder(folder: Path) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return  # a folder of attachments that was picked up as a whole
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise
    finally:
        os.close(handle)
