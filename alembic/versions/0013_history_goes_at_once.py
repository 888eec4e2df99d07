"""The history of a board goes with it at once, however long it is."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_KEPT = ("rate_events", "exchange_confirmations")
# One look at all that has gone: to ask for each row takes ten times as long as to delete it.
_REFUSE = """
    CREATE OR REPLACE FUNCTION refuse_deletion_of_rate_history() RETURNS trigger LANGUAGE plpgsql
    AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM gone
            JOIN exchanges ON exchanges.id = gone.exchange_id
            JOIN users ON users.id = exchanges.owner_id
            WHERE users.erase_at IS NULL
        ) THEN
            RAISE EXCEPTION 'the history of rates is kept as it is: % is refused', TG_OP
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NULL;
    END
    $$
"""
_GUARD_DELETIONS = """
    CREATE TRIGGER {0}_are_not_deleted AFTER DELETE ON {0} REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_deletion_of_rate_history()
"""
_GUARD_ROWS = """
    CREATE OR REPLACE TRIGGER {0}_are_kept BEFORE {1} ON {0}
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_rate_history()
"""


def upgrade() -> None:
    """Guard deletions by the statement, changes by the row as before."""
    op.execute(_REFUSE)
    for table in _KEPT:
        op.execute(_GUARD_DELETIONS.format(table))
        op.execute(_GUARD_ROWS.format(table, "UPDATE"))


def downgrade() -> None:
    """Guard both by the row."""
    for table in _KEPT:
        op.execute(_GUARD_ROWS.format(table, "UPDATE OR DELETE"))
        op.execute(f"DROP TRIGGER {table}_are_not_deleted ON {table}")
    op.execute("DROP FUNCTION refuse_deletion_of_rate_history()")
