"""A pretend system that picks up files: watches a folder, takes what it finds, and keeps a ledger of that."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import hashlib
import io
import json
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from hub.connector.testing import Behaviour, Mode, Office, our_reference_in

_REFERENCE = re.compile(r"[A-Z0-9]{4}-[A-Z0-9]{4}(?:-[a-z]?[0-9]+)*")
_FOLLOW_UP = re.compile(r"\.(?P<operation>[a-z]+)\.(?P<ours>[A-Z0-9-]+[a-z0-9-]*)\.[a-z]+$")
_EVERY = 0.1  #: seconds between two looks
_FILLER = "waiting-{}.txt"  #: files that nobody picks up


class FolderOffice(Office):
    """Picks up every file it finds, as such systems do: what it has taken is gone. With `keep` it leaves it there.

    Unavailable, it stops picking up and lets the folder fill; for `bad_auth`
    the folder is not there. More a folder cannot show.
    """

    name = "folder"
    options: ClassVar[Mapping[str, Any]] = {"keep": False, "full": 40}
    modes = frozenset({Mode.OK, Mode.UNAVAILABLE, Mode.BAD_AUTH})
    listens = False
    tells_when = False

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path()
        self._away = Path()
        self._seen: dict[str, str] = {}

    @contextlib.asynccontextmanager
    async def opened(self, *, host: str, port: int) -> AsyncIterator[str]:
        """A folder of its own. Address and port are nothing to it."""
        root = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="folder-"))
        self._folder, self._away = root / "requests", root / "away"
        self._folder.mkdir()
        watching = asyncio.create_task(self._watch())
        try:
            yield self._folder.as_uri()
        finally:
            watching.cancel()
            await asyncio.to_thread(shutil.rmtree, root, ignore_errors=True)

    def look(self) -> None:
        """Take what is there. A file that is written under its last name would be taken half, and be seen to be."""
        if self._playing is not None or not self._folder.is_dir():
            return
        for path in sorted(self._files()):
            name, content = path.relative_to(self._folder).as_posix(), path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            if self._seen.get(name) != digest:
                self._take(name, content, digest)
            if not self.option["keep"]:
                path.unlink()
                self._seen.pop(name, None)
                if path.parent != self._folder:
                    with contextlib.suppress(OSError):  # another one is on its way into it
                        path.parent.rmdir()

    def behave(self) -> None:
        mode = self._playing.mode if self._playing is not None else Mode.OK
        if mode is Mode.BAD_AUTH and self._folder.is_dir():
            self._folder.rename(self._away)
        elif mode is not Mode.BAD_AUTH and self._away.is_dir():
            self._away.rename(self._folder)
        for n in range(self.option["full"]):
            filler = self._folder / _FILLER.format(n)
            if mode is Mode.UNAVAILABLE:
                filler.touch()
            elif self._folder.is_dir():
                filler.unlink(missing_ok=True)

    def forget(self) -> int:
        """Empty the ledger, and the folder; what makes it full stays."""
        for path in list(self._files()) if self._folder.is_dir() else ():
            if not path.name.startswith(_FILLER.partition("{")[0]):
                path.unlink()
        self._seen.clear()
        return super().forget()

    @property
    def _playing(self) -> Behaviour | None:
        return next(iter(self.script.by_call.values()), None)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            with contextlib.suppress(FileNotFoundError):  # somebody else has taken it
                self.look()

    def _files(self) -> Iterator[Path]:
        for path in self._folder.iterdir():
            if path.name.startswith("."):
                continue
            if path.is_dir():
                yield from (file for file in path.iterdir() if file.is_file())
            else:
                yield path

    def _take(self, name: str, content: bytes, digest: str) -> None:
        self._seen[name] = digest
        found = _REFERENCE.match(name)
        case = found[0] if found else name
        follow_up = _FOLLOW_UP.search(name)
        if "/" in name:
            record: Any = {"name": name.partition("/")[2], "size": len(content), "sha256": digest}
            self.ledger.add(reference=case, our_reference=case, operation="attach", record=record)
            return
        record = _read(name, content)
        operation = follow_up["operation"] if follow_up else "create"
        ours = follow_up["ours"] if follow_up else our_reference_in(record) or case
        self.ledger.add(reference=case, our_reference=ours, operation=operation, record=record, file=name)


def _read(name: str, content: bytes) -> Any:
    """What the file says; a row of a CSV file by its header. Half a file is what the ledger is there to show."""
    try:
        text = content.decode("utf-8-sig")
        if not name.endswith(".csv"):
            return json.loads(text)
    except ValueError:
        return {"unreadable": repr(content[:1000])}
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    return rows[0] if len(rows) == 1 else rows


app = FolderOffice
