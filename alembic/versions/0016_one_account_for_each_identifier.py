"""One account for each folded username and e-mail address."""

import sqlalchemy as sa
from alembic import context, op

from wxc.db.migrations import SchemaConflict, unhurried

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_SHARED = """
    SELECT EXISTS (SELECT FROM users GROUP BY username_folded HAVING count(*) > 1)
        OR EXISTS (
            SELECT FROM users WHERE email_folded IS NOT NULL
            GROUP BY email_folded HAVING count(*) > 1
        )
"""
_INDEXES = {"uq_users_username_folded": "username_folded", "uq_users_email_folded": "email_folded"}


def upgrade() -> None:
    """Refuse two accounts with one identifier; the indexes on lower() serve the release before."""
    with unhurried():
        if not context.is_offline_mode() and op.get_bind().scalar(sa.text(_SHARED)):
            raise SchemaConflict(
                "some accounts share a username or an e-mail address but for the case of letters; "
                "`wxc user duplicates` lists them. One of each must be changed first."
            )
        for name, column in _INDEXES.items():
            op.drop_index(name, table_name="users", if_exists=True, postgresql_concurrently=True)
            op.create_index(name, "users", [column], unique=True, postgresql_concurrently=True)


def downgrade() -> None:
    """Do without the indexes."""
    with unhurried():
        for name in _INDEXES:
            op.drop_index(name, table_name="users", postgresql_concurrently=True)
