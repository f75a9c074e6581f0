"""Sealing of personal data at rest, and keyed hashes to find it by."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.errors import HubError
from hub.store.ids import random_bytes

_NONCE = 12


class SealBroken(HubError):
    """What is stored cannot be opened with the keys at hand; add the key it was sealed with to HUB_ENCRYPTION_KEYS."""


@dataclass(slots=True)
class Sealer:
    """AES-GCM with named keys: the first seals, all open.

    A sealed value is `len(key id) | key id | nonce | ciphertext`. The place
    (table, row, revision) is associated data, so that a value moved to another
    row does not open.
    """

    keys: Mapping[str, bytes]
    _ciphers: dict[str, AESGCM] = field(init=False)
    _head: bytes = field(init=False)
    _first: AESGCM = field(init=False)

    def __post_init__(self) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in self.keys.items()}
        first = next(iter(self.keys))
        self._first = self._ciphers[first]
        self._head = bytes([len(first.encode())]) + first.encode()

    def seal(self, plain: bytes, *, place: str) -> bytes:
        nonce = random_bytes(_NONCE)
        return self._head + nonce + self._first.encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, *, place: str) -> bytes:
        """The plain bytes. Raises SealBroken when the key is gone, or the value was changed or moved."""
        end = 1 + sealed[0]
        cipher = self._ciphers.get(sealed[1:end].decode(errors="replace"))
        if cipher is None:
            raise SealBroken
        try:
            return cipher.decrypt(sealed[end : end + _NONCE], sealed[end + _NONCE :], place.encode())
        except InvalidTag:
            raise SealBroken from None


@dataclass(frozen=True, slots=True)
class Hasher:
    """HMAC-SHA-256 under the hub's hash key: for fingerprints, search keys and credentials."""

    key: bytes

    def digest(self, *parts: str | bytes) -> bytes:
        """One hash over the parts; each is length-prefixed, so parts cannot run together."""
        raws = [part.encode() if isinstance(part, str) else part for part in parts]
        return hmac.digest(self.key, b"".join([len(raw).to_bytes(8, "big") + raw for raw in raws]), "sha256")


def new_key() -> bytes:
    return secrets.token_bytes(32)
