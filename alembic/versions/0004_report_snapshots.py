"""Snapshots of what reports are about."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision, down_revision, branch_labels, depends_on = (
    "0004_report_snapshots",
    "0002_password_generation",
    None,
    None,
)


def upgrade() -> None:
    """Add the table; reports from before have no snapshot."""
    op.create_table(
        "report_snapshots",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(30), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("rates", postgresql.JSONB(), nullable=True),
        sa.Column("chain_head", sa.String(80), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(rates IS NULL) = (chain_head IS NULL)",
            name=op.f("ck_report_snapshots_board_as_a_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["report_id"],
            ["reports.id"],
            name=op.f("fk_report_snapshots_report_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_snapshots")),
    )
    op.create_index("ix_report_snapshots_report_id_id", "report_snapshots", ["report_id", "id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("report_snapshots")
