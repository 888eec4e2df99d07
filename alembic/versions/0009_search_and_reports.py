"""What finding people and reports by members need."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NAMES = {
    "ix_users_username_prefix": (['"left"(lower(username) COLLATE "C", 30)', "id"], "btree"),
    "ix_users_display_name_prefix": (
        ['"left"(lower(display_name) COLLATE "C", 30)', "id"],
        "btree",
    ),
    "ix_users_username_trigrams": (["lower(username) gin_trgm_ops"], "gin"),
    "ix_users_display_name_trigrams": (["lower(display_name) gin_trgm_ops"], "gin"),
}


def upgrade() -> None:
    """Index names by their beginning and their trigrams; have a member's open report be one."""
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    for name, (columns, using) in _NAMES.items():
        op.create_index(name, "users", [sa.text(one) for one in columns], postgresql_using=using)
    op.create_index(
        "uq_reports_open_of_reporter",
        "reports",
        ["reporter_id", "target_type", "target_id"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def downgrade() -> None:
    """Drop the indexes; the extension may be somebody else's too."""
    op.drop_index(
        "uq_reports_open_of_reporter",
        table_name="reports",
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    for name in _NAMES:
        op.drop_index(name, table_name="users")
