"""What the operating system says of a folder, and which of the four failures it is."""

from __future__ import annotations

import errno
import os
import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connectors.folder import failures
from hub.connector import DeliveryFailure, Misconfigured, Refused, Unavailable
from tests.drops import document, files, folder, parts
from tests.offices import delivery


@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (errno.ENOSPC, Unavailable, "folder_full"),
        (errno.EDQUOT, Unavailable, "folder_full"),
        (errno.EFBIG, Unavailable, "folder_full"),
        (errno.EACCES, Misconfigured, "folder_forbidden"),
        (errno.EPERM, Misconfigured, "folder_forbidden"),
        (errno.EROFS, Misconfigured, "folder_read_only"),
        (errno.ENOTDIR, Misconfigured, "folder_missing"),
        (errno.EXDEV, Misconfigured, "folder_work_elsewhere"),
        (errno.ENAMETOOLONG, Refused, "folder_name"),
        (errno.EEXIST, Refused, "folder_name_taken"),
    ],
)
def test_what_is_certain_is_certain_whenever_it_is_said(
    number: int, kind: type[DeliveryFailure], code: str, left: bool
) -> None:
    failure = failures.of(OSError(number, "said"), left=left)
    assert isinstance(failure, kind) and failure.code == code


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EBADF])
def test_what_says_nothing_about_a_rename_is_the_seams_to_judge(number: int) -> None:
    assert failures.of(OSError(number, "said"), left=True) is None


def test_a_part_that_is_gone_once_it_had_left_is_nobodys_mistake() -> None:
    assert failures.of(FileNotFoundError(errno.ENOENT, "said"), left=True) is None
    assert isinstance(failures.of(FileNotFoundError(errno.ENOENT, "said"), left=False), Misconfigured)


@contextmanager
def full_disk() -> Iterator[None]:
    """This process can make no file larger than nothing."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_takes_nothing_leaves_nothing_and_is_waited_for(tmp_path: Path) -> None:
    step = delivery("create")
    with full_disk(), pytest.raises(Unavailable) as failure:
        await folder(tmp_path).create(document(), step)
    assert failure.value.code == "folder_full" and step.writes == 0
    assert files(tmp_path) == {} and parts(tmp_path) == []
    await folder(tmp_path).create(document(), delivery("create"))
    assert len(files(tmp_path)) == 1


@pytest.fixture
def forbidden() -> Iterator[Path]:
    """A folder that may be read and not written; root, who may do anything, is somebody else meanwhile."""
    folder, me = Path(tempfile.mkdtemp()), os.geteuid()
    folder.chmod(0o555)
    if me == 0:
        os.seteuid(65534)
    try:
        yield folder
    finally:
        os.seteuid(me)
        folder.chmod(0o755)
        folder.rmdir()


async def test_a_folder_where_we_may_not_write_pauses_its_destination(forbidden: Path) -> None:
    with pytest.raises(Misconfigured) as failure:
        await folder(forbidden).create(document(), delivery("create"))
    assert failure.value.code == "folder_forbidden" and not (await folder(forbidden).check()).ok


async def test_a_file_where_the_folder_should_be_pauses_its_destination(tmp_path: Path) -> None:
    (tmp_path / "drop").touch()
    with pytest.raises(Misconfigured):
        await folder(tmp_path / "drop").create(document(), delivery("create"))
