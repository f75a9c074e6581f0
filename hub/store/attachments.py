"""Files as rows: uploaded, claimed by what names them, read for sending, forgotten. Their bytes are in `blobs.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.errors import Invalid
from hub.model import DeliveryKind
from hub.store import tables
from hub.store.cases import same_case
from hub.store.engine import database_now

#: How long a file waits for the submission that names it.
WAITS: Final = timedelta(hours=24)
#: Between the end of that and its removal, so that nobody's claim meets a file that is on its way out.
_GRACE: Final = timedelta(hours=1)

_ROW = tables.attachment.c
_DEL = tables.delivery.c

_NOT_YOURS: Final = "There is no such file of yours that waits; upload it again and send the new `id`."
_USED: Final = "This file belongs to another submission already; upload it again and send the new `id`."
_UNUSABLE: Final = "Not every file can be taken; upload those that are listed again."


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file whose bytes are durable. `name` is sealed for `place(id)`."""

    id: str
    name: bytes
    media_type: str
    size: int
    sha256: bytes
    blob: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A submission or follow-up that names a file; `pointer` is where."""

    file: str
    pointer: str
    submission: str
    front_end: str


def place(file: str) -> str:
    """What a file's name is sealed for."""
    return f"attachment|{file}|1"


def add(connection: Connection, files: Sequence[NewFile], *, front_end: str, submission: str | None = None) -> datetime:
    """Write them down; until when they wait, where no submission has them yet."""
    now = database_now(connection)
    expires = None if submission else now + WAITS
    rows = [
        {
            "id": file.id, "submission": submission, "front_end": front_end, "name": file.name,
            "media_type": file.media_type, "size": file.size, "sha256": file.sha256, "blob": file.blob,
            "scan_state": "none", "created_at": now, "expires_at": expires,
        }
        for file in files
    ]  # fmt: skip
    if rows:
        connection.execute(sa.insert(tables.attachment), rows)
    return expires or now


def known(connection: Connection, files: Iterable[str], *, front_end: str) -> Mapping[str, Any]:
    """Those of this front end that there are, by id, claimed or not."""
    wanted = sorted(set(files))
    query = sa.select(tables.attachment).where(_ROW.id.in_(wanted), _ROW.front_end == front_end)
    return {row.id: row for row in connection.execute(query)} if wanted else {}


def why_not(row: Any, *, now: datetime) -> str | None:
    """Why a further submission may not have this file; None when it may."""
    if row is None or row.blob is None:
        return _NOT_YOURS
    if row.submission is not None:
        return _USED
    return _NOT_YOURS if row.expires_at is not None and row.expires_at <= now else None


def refuse(faults: Sequence[tuple[str, str]]) -> None:
    """Raises Invalid if there are any."""
    if faults:
        raise Invalid(faults, _UNUSABLE)


def claim(connection: Connection, claims: Sequence[Claim]) -> None:
    """Give files to what names them, all or none. Raises Invalid with a fault for each that cannot be had.

    The rows are locked in the order of their ids, whoever claims them: two
    that want the same files in another order wait for each other and never
    for ever.
    """
    now = database_now(connection)
    wanted = sorted({one.file for one in claims})
    query = sa.select(tables.attachment).where(_ROW.id.in_(wanted)).order_by(_ROW.id).with_for_update()
    rows = {row.id: row for row in connection.execute(query)}
    faults: list[tuple[str, str]] = []
    owner: dict[str, str] = {}
    for one in claims:
        row = rows.get(one.file)
        mine = row if row is not None and row.front_end == one.front_end else None
        why = why_not(mine, now=now)
        if why is None and owner.setdefault(one.file, one.submission) != one.submission:
            why = _USED
        faults += [(one.pointer, why)] if why else []
    refuse(faults)
    connection.execute(
        sa.update(tables.attachment)
        .where(_ROW.id == sa.bindparam("file"))
        .values(submission=sa.bindparam("owner"), expires_at=None),
        [{"file": file, "owner": owner[file]} for file in wanted],
    )


def for_sending(connection: Connection, delivery: str, file: str) -> Any:
    """A file of a delivery (sealed `name`, `media_type`, `size`, `sha256`, `blob`) and the council's reference of its
    case as it is now; None when there is no such file any more."""
    case = tables.delivery.alias("the_case")
    of_case = (
        sa.select(case.c.their_reference)
        .where(case.c.kind == DeliveryKind.CASE.value, *same_case(case.c, _DEL))
        .correlate(tables.delivery)
        .limit(1)
        .scalar_subquery()
    )
    query = (
        sa.select(
            _ROW.id, _ROW.name, _ROW.media_type, _ROW.size, _ROW.sha256, _ROW.blob,
            sa.func.coalesce(_DEL.their_reference, of_case).label("their_reference"),
        )
        .select_from(tables.delivery)
        .join(tables.attachment, sa.and_(_ROW.id == file, _ROW.submission == _DEL.submission))
        .where(_DEL.id == delivery)
    )  # fmt: skip
    return connection.execute(query).one_or_none()


def hold(connection: Connection, files: Sequence[str], *, front_end: str) -> None:
    """Keep these for a body that is parked: they wait as long as it does."""
    connection.execute(_of_nobody(files, front_end).values(expires_at=None))


def release(connection: Connection, files: Sequence[str], *, front_end: str) -> None:
    """What they waited for is set aside: they are forgotten as if it had never come."""
    connection.execute(_of_nobody(files, front_end).values(expires_at=database_now(connection)))


def _of_nobody(files: Sequence[str], front_end: str) -> sa.Update:
    waiting = _ROW.id.in_(sorted(files)), _ROW.front_end == front_end, _ROW.submission.is_(None)
    return sa.update(tables.attachment).where(*waiting)


def let_go(connection: Connection, submissions: Sequence[str], *, now: datetime) -> None:
    """Their submissions are forgotten: the names at once, the bytes with the next step of it."""
    connection.execute(
        sa.update(tables.attachment).where(_ROW.submission.in_(submissions)).values(name=b"", expires_at=now)
    )


def gone(connection: Connection, *, now: datetime, limit: int) -> list[Any]:
    """Files (`id`, `blob`) that nobody may have any more: of forgotten submissions, and never named by any."""
    query = (
        sa.select(_ROW.id, _ROW.blob)
        .where(_ROW.expires_at <= now, sa.or_(_ROW.submission.is_not(None), _ROW.expires_at <= now - _GRACE))
        .order_by(_ROW.expires_at)
        .limit(limit)
    )
    return list(connection.execute(query).all())


def remove(connection: Connection, files: Sequence[str]) -> int:
    """Their bytes are gone, and now so are they."""
    return connection.execute(sa.delete(tables.attachment).where(_ROW.id.in_(files))).rowcount


def without_a_row(connection: Connection, files: Iterable[str]) -> set[str]:
    """Which of these ids no file has."""
    wanted = set(files)
    return wanted - set(connection.execute(sa.select(_ROW.id).where(_ROW.id.in_(sorted(wanted)))).scalars())
