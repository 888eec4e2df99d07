"""Which boards have changed the line of a currency last."""

from alembic import op

from wxc.db.migrations import unhurried

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_INDEX = "ix_exchange_rates_currency_valid_from_id"


def upgrade() -> None:
    """A search without a place compares these."""
    with unhurried():
        op.drop_index(
            _INDEX, table_name="exchange_rates", if_exists=True, postgresql_concurrently=True
        )
        op.create_index(
            _INDEX,
            "exchange_rates",
            ["currency", "valid_from", "id"],
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    """Do without it."""
    with unhurried():
        op.drop_index(_INDEX, table_name="exchange_rates", postgresql_concurrently=True)
