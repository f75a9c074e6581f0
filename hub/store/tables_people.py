"""The tables about people: who may publish, who may look and act, and who did."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, String, Table, Text

from hub.store.columns import Id, Instant, Json, metadata

front_end = Table(
    "front_end",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(120), nullable=False, unique=True),
    Column("key_hash", LargeBinary(32), nullable=False, unique=True),
    Column("prefix", String(16), nullable=False),
    Column("councils", Json, nullable=True),  # null: all
    Column("services", Json, nullable=True),
    Column("format", String(32), nullable=True),
    Column("profile", String(64), nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant, nullable=True),
)

user = Table(
    "user",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(120), nullable=False, unique=True),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("councils", Json, nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant, nullable=True),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", String(120), nullable=False),
    Column("verb", String(64), nullable=False),
    Column("council", String(64), nullable=True),
    Column("subject", String(160), nullable=False),
    Column("reason", Text, nullable=True),
    Column("detail", Json, nullable=True),
    Index("ix_audit_council", "council", "id"),
)
