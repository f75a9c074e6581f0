"""A folder under `var/` that one process has for itself, for as long as it runs."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

from hub.errors import HubError

_MOST = 20


class FoldersTaken(HubError):
    """Too many of them run at once."""


@contextlib.contextmanager
def folder_of_our_own(name: str) -> Iterator[Path]:
    """`var/NAME`, wiped; while another process has it, the next name that is free. Raises FoldersTaken.

    What is in it stays behind, for whoever wants to look, until the next comes.
    """
    var = Path("var").absolute()
    var.mkdir(exist_ok=True)
    for tried in (name, *(f"{name}-{number}" for number in range(2, _MOST))):
        with (var / f"{tried}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            shutil.rmtree(var / tried, ignore_errors=True)
            (var / tried).mkdir()
            yield var / tried
            return
    raise FoldersTaken(f"Too many processes have a folder {name} in {var}; stop one of them.")
