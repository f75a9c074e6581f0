"""Who is asking: front ends by key, staff by token."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Generic, TypeVar

from sqlalchemy import Connection
from starlette.types import Scope

from hub.intake.problems import Stop, stop
from hub.model import FrontEnd, Role, User
from hub.store import front_ends, users
from hub.store.seal import Hasher
from hub.store.store import Store

KEEP = timedelta(seconds=3)
_MOST = 4_096  # remembered credentials; past that all are forgotten, which costs one look-up each
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="council-hub"'}

Who = TypeVar("Who")


def credential(scope: Scope) -> str:
    """The key that a request carries: `Authorization: Bearer` or `X-Api-Key`. Raises Stop (401) when there is none."""
    key = b""
    for name, value in scope["headers"]:
        if name == b"authorization":
            kind, _, rest = value.partition(b" ")
            if kind.lower() == b"bearer" and rest.strip():
                key = rest.strip()
                break
        elif name == b"x-api-key":
            key = value.strip()
    if not key:
        raise stop("unauthenticated", headers=_CHALLENGE)
    return str(key.decode("latin-1"))


def _unknown() -> Stop:
    detail = "This key is not known or was revoked; ask the hub's administrator for a new one."
    return stop("unauthenticated", detail, headers=_CHALLENGE)


class _Memory(Generic[Who]):
    """Callers by their credential, remembered for a few seconds."""

    def __init__(
        self,
        *,
        hashed: Callable[[Hasher, str], bytes],
        find: Callable[[Connection, bytes], Who | None],
        keep: timedelta,
        monotonic: Callable[[], float],
    ) -> None:
        self._hashed = hashed
        self._find = find
        self._keep = keep.total_seconds()
        self._monotonic = monotonic
        self._known: dict[bytes, tuple[float, Who | None]] = {}

    async def who(self, key: str, store: Store) -> Who | None:
        # Not the stored hash: that one is keyed and slow, and a plain one is enough to keep keys out of memory.
        digest = sha256(key.encode()).digest()
        now = self._monotonic()
        entry = self._known.get(digest)
        if entry is not None and entry[0] > now:
            return entry[1]
        hashed = self._hashed(store.hasher, key)
        found = await store.read(lambda connection: self._find(connection, hashed), patience=store.patience.key)
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[digest] = (now + self._keep, found)
        return found


def _by_name(connection: Connection, name: bytes) -> FrontEnd | None:
    return front_ends.find_by_name(connection, name.decode())


class Doorkeeper:
    """Tells who a key belongs to.

    A revoked key or a disabled user works for at most `keep` longer. Keys that
    nobody has are remembered too: a client with a dead key in a loop must not
    become a query in a loop.
    """

    def __init__(self, store: Store, *, monotonic: Callable[[], float], keep: timedelta = KEEP) -> None:
        self._store = store
        self._front_ends = _Memory[FrontEnd](
            hashed=front_ends.key_hash, find=front_ends.find_by_key, keep=keep, monotonic=monotonic
        )
        self._names = _Memory[FrontEnd](
            hashed=lambda _, name: name.encode(), find=_by_name, keep=keep, monotonic=monotonic
        )
        self._users = _Memory[User](hashed=users.token_hash, find=users.find_by_token, keep=keep, monotonic=monotonic)

    async def front_end(self, scope: Scope) -> FrontEnd:
        """The front end that calls. Raises Stop (401; 403 for a member of staff)."""
        return await self.by_key(credential(scope))

    async def by_key(self, key: str) -> FrontEnd:
        """The front end with this key, wherever it was sent. Raises Stop (401; 403 for a member of staff)."""
        if key != key.encode(errors="ignore").decode():
            raise _unknown()  # half a character, as JSON may hold it: nobody has such a key, and it cannot be hashed
        found = await self._front_ends.who(key, self._store)
        if found is not None:
            return found
        if await self._users.who(key, self._store):
            raise stop("not-allowed", "This is a staff token; publish with a front end's key (`hub front-ends add`).")
        raise _unknown()

    async def named(self, name: str) -> FrontEnd | None:
        """The front end of this name, for a caller whom somebody else has verified."""
        return await self._names.who(name, self._store)

    async def user(self, scope: Scope, role: Role) -> User:
        """The member of staff who calls, with at least `role`. Raises Stop (401, 403)."""
        key = credential(scope)
        found = await self._users.who(key, self._store)
        if found is None:
            if await self._front_ends.who(key, self._store):
                raise stop("not-allowed", "This is a front end's key; use a staff token (`hub users add`).")
            raise _unknown()
        if not found.may(role):
            detail = f"Your role is {found.role.value}; this needs {role.value}. Ask somebody who has it, or an admin."
            raise stop("not-allowed", detail)
        return found

    async def either(self, scope: Scope) -> FrontEnd | User:
        """A front end or a member of staff. Raises Stop (401)."""
        key = credential(scope)
        found = await self._front_ends.who(key, self._store) or await self._users.who(key, self._store)
        if found is None:
            raise _unknown()
        return found
