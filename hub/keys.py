"""The hub's own keys: from the settings, or made once beside an SQLite file."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import sqlalchemy as sa

from hub.errors import SettingsError
from hub.settings import Settings
from hub.store.seal import Hasher, Sealer, new_key

_HOW = "Set it to 32 bytes in base64 (`openssl rand -base64 32`), and keep a copy where backups are kept."


def keys_for(settings: Settings) -> tuple[Sealer, Hasher]:
    """Sealer and hasher for these settings. Raises SettingsError where keys must be given and are not."""
    keys, hash_key = settings.keys(), settings.hash_key_bytes()
    if settings.sqlite:
        beside = _folder(settings)
        keys = keys or {"local": _kept(beside / "encryption.key")}
        hash_key = hash_key or _kept(beside / "hash.key")
    if not keys:
        raise SettingsError(f"HUB_ENCRYPTION_KEYS is not set (id:base64). {_HOW}")
    if not hash_key:
        raise SettingsError(f"HUB_HASH_KEY is not set. {_HOW}")
    return Sealer(keys), Hasher(hash_key)


def database_file(settings: Settings) -> Path:
    """The SQLite file of these settings."""
    return Path(sa.make_url(settings.database_url).database or "var/hub.db")


def _folder(settings: Settings) -> Path:
    folder = database_file(settings).parent
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _kept(path: Path) -> bytes:
    """A key in a file that only this user may read; made on first use, never overwritten."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    with os.fdopen(descriptor, "wb") as file:
        key = new_key()
        file.write(base64.b64encode(key) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return key


def _read(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        raise SettingsError(f"{path} can be read by others; run `chmod 600 {path}`.")
    key = base64.b64decode(path.read_bytes())
    if len(key) != 32:
        raise SettingsError(f"{path} is damaged; put the copy from your backup in its place.")
    return key
