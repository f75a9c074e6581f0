"""Catches file work on the event loop's own thread: where nobody answers, no slow answer shows that it stands still."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_FILE_WORK = frozenset(
    {"open", "os.listdir", "os.scandir", "os.mkdir", "os.remove", "os.rename", "os.link", "os.rmdir", "os.truncate"}
)


@dataclass(slots=True, kw_only=True)
class _Watch:
    folder: str
    thread: int = field(default_factory=threading.get_ident)
    caught: list[str] = field(default_factory=list)

    def see(self, event: str, path: object) -> None:
        """Note what this thread does to a file of the folder; a stat is not told of, but none stays alone."""
        ours = isinstance(path, str | bytes) and threading.get_ident() == self.thread
        if ours and os.fsdecode(path).startswith(self.folder):  # type: ignore[arg-type]  # a str or bytes by now
            self.caught.append(event)


_watching: list[_Watch] = []
_hooked = threading.Event()


@contextmanager
def file_work(folder: str | None) -> Iterator[list[str]]:
    """What this thread does to files below `folder` while the block runs, by the names of Python's audit events."""
    if folder is None:
        yield []
        return
    if not _hooked.is_set():
        _hooked.set()
        sys.addaudithook(_hook)  # for good: it costs a look at a list
    watch = _Watch(folder=folder)
    _watching.append(watch)
    try:
        yield watch.caught
    finally:
        _watching.remove(watch)


def _hook(event: str, args: tuple[object, ...]) -> None:
    if _watching and event in _FILE_WORK and args:
        for watch in tuple(_watching):
            watch.see(event, args[0])
