"""Attachments, outside the database: sealed chunks in files of their own."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import IO, Final, TypeVar

from hub.errors import HubError, StoreUnavailable
from hub.store.ids import uuid7
from hub.store.seal import SealBroken, Sealer
from hub.store.threads import Threads

CHUNK: Final = 64 * 1024
_LENGTH: Final = 4  #: bytes that say how long a sealed chunk is
_LONGEST: Final = CHUNK + 1024  #: of a sealed one, with its key id, nonce and tag
_PART: Final = ".part"  #: of a file that is not whole yet
_PATIENCE: Final = timedelta(seconds=30)  #: with a shared folder, for one chunk
_AT_ONCE: Final = 4
_OURS: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

T = TypeVar("T")


class BlobMissing(HubError):
    """The file is not in HUB_BLOBS; see that this folder is the one that all processes share."""


class BlobDamaged(HubError):
    """The file in HUB_BLOBS is not as it was written, or its key is gone; put it back, or ask for it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file that is durable: `blob` names it in its row."""

    blob: str
    size: int
    sha256: bytes


@dataclass(slots=True)
class Blobs:
    """A folder of sealed files, streamed both ways. Nothing here blocks the event loop.

    A file is a row of chunks, each behind its length and sealed for its place:
    which file, which chunk, and whether it is the last. So none can be changed,
    cut off, left out, doubled or put elsewhere without being noticed.

    `root` is made by whoever writes first. A root that goes away later is a
    share that is not mounted, and never a missing file.
    """

    root: Path
    sealer: Sealer
    _threads: Threads = field(init=False)
    _made: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._threads = Threads(most=_AT_ONCE, name="store-blob")

    async def keep(self, name: str, chunks: AsyncIterable[bytes]) -> Kept:
        """Write a file under an id of its own; durable when this returns.

        Whatever is raised, by `chunks` too, nothing is left behind. Raises
        StoreUnavailable where the folder does not take it.
        """
        file = await self._do(lambda: self._begin(name))
        try:
            async for chunk in chunks:
                for piece in _pieces(chunk):
                    await self._do(lambda piece=piece: file.add(piece))  # type: ignore[misc]
            return await self._do(lambda: self._finish(file))
        except BaseException:
            # Not waited for: whoever is cut off here waits for nothing any more.
            asyncio.get_running_loop().run_in_executor(None, file.drop)
            raise

    async def read(self, blob: str) -> AsyncIterator[bytes]:
        """Its bytes in order. Raises BlobMissing, BlobDamaged or StoreUnavailable, the last two also in the middle."""
        chunks = self._chunks(self.root / blob)
        while (chunk := await self._do(lambda: next(chunks, None))) is not None:
            yield chunk

    async def verify(self, blob: str, *, size: int, digest: bytes) -> None:
        """Read all of it once. Raises BlobMissing, BlobDamaged or StoreUnavailable."""
        found, length = sha256(), 0
        async for chunk in self.read(blob):
            found.update(chunk)
            length += len(chunk)
        if (length, found.digest()) != (size, digest):
            raise BlobDamaged

    async def remove(self, blobs: list[str]) -> None:
        """Forget these; one that is gone already is gone. Raises StoreUnavailable."""

        def unlink() -> None:
            self._there()
            for blob in blobs:
                (self.root / blob).unlink(missing_ok=True)
            now = folder_of(new_name())
            for folder in {folder_of(blob) for blob in blobs} - {now}:
                with suppress(OSError):  # there are others in it
                    (self.root / folder).rmdir()

        await self._do(unlink)

    async def folders(self, *, after: str, before: str) -> list[str]:
        """The folders between these two, the oldest first; for whoever looks for orphans."""

        def listed() -> list[str]:
            if not self.root.is_dir():
                return []
            names = [path.name for path in self.root.iterdir() if path.is_dir()]
            return sorted(name for name in names if after < name < before)

        return await self._do(listed)

    async def names(self, folder: str, *, older: timedelta) -> dict[str, str]:
        """Files of a folder that nobody has touched for so long: the id in each one's name, by blob."""

        def listed() -> dict[str, str]:
            until = time.time() - older.total_seconds()
            found: dict[str, str] = {}
            with suppress(FileNotFoundError), os.scandir(self.root / folder) as entries:
                for entry in entries:
                    name = entry.name.removesuffix(_PART)
                    if _OURS.fullmatch(name) and entry.is_file() and entry.stat().st_mtime < until:
                        found[f"{folder}/{entry.name}"] = name
            return found

        return await self._do(listed)

    async def drop_empty(self, folder: str) -> None:
        def drop() -> None:
            with suppress(OSError):  # it is not empty, or somebody else was faster
                (self.root / folder).rmdir()

        await self._do(drop)

    def close(self) -> None:
        """Let what has begun come to its end. Blocks."""
        self._threads.close()

    async def _do(self, work: Callable[[], T]) -> T:
        try:
            return await self._threads.run(work, patience=_PATIENCE)
        except OSError as failure:
            # Its text names a path and nothing else.
            raise StoreUnavailable(f"HUB_BLOBS does not work: {failure.strerror}. Try again shortly.") from failure

    def _begin(self, name: str) -> _Writing:
        if not self._made:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._made = True
        self._there()
        folder = self.root / folder_of(name)
        folder.mkdir(exist_ok=True, mode=0o700)
        return _Writing(path=folder / name, sealer=self.sealer)

    def _finish(self, file: _Writing) -> Kept:
        file.close()
        _sync(file.path.parent)
        _sync(self.root)
        return Kept(blob=f"{file.path.parent.name}/{file.path.name}", size=file.size, sha256=file.digest.digest())

    def _chunks(self, path: Path) -> Iterator[bytes]:
        """A generator: it opens when it is first asked, and closes with its last chunk or when nobody wants more."""
        self._there()
        try:
            file = path.open("rb")
        except FileNotFoundError:
            raise BlobMissing from None
        with file:
            sealed, at = _framed(file), 0
            while sealed is not None:
                following = _framed(file)
                try:
                    yield self.sealer.open(sealed, place=_place(path.name, at, last=following is None))
                except (SealBroken, ValueError):
                    raise BlobDamaged from None
                sealed, at = following, at + 1
            if not at:
                raise BlobDamaged

    def _there(self) -> None:
        if not self.root.is_dir():
            raise StoreUnavailable("HUB_BLOBS is not there; see that the shared folder is mounted.")


class _Writing:
    """One file while it is written, under a name that nobody reads."""

    def __init__(self, *, path: Path, sealer: Sealer) -> None:
        self.path = path
        self.size = 0
        self.digest = sha256()
        self._sealer = sealer
        self._part = path.with_name(path.name + _PART)
        self._file: IO[bytes] = open(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")  # noqa: SIM115
        self._waits = bytearray()
        self._at = 0

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        self.digest.update(piece)
        self._waits += piece
        # One is always kept back: only the end tells which is the last.
        while len(self._waits) > CHUNK:
            self._write(bytes(self._waits[:CHUNK]), last=False)
            del self._waits[:CHUNK]

    def close(self) -> None:
        self._write(bytes(self._waits), last=True)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.replace(self.path)

    def drop(self) -> None:
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._part.unlink(missing_ok=True)

    def _write(self, plain: bytes, *, last: bool) -> None:
        sealed = self._sealer.seal(plain, place=_place(self.path.name, self._at, last=last))
        self._file.write(len(sealed).to_bytes(_LENGTH, "big") + sealed)
        self._at += 1


def new_name() -> str:
    """An id for a file, and for its row."""
    return uuid7()


def folder_of(name: str) -> str:
    """Files of about five hours together (the first bits of a version 7 UUID are the time)."""
    return name[:6]


def _place(name: str, at: int, *, last: bool) -> str:
    """What a chunk is sealed for. That of the last says how many there are."""
    return f"blob|{name}|{at}|{'last' if last else 'more'}"


def _pieces(chunk: bytes) -> Iterator[bytes]:
    return (chunk[at : at + CHUNK] for at in range(0, len(chunk), CHUNK))


def _framed(file: IO[bytes]) -> bytes | None:
    """The next sealed chunk; None at the end. Raises BlobDamaged."""
    length = file.read(_LENGTH)
    if not length:
        return None
    wanted = int.from_bytes(length, "big")
    sealed = file.read(wanted) if len(length) == _LENGTH and 0 < wanted <= _LONGEST else b""
    if len(sealed) != wanted or not sealed:
        raise BlobDamaged
    return sealed


def _sync(folder: Path) -> None:
    """Make a name durable, and not only the bytes that it stands for."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
