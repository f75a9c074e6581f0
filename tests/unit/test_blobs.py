"""Files outside the database: nothing in them can be changed, cut, left out or moved without being noticed."""

from __future__ import annotations

import shutil
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from hub.errors import StoreUnavailable
from hub.store.blobs import CHUNK, BlobDamaged, BlobMissing, Blobs, Kept, folder_of, new_name
from hub.store.seal import Hasher, Sealer
from hub.store.store import Store
from tests.files import stream

KEYS = Sealer({"test": b"k" * 32})
CONTENT = b"".join(bytes([number]) * CHUNK for number in range(3)) + b"the end"


@pytest.fixture
def blobs(tmp_path: Path) -> Iterator[Blobs]:
    made = Blobs(tmp_path / "blobs", KEYS)
    yield made
    made.close()


async def whole(blobs: Blobs, kept: Kept) -> bytes:
    return b"".join([chunk async for chunk in blobs.read(kept.blob)])


async def verify(blobs: Blobs, kept: Kept) -> None:
    await blobs.verify(kept.blob, size=kept.size, digest=kept.sha256)


def frames(raw: bytes) -> list[bytes]:
    """The sealed chunks of a file, each with its length before it."""
    found = []
    while raw:
        end = 4 + int.from_bytes(raw[:4], "big")
        found.append(raw[:end])
        raw = raw[end:]
    return found


@pytest.mark.parametrize("step", [1000, CHUNK, CHUNK + 1, len(CONTENT)])
async def test_what_is_read_is_what_was_written(blobs: Blobs, step: int) -> None:
    kept = await blobs.keep(new_name(), stream(*(CONTENT[at : at + step] for at in range(0, len(CONTENT), step))))
    assert (await whole(blobs, kept), kept.size) == (CONTENT, len(CONTENT))
    await verify(blobs, kept)


async def test_nothing_of_it_can_be_read_on_the_disk(blobs: Blobs) -> None:
    kept = await blobs.keep(new_name(), stream("Siôn's letter".encode()))
    path = blobs.root / kept.blob
    assert b"letter" not in path.read_bytes() and path.stat().st_mode & 0o077 == 0


DAMAGES = {
    "a bit turned": lambda one: [one[0][:50] + bytes([one[0][50] ^ 1]) + one[0][51:], *one[1:]],
    "the last chunk cut off": lambda one: one[:-1],
    "a chunk left out": lambda one: [one[0], *one[2:]],
    "two chunks swapped": lambda one: [one[1], one[0], *one[2:]],
    "a chunk twice": lambda one: [one[0], *one],
    "something behind the end": lambda one: [*one, one[-1]],
    "cut in the middle": lambda one: [*one[:2], one[2][:1000]],
    "everything gone": lambda one: [],
    "no length that can be": lambda one: [b"\x7f\xff\xff\xff", *one],
    "too short to be sealed": lambda one: [b"\x00\x00\x00\x06\x04testx"],
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_file_is_noticed(blobs: Blobs, damage: str) -> None:
    kept = await blobs.keep(new_name(), stream(CONTENT))
    path = blobs.root / kept.blob
    path.write_bytes(b"".join(DAMAGES[damage](frames(path.read_bytes()))))
    with pytest.raises(BlobDamaged):
        await verify(blobs, kept)


async def test_a_chunk_of_another_file_is_noticed(blobs: Blobs) -> None:
    one, other = [await blobs.keep(new_name(), stream(CONTENT)) for _ in range(2)]
    theirs = frames((blobs.root / other.blob).read_bytes())
    mine = frames((blobs.root / one.blob).read_bytes())
    (blobs.root / one.blob).write_bytes(b"".join([mine[0], theirs[1], *mine[2:]]))
    with pytest.raises(BlobDamaged):
        await verify(blobs, one)
    shutil.copy(blobs.root / other.blob, blobs.root / one.blob)
    with pytest.raises(BlobDamaged):
        await verify(blobs, one)


async def test_a_missing_file_is_missing_and_a_missing_folder_is_a_share_that_is_away(blobs: Blobs) -> None:
    kept = await blobs.keep(new_name(), stream(CONTENT))
    (blobs.root / kept.blob).unlink()
    with pytest.raises(BlobMissing):
        await verify(blobs, kept)
    shutil.rmtree(blobs.root)
    with pytest.raises(StoreUnavailable, match="mounted"):
        await verify(blobs, kept)
    with pytest.raises(StoreUnavailable):
        await blobs.keep(new_name(), stream(CONTENT))
    assert not blobs.root.exists()


async def test_an_old_key_still_opens_after_a_new_one_seals(blobs: Blobs) -> None:
    kept = await blobs.keep(new_name(), stream(CONTENT))
    rotated = Blobs(blobs.root, Sealer({"new": b"n" * 32, "test": b"k" * 32}))
    assert await whole(rotated, kept) == CONTENT
    without = Blobs(blobs.root, Sealer({"new": b"n" * 32}))
    with pytest.raises(BlobDamaged, match="key"):
        await verify(without, kept)
    rotated.close()
    without.close()


async def test_what_breaks_off_leaves_nothing(blobs: Blobs) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield CONTENT
        raise ConnectionError

    name = new_name()
    with pytest.raises(ConnectionError):
        await blobs.keep(name, broken())
    for _ in range(200):  # it is dropped beside whoever was cut off
        if not await blobs.names(folder_of(name), older=timedelta(seconds=-1)):
            break
    assert await blobs.names(folder_of(name), older=timedelta(seconds=-1)) == {}


async def test_a_folder_that_cannot_be_made_is_a_store_that_is_away(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    blobs = Blobs(tmp_path / "file" / "blobs", KEYS)
    with pytest.raises(StoreUnavailable, match="HUB_BLOBS"):
        await blobs.keep(new_name(), stream(CONTENT))
    blobs.close()


async def test_a_large_file_is_never_whole_in_memory(blobs: Blobs) -> None:
    async def large() -> AsyncIterator[bytes]:
        for _ in range(25):
            yield b"x" * 1024 * 1024

    tracemalloc.start()
    try:
        kept = await blobs.keep(new_name(), large())
        await verify(blobs, kept)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept.size == 25 * 1024 * 1024 and peak < 6 * 1024 * 1024


def test_files_stand_beside_an_sqlite_file_unless_a_folder_is_named(tmp_path: Path) -> None:
    for named, folder in ((None, tmp_path / "blobs"), (tmp_path / "shared", tmp_path / "shared")):
        store = Store(f"sqlite:///{tmp_path}/hub.db", sealer=KEYS, hasher=Hasher(b"h" * 32), blobs=named)
        assert store.blobs.root.parent == folder
        store.close()


def test_two_hubs_that_share_a_folder_have_one_of_their_own(tmp_path: Path) -> None:
    roots = set()
    for key in (b"h", b"i"):
        store = Store(f"sqlite:///{tmp_path}/hub.db", sealer=KEYS, hasher=Hasher(key * 32))
        roots.add(store.blobs.root)
        store.close()
    assert len(roots) == 2
