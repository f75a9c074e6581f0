"""Doubts that are settled, steps that wait for others, and turns among lanes.

Follows 0001. Everything is added beside what was there, with defaults: a hub of
the version before may go on writing to these tables until it is stopped.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.columns import Id, Instant, Json, only_where

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("call", sa.String(length=64), nullable=True),
        sa.Column("operation", Id, nullable=True),
        sa.Column("behind", Id, nullable=True),
        sa.Column("looks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("settled_at", Instant(), nullable=True),
    ):
        op.add_column("step", column)
    for column in (
        sa.Column("pace_next_at", Instant(), nullable=True),
        sa.Column("turn", sa.Integer(), server_default="0", nullable=False),
    ):
        op.add_column("destination", column)
    op.drop_index("ix_step_due", "step")
    op.drop_index("ix_step_behind", "step")
    due = "state = 'queued' AND due_at IS NOT NULL"
    op.create_index("ix_step_due", "step", ["destination", "lane", "due_at", "id"], **only_where(due))
    to_look = "state = 'unclear' AND due_at IS NOT NULL"
    op.create_index("ix_step_to_look", "step", ["destination", "due_at"], **only_where(to_look))
    looking = "state = 'unclear' AND lease_until IS NOT NULL"
    op.create_index("ix_step_looking", "step", ["destination", "lease_until"], **only_where(looking))
    op.create_index("ix_step_behind", "step", ["behind"], **only_where("behind IS NOT NULL"))
    op.create_index("ix_step_case", "step", ["order_key", "destination"])
    _bulk_operations()


def _bulk_operations() -> None:
    for column in (
        sa.Column("councils", Json, nullable=True),
        sa.Column("include_unsafe", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=True),
        sa.Column("canary_left", sa.Integer(), nullable=True),
        sa.Column("released_at", Instant(), nullable=True),
        sa.Column("preview", Json, nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("started_by", sa.String(length=120), nullable=True),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
    ):
        op.add_column("operation", column)
    for column in (
        sa.Column("destination", sa.String(length=129), server_default="", nullable=False),
        sa.Column("step", Id, nullable=True),
    ):
        op.add_column("operation_item", column)
    op.create_index("ix_operation_open", "operation", ["id"], **only_where("ended_at IS NULL"))
