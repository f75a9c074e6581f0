"""The tables, on one page."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from hub.store.columns import BigId, Id, Instant, Json, metadata, only_where
from hub.store.tables_people import audit, front_end, user

__all__ = [
    "attachment", "attempt", "audit", "delivery", "destination", "error_group", "event", "event_checkpoint",
    "follow_up", "front_end", "idempotency", "job", "key_canary", "mapping_version", "metadata", "operation",
    "operation_item", "received", "step", "submission", "submission_attr", "submission_content", "user", "worker",
]  # fmt: skip

# What came in. Content lives apart from its record, so that each is kept as long as it should be.

received = Table(
    "received",
    metadata,
    Column("id", Id, primary_key=True),
    Column("reference", String(16), nullable=False, unique=True),
    Column("council", String(64), nullable=False),
    Column("format", String(32), nullable=False),
    Column("profile", String(64), nullable=False),
    Column("front_end", Id, nullable=True),
    Column("state", String(16), nullable=False),  # mapped | parked | discarded
    Column("why", Text, nullable=True),
    Column("body", LargeBinary, nullable=True),  # sealed, as it came
    Column("received_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=True),
    Index("ix_received_parked", "received_at", "id", **only_where("state = 'parked'")),
    Index("ix_received_expires_at", "expires_at", **only_where("expires_at IS NOT NULL")),
)

submission = Table(
    "submission",
    metadata,
    Column("id", Id, primary_key=True),
    Column("reference", String(16), nullable=False, unique=True),
    Column("front_end_reference", String(120), nullable=True),
    Column("council", String(64), nullable=False),
    Column("service", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("front_end", Id, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("accepted_at", Instant, nullable=False),
    Column("due_by", sa.Date, nullable=True),
    Column("case_status", String(32), nullable=True),
    Column("warnings", Json, nullable=True),
    Column("faults", Json, nullable=True),  # why no delivery could be planned: a person's at once
    Column("test", Boolean, nullable=False, default=False),
    Column("trace_id", String(55), nullable=True),
    Column("discarded_at", Instant, nullable=True),
    Index("ix_submission_front_end", "front_end", "id"),
    Index("ix_submission_council", "council", "id"),
    Index("ix_submission_front_end_reference", "front_end_reference", **only_where("front_end_reference IS NOT NULL")),
    Index("ix_submission_unplanned", "id", **only_where("faults IS NOT NULL AND discarded_at IS NULL")),
)

submission_content = Table(
    "submission_content",
    metadata,
    Column("submission", Id, ForeignKey("submission.id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("body", LargeBinary, nullable=True),  # sealed; null once forgotten
    Column("author", String(120), nullable=True),
    Column("reason", Text, nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=True),
    Index("ix_submission_content_expires_at", "expires_at", **only_where("expires_at IS NOT NULL")),
)

submission_attr = Table(
    "submission_attr",
    metadata,
    Column("submission", Id, ForeignKey("submission.id"), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("value_hash", LargeBinary(32), nullable=False),
    Index("ix_submission_attr_value", "name", "value_hash", "submission"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("front_end", Id, primary_key=True),
    Column("scope", String(160), primary_key=True),
    Column("key_hash", LargeBinary(32), primary_key=True),
    Column("submission", Id, nullable=False),
    Column("fingerprint", LargeBinary(32), nullable=False),
    Column("expires_at", Instant, nullable=True),
    Column("follow_up", Id, nullable=True),  # where the key came with one; `submission` is then its case's
    Index("ix_idempotency_expires_at", "expires_at"),
)

attachment = Table(
    "attachment",
    metadata,
    Column("id", Id, primary_key=True),
    Column("submission", Id, ForeignKey("submission.id"), nullable=True),
    Column("front_end", Id, nullable=False),
    Column("name", LargeBinary, nullable=False),  # sealed: file names are personal
    Column("media_type", String(120), nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("blob", String(120), nullable=True),
    Column("scan_state", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=True),
    Index("ix_attachment_submission", "submission"),
    Index("ix_attachment_expires_at", "expires_at"),
)

follow_up = Table(
    "follow_up",
    metadata,
    Column("id", Id, primary_key=True),
    Column("submission", Id, ForeignKey("submission.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("body", LargeBinary, nullable=True),  # sealed
    Column("front_end", Id, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=True),
    Index("ix_follow_up_submission", "submission", "received_at"),
)

# On its way out. The state lives on the step.

delivery = Table(
    "delivery",
    metadata,
    Column("id", Id, primary_key=True),
    Column("submission", Id, ForeignKey("submission.id"), nullable=False),
    Column("follow_up", Id, nullable=True),
    Column("kind", String(16), nullable=False),
    Column("council", String(64), nullable=False),
    Column("service", String(64), nullable=False),
    Column("destination", String(129), nullable=False),  # "council/name"
    Column("route", String(160), nullable=False),
    Column("order_key", Id, nullable=False),
    Column("item_index", Integer, nullable=True),
    Column("generation", Integer, nullable=False, default=1),  # raised by a deliberate second case
    Column("our_reference", String(16), nullable=False),
    Column("their_reference", String(120), nullable=True),
    Column("joined", Boolean, nullable=False, default=False),
    Column("created_at", Instant, nullable=False),
    sa.UniqueConstraint("destination", "our_reference", "kind"),
    Index("ix_delivery_submission", "submission"),
    Index("ix_delivery_council", "council", "id"),
    Index("ix_delivery_destination", "destination", "id"),
    Index("ix_delivery_their_reference", "their_reference", **only_where("their_reference IS NOT NULL")),
)

_DUE = "state = 'queued' AND due_at IS NOT NULL"
_SENDING = "state = 'sending'"
# What a person must look at: never touched on the way of a delivery that goes well.
_CREATE_STUCK = "position = 0 AND state IN ('unclear', 'dead')"
_BEHIND = "behind IS NOT NULL"
_TO_LOOK = "state = 'unclear' AND due_at IS NOT NULL"
_LOOKING = "state = 'unclear' AND lease_until IS NOT NULL"
_LATER_STUCK = "position > 0 AND state IN ('unclear', 'dead')"

step = Table(
    "step",
    metadata,
    Column("id", Id, primary_key=True),
    Column("delivery", Id, ForeignKey("delivery.id"), nullable=False),
    Column("submission", Id, nullable=False),
    Column("destination", String(129), nullable=False),
    Column("order_key", Id, nullable=False),
    Column("position", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("attachment", Id, nullable=True),
    Column("call", String(64), nullable=True),  # the connector's operation: what a breaker is kept for
    Column("state", String(16), nullable=False),
    Column("lane", String(16), nullable=False),
    Column("operation", Id, nullable=True),  # the bulk operation that queued it, and whose rate it keeps
    Column("due_at", Instant, nullable=True),  # queued: when to send, null while behind another; unclear: when to look
    Column("behind", Id, nullable=True),  # the step that has to be delivered first
    Column("looks", Integer, nullable=False, server_default="0"),  # that found nothing and count
    Column("settled_at", Instant, nullable=True),  # unclear: a look from then on that finds nothing counts
    Column("hold_reason", String(16), nullable=True),
    Column("hold_until", Instant, nullable=True),
    Column("attempts_used", Integer, nullable=False, default=0),
    Column("lease_token", sa.BigInteger, nullable=False, default=0),
    Column("lease_until", Instant, nullable=True),
    Column("worker", Id, nullable=True),
    Column("fingerprint", LargeBinary(32), nullable=True),  # of the failure that stopped it
    Column("reason", Text, nullable=True),  # a person's, for discard and resolve
    Column("updated_at", Instant, nullable=False),
    sa.UniqueConstraint("delivery", "position"),
    Index("ix_step_due", "destination", "lane", "due_at", "id", **only_where(_DUE)),
    Index("ix_step_to_look", "destination", "due_at", **only_where(_TO_LOOK)),
    Index("ix_step_looking", "destination", "lease_until", **only_where(_LOOKING)),
    Index("ix_step_sending", "destination", "lease_until", **only_where(_SENDING)),
    Index("ix_step_create_stuck", "state", "id", **only_where(_CREATE_STUCK)),
    Index("ix_step_stuck", "delivery", **only_where(_LATER_STUCK)),
    Index("ix_step_behind", "behind", **only_where(_BEHIND)),
    Index("ix_step_case", "order_key", "destination"),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Id, primary_key=True),
    Column("step", Id, ForeignKey("step.id"), nullable=False),
    Column("delivery", Id, nullable=False),
    Column("trigger", String(16), nullable=False),
    Column("operation", Id, nullable=True),
    Column("actor", String(120), nullable=True),
    Column("worker", Id, nullable=True),
    Column("lease_token", sa.BigInteger, nullable=False),
    Column("phase", String(16), nullable=False),
    Column("replay_safety", String(24), nullable=False),
    Column("mapping_generation", Integer, nullable=False),
    Column("outcome", String(16), nullable=True),
    Column("fault_code", String(120), nullable=True),
    Column("fingerprint", LargeBinary(32), nullable=True),
    Column("took", LargeBinary, nullable=True),  # sealed: reference or token, once the write was accepted
    Column("started_at", Instant, nullable=False),
    Column("sent_at", Instant, nullable=True),
    Column("ended_at", Instant, nullable=True),
    Column("evidence", LargeBinary, nullable=True),  # sealed and capped; holds no credential
    Column("evidence_expires_at", Instant, nullable=True),
    Index("ix_attempt_step", "step", "started_at"),
)

error_group = Table(
    "error_group",
    metadata,
    Column("fingerprint", LargeBinary(32), primary_key=True),
    Column("destination", String(129), nullable=False),
    Column("title", Text, nullable=False),
    Column("fault_code", String(120), nullable=False),
    Column("state", String(16), nullable=False),
    Column("assignee", String(120), nullable=True),
    Column("note", Text, nullable=True),
    Column("snooze_until", Instant, nullable=True),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("count", Integer, nullable=False),
    Index("ix_error_group_last_at", "last_at"),
)

# What happened, for everybody who reads in order. Never a payload.

event = Table(
    "event",
    metadata,
    Column("id", Id, primary_key=True),
    Column("feed_seq", sa.BigInteger, nullable=True),  # given by the sequencer only
    Column("at", Instant, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("council", String(64), nullable=True),
    Column("front_end", Id, nullable=True),
    Column("submission", Id, nullable=True),
    Column("delivery", Id, nullable=True),
    Column("actor", String(120), nullable=True),
    Column("detail", Json, nullable=True),
    Column("hash", LargeBinary(32), nullable=True),
    Index("ix_event_unsequenced", "id", **only_where("feed_seq IS NULL")),
    Index("ix_event_submission", "submission", "id"),
    Index("uq_event_feed_seq", "feed_seq", unique=True, **only_where("feed_seq IS NOT NULL")),
    Index("ix_event_front_end", "front_end", "feed_seq", **only_where("feed_seq IS NOT NULL")),
)

event_checkpoint = Table(
    "event_checkpoint",
    metadata,
    Column("feed_seq", sa.BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("at", Instant, nullable=False),
)

# What staff do.

operation = Table(
    "operation",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("filter", Json, nullable=False),
    Column("state", String(16), nullable=False),
    Column("rate", Float, nullable=True),
    Column("canary", Integer, nullable=True),
    Column("reason", Text, nullable=True),
    Column("created_by", String(120), nullable=False),
    Column("approved_by", String(120), nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("upper_id", Id, nullable=True),
    Column("marked_to", Id, nullable=True),
    Column("next_at", Instant, nullable=True),
    Column("counts", Json, nullable=True),  # by destination and state, changed together with the items
    Column("councils", Json, nullable=True),  # whose deliveries it may reach; null: all
    Column("include_unsafe", Boolean, nullable=False, default=False, server_default=sa.false()),
    Column("generation", Integer, nullable=True),  # of the council files that a replay uses; null: the newest
    Column("canary_left", Integer, nullable=True),  # how many must still be delivered before the rest may go
    Column("released_at", Instant, nullable=True),  # up to when the rate is used up by what was released
    Column("preview", Json, nullable=True),
    Column("why", Text, nullable=True),  # it stopped
    Column("started_by", String(120), nullable=True),
    Column("started_at", Instant, nullable=True),
    Column("ended_at", Instant, nullable=True),  # every item has come to its end
    Index("ix_operation_open", "id", **only_where("ended_at IS NULL")),
)

operation_item = Table(
    "operation_item",
    metadata,
    Column("operation", Id, ForeignKey("operation.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("delivery", Id, nullable=False),
    Column("destination", String(129), nullable=False, server_default=""),
    Column("step", Id, nullable=True),  # that was queued, or set aside
    Column("state", String(16), nullable=False),
    Column("result", String(120), nullable=True),  # a code: why it was skipped, or of what stopped it
    Column("attempt", Id, nullable=True),
    Index("ix_operation_item_state", "operation", "state", "position"),
)

# Who shares the machine.

destination = Table(
    "destination",
    metadata,
    Column("id", String(129), primary_key=True),  # "council/name"
    Column("council", String(64), nullable=False),
    Column("name", String(64), nullable=False),
    Column("connector", String(64), nullable=False),
    Column("active", Boolean, nullable=False, default=True),
    Column("concurrency", Integer, nullable=False),
    Column("per_second", Float, nullable=True),
    Column("rate_next_at", Instant, nullable=True),  # when the next step may be claimed
    Column("pace_next_at", Instant, nullable=True),  # when the next call may leave
    Column("turn", Integer, nullable=False, server_default="0"),  # whose turn it is among the lanes
    Column("paused_at", Instant, nullable=True),
    Column("paused_by", String(120), nullable=True),  # "hub" when it paused itself
    Column("pause_reason", Text, nullable=True),
    Column("probe_at", Instant, nullable=True),
    Column("closed_until", Instant, nullable=True),  # by its maintenance windows
    Column("suspects", Integer, nullable=False, default=0),
    Column("last_suspect", Id, nullable=True),
    Column("breaker", String(16), nullable=False, default="closed"),  # the worst of its operations'
    Column("breaker_until", Instant, nullable=True),
    Column("breaker_counts", Json, nullable=True),  # by operation, those that are not closed: state, until, trips
    Column("last_served", Instant, nullable=True),
)

job = Table(
    "job",
    metadata,
    Column("name", String(160), primary_key=True),
    Column("due_at", Instant, nullable=False),
    Column("lease_token", sa.BigInteger, nullable=False, default=0),
    Column("lease_until", Instant, nullable=True),
    Column("worker", Id, nullable=True),
    Column("state", Json, nullable=True),
    Column("last_error", String(120), nullable=True),
)

worker = Table(
    "worker",
    metadata,
    Column("id", Id, primary_key=True),
    Column("role", String(16), nullable=False),
    Column("host", String(120), nullable=False),
    Column("version", String(32), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("beat_at", Instant, nullable=False),
)

mapping_version = Table(
    "mapping_version",
    metadata,
    Column("generation", BigId, primary_key=True, autoincrement=True),
    Column("digest", String(64), nullable=False),
    Column("files", Json, nullable=False),
    Column("loaded_by", String(120), nullable=False),
    Column("loaded_at", Instant, nullable=False),
)

key_canary = Table(
    "key_canary",
    metadata,
    Column("key_id", String(64), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
)
