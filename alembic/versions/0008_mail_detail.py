"""What a mail says besides its kind, such as the time and browser of a log-in."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008_mail_detail"
down_revision = "0006_search_folding"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the default is constant, so no row is rewritten."""
    op.add_column("outbox_mails", sa.Column("detail", JSONB(), server_default="{}", nullable=False))


def downgrade() -> None:
    """Remove it: mails that are waiting are sent without it."""
    op.drop_column("outbox_mails", "detail")
