"""What reports by members need."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Have a member's open report of a thing be one."""
    op.create_index(
        "uq_reports_open_of_reporter",
        "reports",
        ["reporter_id", "target_type", "target_id"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "uq_reports_open_of_reporter",
        table_name="reports",
        postgresql_where=sa.text("closed_at IS NULL"),
    )
