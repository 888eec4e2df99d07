"""Who is suspended."""

import sqlalchemy as sa
from alembic import op

from wxc.db.migrations import unhurried

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_INDEX = "ix_users_suspended"


def upgrade() -> None:
    """Feeds look for the authors whose ids they have among these few."""
    with unhurried():
        op.drop_index(_INDEX, table_name="users", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            _INDEX,
            "users",
            ["id"],
            postgresql_where=sa.text("suspended_at IS NOT NULL"),
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    """Do without it."""
    with unhurried():
        op.drop_index(_INDEX, table_name="users", postgresql_concurrently=True)
