"""Count password changes, which end the trust of device cookies."""

import sqlalchemy as sa
from alembic import op

revision = "0002_password_generation"
down_revision = "0001_initial"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the counter; the default is constant, so no row is rewritten."""
    op.add_column(
        "users", sa.Column("password_generation", sa.Integer(), server_default="0", nullable=False)
    )


def downgrade() -> None:
    """Remove the counter: device cookies are trusted until they expire."""
    op.drop_column("users", "password_generation")
