"""The audit trail, and reports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Whatever AUDIT_RETENTION says, nothing younger than 30 days is deleted; nothing is ever changed.
_REFUSE = """
    CREATE FUNCTION refuse_change_of_audit_events() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND OLD.at < now() - interval '30 days' THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'audit events are kept as they are: % is refused', TG_OP
            USING ERRCODE = 'insufficient_privilege';
    END
    $$
"""
_GUARD_ROWS = """
    CREATE TRIGGER audit_events_are_kept BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_audit_events()
"""
_GUARD_TABLE = """
    CREATE TRIGGER audit_events_are_not_truncated BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit_events()
"""


def upgrade() -> None:
    """Create both tables, and what keeps the trail as it is."""
    op.create_table(
        "audit_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("address_hash", sa.LargeBinary(), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("event ~ '^[a-z_]+$'", name=op.f("ck_audit_events_event_form")),
        sa.CheckConstraint(
            "octet_length(address_hash) = 32", name=op.f("ck_audit_events_address_hash_length")
        ),
        sa.CheckConstraint(
            "jsonb_typeof(detail) = 'object' AND octet_length(detail::text) <= 4096",
            name=op.f("ck_audit_events_detail_small"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
    )
    op.create_index("ix_audit_events_user_id_id", "audit_events", ["user_id", "id"], unique=False)
    for statement in (_REFUSE, _GUARD_ROWS, _GUARD_TABLE):
        op.execute(statement)
    op.create_table(
        "reports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reporter_id", sa.Uuid(), nullable=True),
        sa.Column("target_type", sa.String(length=16), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.String(length=1000), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=64), nullable=True),
        sa.Column("note", sa.String(length=1000), nullable=True),
        sa.CheckConstraint(
            "target_type IN ('user', 'post', 'comment', 'exchange')",
            name=op.f("ck_reports_target_type_known"),
        ),
        sa.CheckConstraint(
            "reason IN ('spam', 'abuse', 'illegal', 'fraud', 'other')",
            name=op.f("ck_reports_reason_known"),
        ),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (closed_by IS NULL) AND (closed_at IS NULL) = (note IS NULL)",
            name=op.f("ck_reports_closed_as_a_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["reporter_id"],
            ["users.id"],
            name=op.f("fk_reports_reporter_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
    )
    op.create_index(
        "ix_reports_open",
        "reports",
        ["id"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("ix_reports_reporter_id", "reports", ["reporter_id"], unique=False)


def downgrade() -> None:
    """Drop both; what they hold is lost."""
    op.drop_index("ix_reports_reporter_id", table_name="reports")
    op.drop_index(
        "ix_reports_open",
        table_name="reports",
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.drop_table("reports")
    op.drop_index("ix_audit_events_user_id_id", table_name="audit_events")
    op.drop_table("audit_events")
    op.execute("DROP FUNCTION refuse_change_of_audit_events()")
