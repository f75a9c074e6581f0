"""What the operating system says of a folder, and whose it is to mend."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from typing import Final

from connectors.folder.drop import Full, Missing
from hub.connector import DeliveryFailure, Misconfigured, Refused, Unavailable

_MISSING: Final = (
    "The folder is not there, or is not the one that is meant: mount the share or mend `folder`, then resume."
)
_FORBIDDEN: Final = "The hub may not write in the folder: give its user the right to, then resume."
_READ_ONLY: Final = "The folder is on a file system that is read-only: mount it for writing, then resume."
_APART: Final = "`work` is in another file system than the folder: name one in the same, then resume."
_FULL: Final = "The disk of the folder is full; the hub tries again on schedule."
_NAME: Final = "The file system takes no file of this name: mend `file_name`, then replay."


def _misconfigured(text: str, code: str) -> Callable[[], DeliveryFailure]:
    return lambda: Misconfigured(text, code=code)


def _unavailable(text: str, code: str) -> Callable[[], DeliveryFailure]:
    return lambda: Unavailable(text, code=code)


def _refused(text: str, code: str) -> Callable[[], DeliveryFailure]:
    return lambda: Refused(text, code=code)


#: These say that nothing was done, whenever they come. All others (an I/O error, a share that is stale or silent)
#: say nothing about a rename that was on its way, and are the seam's to judge by whether it had left.
CERTAIN: Final[Mapping[int, Callable[[], DeliveryFailure]]] = {
    errno.ENOENT: _misconfigured(_MISSING, "folder_missing"),
    errno.ENOTDIR: _misconfigured(_MISSING, "folder_missing"),
    errno.ELOOP: _misconfigured(_MISSING, "folder_missing"),
    errno.EACCES: _misconfigured(_FORBIDDEN, "folder_forbidden"),
    errno.EPERM: _misconfigured(_FORBIDDEN, "folder_forbidden"),
    errno.EROFS: _misconfigured(_READ_ONLY, "folder_read_only"),
    errno.EXDEV: _misconfigured(_APART, "folder_work_elsewhere"),
    errno.ENOSPC: _unavailable(_FULL, "folder_full"),
    errno.EDQUOT: _unavailable(_FULL, "folder_full"),
    errno.EFBIG: _unavailable(_FULL, "folder_full"),
    errno.EMLINK: _unavailable(_FULL, "folder_full"),
    errno.ENAMETOOLONG: _refused(_NAME, "folder_name"),
    errno.EILSEQ: _refused(_NAME, "folder_name"),
}


def of(trouble: OSError | Full, *, left: bool) -> DeliveryFailure | None:
    """The failure that this means; None where only the seam can tell."""
    if isinstance(trouble, Full):
        text = "Too many files wait in the folder: nobody picks them up. The hub tries again on schedule."
        return Unavailable(text, code="folder_not_picked_up")
    if isinstance(trouble, FileExistsError):
        return taken()
    if trouble.errno == errno.ENOENT and left and not isinstance(trouble, Missing):
        return None  # our part is gone: another worker took it back, or put it there
    known = CERTAIN.get(errno.ENOENT if isinstance(trouble, Missing) else trouble.errno or 0)
    return known() if known is not None else None


def taken() -> Refused:
    text = "A file of this name is there that the hub did not put there; take it away, then replay."
    return Refused(text, code="folder_name_taken")


def ours_with_other_content() -> Refused:
    text = (
        "A file was put there under this reference before, with other content, and may have been picked up; look "
        "there, then discard this, or replay it as a new case."
    )
    return Refused(text, code="folder_other_content")
