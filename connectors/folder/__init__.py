"""Files in a folder that another system picks up, for councils without an API (JSON or CSV)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

from pydantic import BaseModel

from connectors.folder import failures, names
from connectors.folder.drop import Drop, Full, Part, Stands
from connectors.folder.records import Document, Row, as_bytes, row_of
from connectors.folder.settings import FolderSettings
from hub.connector import (
    Attachment,
    Call,
    Connector,
    Delivery,
    DeliveryFailure,
    FreeRecord,
    Health,
    Http,
    Line,
    Misconfigured,
    Operation,
    Receipt,
    Refused,
    ReplaySafety,
    Unavailable,
    tailored,
)

__all__ = ["Document", "Folder", "FolderSettings", "Row"]

Done = TypeVar("Done")

_SPOKEN: Final = ("create", "update", "cancel")


def _operations(record: type[BaseModel]) -> dict[str, Operation]:
    made = {name: Operation(record, replay_safety=ReplaySafety.IDEMPOTENT) for name in _SPOKEN}
    return {**made, "attach": Operation(FreeRecord, replay_safety=ReplaySafety.IDEMPOTENT)}


class Folder:
    """A folder that another system picks up from: one JSON or CSV file for each request, update and attachment."""

    name: ClassVar[str] = "folder"
    simulator: ClassVar[str] = "connectors.folder.simulator:app"
    Settings: ClassVar[type[BaseModel]] = FolderSettings
    operations: ClassVar[Mapping[str, Operation]] = _operations(Document)

    @classmethod
    def configured(cls, settings: Mapping[str, Any]) -> type[Connector]:
        """With `format: csv` a record has the columns that the settings name, and no other."""
        columns = settings.get("columns")
        if settings.get("format") != "csv" or not isinstance(columns, list | tuple):
            return cls
        return tailored(cls, operations=_operations(row_of([str(column) for column in columns])))

    def __init__(self, settings: FolderSettings, http: Http) -> None:
        self._settings = settings
        self._line = Line(http, name="folder")
        folder = Path(settings.folder)
        self._drop = Drop(
            folder=folder,
            work=Path(settings.work) if settings.work else folder / ".council-hub",
            mode=settings.mode,
            marker=settings.marker,
            most_waiting=settings.most_waiting,
            notes_kept=timedelta(days=settings.notes_kept),
        )

    async def create(self, record: Document | Row, delivery: Delivery) -> Receipt:
        """Put the file there. The same again is the receipt, also when it has been picked up meanwhile."""
        await self._file(record, delivery, name=names.of_case(self._settings.template, delivery))
        await delivery.took(delivery.our_reference)
        return Receipt(reference=delivery.our_reference)

    async def update(self, record: Document | Row, receipt: Receipt, delivery: Delivery) -> Receipt:
        """A file of its own, named after its case."""
        case = receipt.reference or delivery.our_reference
        await self._file(record, delivery, name=names.of_follow_up(self._settings.template, delivery, case=case))
        return receipt

    async def cancel(self, record: Document | Row, receipt: Receipt, delivery: Delivery) -> Receipt:
        """The request's own file stays: it may have been picked up. A file beside it says that it is withdrawn."""
        return await self.update(record, receipt, delivery)

    async def attach(self, attachment: Attachment, receipt: Receipt, delivery: Delivery) -> None:
        """`ABCD-EFGH/photo.jpg`; a second file of that name gets a mark that depends on nothing but its content."""
        case = receipt.reference or delivery.our_reference

        def called(digest: str) -> list[tuple[str, bool]]:
            plain = names.of_attachment(attachment.name, case=case)
            return [(plain, True), (names.of_attachment(attachment.name, case=case, marked=digest[:8]), False)]

        shown = f"‹{attachment.name}, {attachment.media_type}, {attachment.size} bytes›"
        await self._put(delivery, attachment.chunks(), called=called, at=f"{case}/", shown=shown)

    async def check(self) -> Health:
        """Whether the folder is there and a file can be made in it; leaves nothing behind."""

        async def talk(call: Call) -> None:
            await self._apart(call, partial(self._drop.ready, counting=False))
            part = await self._apart(call, self._drop.begin)
            await self._apart(call, part.discard)

        try:
            await self._line.read("CHECK", self._settings.folder, talk)
        except (Misconfigured, Refused, Unavailable) as failure:
            return Health(ok=False, detail=str(failure))
        return Health(ok=True)

    async def _file(self, record: Document | Row, delivery: Delivery, *, name: str) -> None:
        content = as_bytes(record, self._settings)

        async def whole() -> AsyncIterator[bytes]:
            yield content

        await self._put(delivery, whole(), called=lambda _: [(name, False)], at=name, shown=content)

    async def _put(
        self,
        delivery: Delivery,
        pieces: AsyncIterator[bytes],
        *,
        called: Callable[[str], Iterable[tuple[str, bool]]],
        at: str,
        shown: str | bytes,
    ) -> None:
        """Put these bytes there under the first name that is free for them, of those that their digest gives; with each
        whether another file may want it too."""
        day = names.day_of(delivery)

        async def talk(call: Call) -> None:
            call.said(shown)
            await self._apart(call, partial(self._drop.ready, counting=True))
            part = await self._written(call, pieces)
            stands = Stands.NOTHING
            for name, shared in called(part.digest):
                stands = await self._apart(call, partial(self._drop.claim, part, name, day=day, shared=shared))
                if stands is Stands.NOTHING:
                    await call.leaves()
                    await self._renamed(call, part, name, day=day)
                    call.heard(f"put there as {name}")
                    return
                if stands is Stands.SAME:
                    break
            await self._line.apart(part.discard)
            call.heard(f"is there: {stands.value}")
            if stands is not Stands.SAME:
                raise failures.ours_with_other_content() if stands is Stands.OURS else failures.taken()

        await self._line.write(delivery, "PUT", f"{self._settings.folder}/{at}", talk)

    async def _written(self, call: Call, pieces: AsyncIterator[bytes]) -> Part:
        """A durable part. One that is cut off is swept up a day later: its thread may be writing still."""
        part = await self._apart(call, self._drop.begin)
        try:
            async for piece in pieces:
                await self._apart(call, partial(part.write, piece))
            await self._apart(call, part.seal)
        except Exception:
            await self._line.apart(part.discard)
            raise
        return part

    async def _renamed(self, call: Call, part: Part, name: str, *, day: str) -> None:
        """Where it was certainly not renamed, part and note are taken back; where nobody knows, they are left."""
        try:
            await self._apart(call, partial(self._drop.put, part, name))
        except DeliveryFailure:
            await self._line.apart(partial(self._drop.withdraw, part, name, day=day))
            raise

    async def _apart(self, call: Call, work: Callable[[], Done]) -> Done:
        """File work in a thread; what the system says of the folder becomes one of the four failures."""
        try:
            return await self._line.apart(work)
        except (OSError, Full) as trouble:
            failure = failures.of(trouble, left=call.left)
            if failure is None:
                raise
        raise failure
