"""When the owners of exchanges are to be reminded."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Boards that are there already are reminded of like those to come."""
    op.add_column("exchanges", sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE exchanges "
        "SET remind_at = confirmed_at + 0.8 * make_interval(hours => valid_for_hours)"
    )
    op.create_index(
        "ix_exchanges_remind_at",
        "exchanges",
        ["remind_at"],
        unique=False,
        postgresql_where=sa.text("remind_at IS NOT NULL"),
    )


def downgrade() -> None:
    """Forget whom to remind."""
    op.drop_index(
        "ix_exchanges_remind_at",
        table_name="exchanges",
        postgresql_where=sa.text("remind_at IS NOT NULL"),
    )
    op.drop_column("exchanges", "remind_at")
