"""Proof at start that every key still opens what it sealed."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.errors import SettingsError
from hub.store import tables
from hub.store.engine import database_now
from hub.store.seal import Hasher, SealBroken, Sealer

_ROW = tables.key_canary.c
_SONG = b"council hub"
_HASH_KEY = "#hash"


def check(connection: Connection, sealer: Sealer, hasher: Hasher) -> None:
    """Open each key's canary; leave one for a new key. Raises SettingsError with what to mend.

    A hub that started with the wrong key would accept submissions that nobody
    could ever read, and a wrong hash key would forget every idempotency key.
    """
    kept = {row.key_id: bytes(row.sealed) for row in connection.execute(sa.select(tables.key_canary))}
    for key_id, sealed in kept.items():
        if key_id == _HASH_KEY:
            if sealed != hasher.digest(_SONG):
                raise SettingsError("HUB_HASH_KEY is not the key this database was made with; put the old one back.")
            continue
        if key_id not in sealer.keys:
            continue  # retired: what it sealed says so when it is opened
        try:
            sealer.open(sealed, place=f"key_canary|{key_id}")
        except SealBroken:
            raise SettingsError(
                f"HUB_ENCRYPTION_KEYS: {key_id} is not the key this database was made with; put the old one back."
            ) from None
    if kept and not set(kept) & set(sealer.keys):
        raise SettingsError("None of HUB_ENCRYPTION_KEYS was ever used with this database; put the old key back.")
    now = database_now(connection)
    for key_id in sealer.keys:
        if key_id not in kept:
            only = Sealer({key_id: sealer.keys[key_id]})
            _leave(connection, key_id, only.seal(_SONG, place=f"key_canary|{key_id}"), now)
    if _HASH_KEY not in kept:
        _leave(connection, _HASH_KEY, hasher.digest(_SONG), now)


def _leave(connection: Connection, key_id: str, sealed: bytes, now: object) -> None:
    connection.execute(sa.insert(tables.key_canary).values(key_id=key_id, sealed=sealed, created_at=now))
