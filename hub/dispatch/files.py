"""A file on its way out: found, proved whole, and then streamed from where it is kept."""

from __future__ import annotations

from hub.connector import Attachment
from hub.errors import MappingFault
from hub.store import attachments
from hub.store.blobs import BlobDamaged, BlobMissing
from hub.store.claims import Claimed
from hub.store.store import Store


async def prepared(store: Store, claimed: Claimed, *, where: str) -> tuple[Attachment, str | None]:
    """The file of an attach step, and the council's reference of its case.

    All of it is read once before anything is sent: a file that breaks off in
    the middle of a call leaves a doubt, one that is known to be broken is a
    dead letter of this step alone. Raises MappingFault and StoreUnavailable.
    """
    file = claimed.attachment or ""
    row = await store.read(lambda connection: attachments.for_sending(connection, claimed.delivery, file))
    if row is None or row.blob is None or not row.name:
        raise MappingFault(
            "the file was forgotten on time; ask the resident for it, or discard this", where=where, code="no_file"
        )
    try:
        await store.blobs.verify(row.blob, size=row.size, digest=bytes(row.sha256))
    except BlobMissing:
        problem = (
            "the file is not in HUB_BLOBS; let this folder be the one where intake keeps files, then replay, or ask "
            "the resident for it and discard this"
        )
        raise MappingFault(problem, where=where, code="file_missing") from None
    except BlobDamaged:
        problem = (
            "the file in HUB_BLOBS is damaged, or the key that sealed it is gone; put it back and replay, or ask the "
            "resident for it and discard this"
        )
        raise MappingFault(problem, where=where, code="file_damaged") from None
    name = store.sealer.open(row.name, place=attachments.place(row.id)).decode()
    found = Attachment(
        name=name, media_type=row.media_type, size=row.size, chunks=lambda: store.blobs.read(row.blob)
    )  # fmt: skip
    return found, row.their_reference
