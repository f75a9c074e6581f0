"""A file's name as it may travel on: no folder, nothing that steers a screen or a shell, and true to its type."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from hub.standard.file_types import TAKEN, extension_of

LONGEST: Final = 120  #: characters; systems that keep files allow 255 bytes, and a letter may be four
_STRANGE: Final = re.compile(r'[<>:"|?*%;\\/]+')
_SPACES: Final = re.compile(r"\s+")
#: Names that are devices to Windows, whatever stands behind the dot.
_DEVICES: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?=\.|$)", re.IGNORECASE)


def safe_name(name: str, *, media_type: str) -> str:
    """The name for a file of this type; `file` where nothing of it is left. Never raises."""
    last = re.split(r"[/\\]", name)[-1]
    # Control, format (right-to-left marks), half characters and what no font knows.
    kept = "".join(letter for letter in last if unicodedata.category(letter)[0] != "C" or letter.isspace())
    kept = _SPACES.sub(" ", _STRANGE.sub("_", unicodedata.normalize("NFC", kept))).strip(" .")
    kept = _DEVICES.sub(lambda found: f"_{found[0]}", kept, count=1) if _DEVICES.match(kept) else kept
    extension, usual = extension_of(kept), TAKEN[media_type]
    stem = kept[: -len(extension) - 1] if extension in usual else kept
    ending = extension if extension in usual else usual[0]
    return f"{stem[: LONGEST - len(ending) - 1].rstrip(' .') or 'file'}.{ending}"
