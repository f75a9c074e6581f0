"""Follow-ups that are told twice and once kept, and what is forgotten with a submission.

Follows 0002. Everything is added beside what was there, and may be null: a hub of
the version before may go on writing to these tables until it is stopped.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.columns import Id, only_where

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("idempotency", sa.Column("follow_up", Id, nullable=True))
    op.create_index("ix_received_expires_at", "received", ["expires_at"], **only_where("expires_at IS NOT NULL"))
