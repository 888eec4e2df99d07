"""A function that fails for writes that come too late."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """40001, a serialization failure: the client sends the request again."""
    op.execute(
        """
        CREATE FUNCTION require_commit_before(latest timestamptz) RETURNS boolean
        LANGUAGE plpgsql AS $$
        BEGIN
            IF clock_timestamp() < latest THEN
                RETURN true;
            END IF;
            RAISE EXCEPTION 'the row would become visible too late' USING ERRCODE = '40001';
        END $$
        """
    )


def downgrade() -> None:
    """Do without it."""
    op.execute("DROP FUNCTION require_commit_before(timestamptz)")
