"""Keys of front ends and tokens of staff: made, told once, kept only as keyed hashes, and audited."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hub.errors import WrongState
from hub.model import Role
from hub.store import audit, front_ends, users
from hub.store.ids import uuid7
from hub.store.seal import Hasher

SHORTEST = 20  #: characters of a key that somebody brings along
_SHOWN = 8  #: characters of a key that lists may show, so that its owner can tell it from another


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A secret at the one moment that anybody sees it."""

    name: str
    secret: str
    prefix: str


def add_front_end(
    connection: Connection,
    hasher: Hasher,
    *,
    name: str,
    councils: Sequence[str] | None,
    services: Sequence[str] | None,
    by: str,
    key: str | None = None,
    format: str | None = None,
    profile: str | None = None,
    shortest: int = SHORTEST,
) -> Credential:
    """A new front end with a new key, or with one that it already has. Raises WrongState."""
    made = _checked(name, key, shortest=shortest)
    front_ends.add(
        connection,
        front_end=uuid7(),
        name=name,
        hashed=front_ends.key_hash(hasher, made.secret),
        prefix=made.prefix,
        councils=councils,
        services=services,
        format=format,
        profile=profile,
    )
    audit.record(connection, actor=by, verb="front_end_added", subject=name)
    return made


def rotate_front_end(
    connection: Connection, hasher: Hasher, *, name: str, by: str, key: str | None = None
) -> Credential:
    """A new key for a front end; the old one ends here and now, and a revoked one is back. Raises NotThere."""
    made = _checked(name, key)
    front_ends.rotate(connection, name, hashed=front_ends.key_hash(hasher, made.secret), prefix=made.prefix)
    audit.record(connection, actor=by, verb="front_end_rotated", subject=name)
    return made


def revoke_front_end(connection: Connection, *, name: str, by: str) -> None:
    """Its key opens nothing any more. Raises NotThere."""
    front_ends.revoke(connection, name)
    audit.record(connection, actor=by, verb="front_end_revoked", subject=name)


def add_user(
    connection: Connection, hasher: Hasher, *, name: str, role: Role, councils: Sequence[str] | None, by: str
) -> Credential:
    """A new member of staff with a token. Raises WrongState when the name is taken."""
    made = _checked(name, None)
    users.add(
        connection,
        user=uuid7(),
        name=name,
        hashed=users.token_hash(hasher, made.secret),
        role=role,
        councils=councils,
    )
    audit.record(connection, actor=by, verb="user_added", subject=name, detail={"role": role.value})
    return made


def disable_user(connection: Connection, *, name: str, by: str) -> None:
    """The token opens nothing any more. Raises NotThere."""
    users.disable(connection, name)
    audit.record(connection, actor=by, verb="user_disabled", subject=name)


def _checked(name: str, key: str | None, *, shortest: int = SHORTEST) -> Credential:
    if not name.strip() or not name.isprintable():
        raise WrongState("A name is needed, without control characters.")
    if key is not None and len(key) < shortest:
        raise WrongState(f"A key has {shortest} characters or more; leave it out to get a good one.")
    secret = key or f"hub_{secrets.token_urlsafe(32)}"
    return Credential(name=name, secret=secret, prefix=secret[: _SHOWN if key is None else 4])
