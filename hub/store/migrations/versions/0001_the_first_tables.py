"""The first tables.

Follows nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.columns import BigId, Id, Instant, Json

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("verb", sa.String(length=64), nullable=False),
        sa.Column("council", sa.String(length=64), nullable=True),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", Json, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_council", "audit", ["council", "id"], unique=False)
    op.create_table(
        "destination",
        sa.Column("id", sa.String(length=129), nullable=False),
        sa.Column("council", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("connector", sa.String(length=64), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("per_second", sa.Float(), nullable=True),
        sa.Column("rate_next_at", Instant(), nullable=True),
        sa.Column("paused_at", Instant(), nullable=True),
        sa.Column("paused_by", sa.String(length=120), nullable=True),
        sa.Column("pause_reason", sa.Text(), nullable=True),
        sa.Column("probe_at", Instant(), nullable=True),
        sa.Column("closed_until", Instant(), nullable=True),
        sa.Column("suspects", sa.Integer(), nullable=False),
        sa.Column("last_suspect", Id, nullable=True),
        sa.Column("breaker", sa.String(length=16), nullable=False),
        sa.Column("breaker_until", Instant(), nullable=True),
        sa.Column("breaker_counts", Json, nullable=True),
        sa.Column("last_served", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_destination")),
    )
    op.create_table(
        "error_group",
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("destination", sa.String(length=129), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("fault_code", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("assignee", sa.String(length=120), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("snooze_until", Instant(), nullable=True),
        sa.Column("first_at", Instant(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_error_group")),
    )
    op.create_index("ix_error_group_last_at", "error_group", ["last_at"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", Id, nullable=False),
        sa.Column("feed_seq", sa.BigInteger(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("council", sa.String(length=64), nullable=True),
        sa.Column("front_end", Id, nullable=True),
        sa.Column("submission", Id, nullable=True),
        sa.Column("delivery", Id, nullable=True),
        sa.Column("actor", sa.String(length=120), nullable=True),
        sa.Column("detail", Json, nullable=True),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index(
        "ix_event_front_end",
        "event",
        ["front_end", "feed_seq"],
        unique=False,
        sqlite_where=sa.text("feed_seq IS NOT NULL"),
        postgresql_where=sa.text("feed_seq IS NOT NULL"),
    )
    op.create_index("ix_event_submission", "event", ["submission", "id"], unique=False)
    op.create_index(
        "ix_event_unsequenced",
        "event",
        ["id"],
        unique=False,
        sqlite_where=sa.text("feed_seq IS NULL"),
        postgresql_where=sa.text("feed_seq IS NULL"),
    )
    op.create_index(
        "uq_event_feed_seq",
        "event",
        ["feed_seq"],
        unique=True,
        sqlite_where=sa.text("feed_seq IS NOT NULL"),
        postgresql_where=sa.text("feed_seq IS NOT NULL"),
    )
    op.create_table(
        "event_checkpoint",
        sa.Column("feed_seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("feed_seq", name=op.f("pk_event_checkpoint")),
    )
    op.create_table(
        "front_end",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("councils", Json, nullable=True),
        sa.Column("services", Json, nullable=True),
        sa.Column("format", sa.String(length=32), nullable=True),
        sa.Column("profile", sa.String(length=64), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_front_end")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_front_end_key_hash")),
        sa.UniqueConstraint("name", name=op.f("uq_front_end_name")),
    )
    op.create_table(
        "idempotency",
        sa.Column("front_end", Id, nullable=False),
        sa.Column("scope", sa.String(length=160), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("submission", Id, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("front_end", "scope", "key_hash", name=op.f("pk_idempotency")),
    )
    op.create_index("ix_idempotency_expires_at", "idempotency", ["expires_at"], unique=False)
    op.create_table(
        "job",
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("lease_token", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("worker", Id, nullable=True),
        sa.Column("state", Json, nullable=True),
        sa.Column("last_error", sa.String(length=120), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_job")),
    )
    op.create_table(
        "key_canary",
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_key_canary")),
    )
    op.create_table(
        "mapping_version",
        sa.Column("generation", BigId, autoincrement=True, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("files", Json, nullable=False),
        sa.Column("loaded_by", sa.String(length=120), nullable=False),
        sa.Column("loaded_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("generation", name=op.f("pk_mapping_version")),
    )
    op.create_table(
        "operation",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("filter", Json, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("rate", sa.Float(), nullable=True),
        sa.Column("canary", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("approved_by", sa.String(length=120), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("upper_id", Id, nullable=True),
        sa.Column("marked_to", Id, nullable=True),
        sa.Column("next_at", Instant(), nullable=True),
        sa.Column("counts", Json, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operation")),
    )
    op.create_table(
        "received",
        sa.Column("id", Id, nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("council", sa.String(length=64), nullable=False),
        sa.Column("format", sa.String(length=32), nullable=False),
        sa.Column("profile", sa.String(length=64), nullable=False),
        sa.Column("front_end", Id, nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_received")),
        sa.UniqueConstraint("reference", name=op.f("uq_received_reference")),
    )
    op.create_index(
        "ix_received_parked",
        "received",
        ["received_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'parked'"),
        postgresql_where=sa.text("state = 'parked'"),
    )
    op.create_table(
        "submission",
        sa.Column("id", Id, nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("front_end_reference", sa.String(length=120), nullable=True),
        sa.Column("council", sa.String(length=64), nullable=False),
        sa.Column("service", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("front_end", Id, nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("accepted_at", Instant(), nullable=False),
        sa.Column("due_by", sa.Date(), nullable=True),
        sa.Column("case_status", sa.String(length=32), nullable=True),
        sa.Column("warnings", Json, nullable=True),
        sa.Column("faults", Json, nullable=True),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("trace_id", sa.String(length=55), nullable=True),
        sa.Column("discarded_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission")),
        sa.UniqueConstraint("reference", name=op.f("uq_submission_reference")),
    )
    op.create_index("ix_submission_council", "submission", ["council", "id"], unique=False)
    op.create_index("ix_submission_front_end", "submission", ["front_end", "id"], unique=False)
    op.create_index(
        "ix_submission_front_end_reference",
        "submission",
        ["front_end_reference"],
        unique=False,
        sqlite_where=sa.text("front_end_reference IS NOT NULL"),
        postgresql_where=sa.text("front_end_reference IS NOT NULL"),
    )
    op.create_index(
        "ix_submission_unplanned",
        "submission",
        ["id"],
        unique=False,
        sqlite_where=sa.text("faults IS NOT NULL AND discarded_at IS NULL"),
        postgresql_where=sa.text("faults IS NOT NULL AND discarded_at IS NULL"),
    )
    op.create_table(
        "user",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("councils", Json, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("name", name=op.f("uq_user_name")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_token_hash")),
    )
    op.create_table(
        "worker",
        sa.Column("id", Id, nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("host", sa.String(length=120), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("beat_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
    )
    op.create_table(
        "attachment",
        sa.Column("id", Id, nullable=False),
        sa.Column("submission", Id, nullable=True),
        sa.Column("front_end", Id, nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("media_type", sa.String(length=120), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("blob", sa.String(length=120), nullable=True),
        sa.Column("scan_state", sa.String(length=16), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["submission"], ["submission.id"], name=op.f("fk_attachment_submission")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    op.create_index("ix_attachment_expires_at", "attachment", ["expires_at"], unique=False)
    op.create_index("ix_attachment_submission", "attachment", ["submission"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("id", Id, nullable=False),
        sa.Column("submission", Id, nullable=False),
        sa.Column("follow_up", Id, nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("council", sa.String(length=64), nullable=False),
        sa.Column("service", sa.String(length=64), nullable=False),
        sa.Column("destination", sa.String(length=129), nullable=False),
        sa.Column("route", sa.String(length=160), nullable=False),
        sa.Column("order_key", Id, nullable=False),
        sa.Column("item_index", sa.Integer(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("our_reference", sa.String(length=16), nullable=False),
        sa.Column("their_reference", sa.String(length=120), nullable=True),
        sa.Column("joined", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["submission"], ["submission.id"], name=op.f("fk_delivery_submission")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint(
            "destination", "our_reference", "kind", name=op.f("uq_delivery_destination_our_reference_kind")
        ),
    )
    op.create_index("ix_delivery_council", "delivery", ["council", "id"], unique=False)
    op.create_index("ix_delivery_destination", "delivery", ["destination", "id"], unique=False)
    op.create_index("ix_delivery_submission", "delivery", ["submission"], unique=False)
    op.create_index(
        "ix_delivery_their_reference",
        "delivery",
        ["their_reference"],
        unique=False,
        sqlite_where=sa.text("their_reference IS NOT NULL"),
        postgresql_where=sa.text("their_reference IS NOT NULL"),
    )
    op.create_table(
        "follow_up",
        sa.Column("id", Id, nullable=False),
        sa.Column("submission", Id, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("front_end", Id, nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["submission"], ["submission.id"], name=op.f("fk_follow_up_submission")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up")),
    )
    op.create_index("ix_follow_up_submission", "follow_up", ["submission", "received_at"], unique=False)
    op.create_table(
        "operation_item",
        sa.Column("operation", Id, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("delivery", Id, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("result", sa.String(length=120), nullable=True),
        sa.Column("attempt", Id, nullable=True),
        sa.ForeignKeyConstraint(["operation"], ["operation.id"], name=op.f("fk_operation_item_operation")),
        sa.PrimaryKeyConstraint("operation", "position", name=op.f("pk_operation_item")),
    )
    op.create_index("ix_operation_item_state", "operation_item", ["operation", "state", "position"], unique=False)
    op.create_table(
        "submission_attr",
        sa.Column("submission", Id, nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value_hash", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["submission"], ["submission.id"], name=op.f("fk_submission_attr_submission")),
        sa.PrimaryKeyConstraint("submission", "name", name=op.f("pk_submission_attr")),
    )
    op.create_index("ix_submission_attr_value", "submission_attr", ["name", "value_hash", "submission"], unique=False)
    op.create_table(
        "submission_content",
        sa.Column("submission", Id, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("author", sa.String(length=120), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["submission"], ["submission.id"], name=op.f("fk_submission_content_submission")),
        sa.PrimaryKeyConstraint("submission", "revision", name=op.f("pk_submission_content")),
    )
    op.create_index(
        "ix_submission_content_expires_at",
        "submission_content",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("expires_at IS NOT NULL"),
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_table(
        "step",
        sa.Column("id", Id, nullable=False),
        sa.Column("delivery", Id, nullable=False),
        sa.Column("submission", Id, nullable=False),
        sa.Column("destination", sa.String(length=129), nullable=False),
        sa.Column("order_key", Id, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("attachment", Id, nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("lane", sa.String(length=16), nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("hold_reason", sa.String(length=16), nullable=True),
        sa.Column("hold_until", Instant(), nullable=True),
        sa.Column("attempts_used", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("worker", Id, nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["delivery"], ["delivery.id"], name=op.f("fk_step_delivery")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step")),
        sa.UniqueConstraint("delivery", "position", name=op.f("uq_step_delivery_position")),
    )
    op.create_index(
        "ix_step_behind",
        "step",
        ["destination", "order_key"],
        unique=False,
        sqlite_where=sa.text("state = 'queued' AND due_at IS NULL"),
        postgresql_where=sa.text("state = 'queued' AND due_at IS NULL"),
    )
    op.create_index(
        "ix_step_create_stuck",
        "step",
        ["state", "id"],
        unique=False,
        sqlite_where=sa.text("position = 0 AND state IN ('unclear', 'dead')"),
        postgresql_where=sa.text("position = 0 AND state IN ('unclear', 'dead')"),
    )
    op.create_index(
        "ix_step_due",
        "step",
        ["destination", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'queued' AND due_at IS NOT NULL"),
        postgresql_where=sa.text("state = 'queued' AND due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_step_sending",
        "step",
        ["destination", "lease_until"],
        unique=False,
        sqlite_where=sa.text("state = 'sending'"),
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.create_index(
        "ix_step_stuck",
        "step",
        ["delivery"],
        unique=False,
        sqlite_where=sa.text("position > 0 AND state IN ('unclear', 'dead')"),
        postgresql_where=sa.text("position > 0 AND state IN ('unclear', 'dead')"),
    )
    op.create_table(
        "attempt",
        sa.Column("id", Id, nullable=False),
        sa.Column("step", Id, nullable=False),
        sa.Column("delivery", Id, nullable=False),
        sa.Column("trigger", sa.String(length=16), nullable=False),
        sa.Column("operation", Id, nullable=True),
        sa.Column("actor", sa.String(length=120), nullable=True),
        sa.Column("worker", Id, nullable=True),
        sa.Column("lease_token", sa.BigInteger(), nullable=False),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("replay_safety", sa.String(length=24), nullable=False),
        sa.Column("mapping_generation", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("fault_code", sa.String(length=120), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=True),
        sa.Column("took", sa.LargeBinary(), nullable=True),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("evidence", sa.LargeBinary(), nullable=True),
        sa.Column("evidence_expires_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["step"], ["step.id"], name=op.f("fk_attempt_step")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
    )
    op.create_index("ix_attempt_step", "attempt", ["step", "started_at"], unique=False)
