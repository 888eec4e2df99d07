"""Folded display names of existing users, and indexes for the search by them."""

from alembic import op
from sqlalchemy import text

from wxc.db.migrations import unhurried

revision, down_revision, branch_labels, depends_on = (
    "0010_search_indexes",
    "0008_mail_detail",
    None,
    None,
)

_PREFIX, _TRIGRAMS = "ix_users_display_name_folded_prefix", "ix_users_display_name_folded_trigrams"

_BACKFILL = """
DO $$
    DECLARE
        done uuid := '00000000-0000-0000-0000-000000000000';
        last uuid;
    BEGIN
        LOOP
            SELECT id INTO last
                FROM (SELECT id FROM users WHERE id > done ORDER BY id LIMIT 1000) AS batch
                ORDER BY id DESC LIMIT 1;
            EXIT WHEN last IS NULL;
            UPDATE users SET display_name_folded = search_fold(display_name)
                WHERE id > done AND id <= last AND display_name IS NOT NULL
                    AND display_name_folded IS NULL;
            COMMIT;
            done := last;
        END LOOP;
    END $$
"""


def upgrade() -> None:
    """Fill the column and build the indexes; those of the previous release stay until the next."""
    with unhurried():
        op.execute(_BACKFILL)
        op.drop_index(_PREFIX, if_exists=True, postgresql_concurrently=True)
        op.create_index(
            _PREFIX,
            "users",
            [text('"left"(display_name_folded COLLATE "C", 30)'), "id"],
            postgresql_concurrently=True,
        )
        op.drop_index(_TRIGRAMS, if_exists=True, postgresql_concurrently=True)
        op.create_index(
            _TRIGRAMS,
            "users",
            ["display_name_folded"],
            postgresql_using="gin",
            postgresql_ops={"display_name_folded": "gin_trgm_ops"},
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    """Drop the indexes."""
    with unhurried():
        op.drop_index(_TRIGRAMS, if_exists=True, postgresql_concurrently=True)
        op.drop_index(_PREFIX, if_exists=True, postgresql_concurrently=True)
