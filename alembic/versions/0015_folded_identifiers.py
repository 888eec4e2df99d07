"""Usernames and e-mail addresses in the one form in which they are looked up."""

import sqlalchemy as sa
from alembic import context, op

from wxc.core.text import fold_identifier
from wxc.db.migrations import unhurried

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_BATCH = 5_000
# The release before writes neither column. Its accounts get lower(), which is the same for ASCII;
# an update is left alone where lower() cannot tell which release has made it.
_FUNCTION = """
    CREATE FUNCTION fold_identifiers() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            NEW.username_folded := coalesce(NEW.username_folded, lower(NEW.username COLLATE "C"));
            NEW.email_folded := coalesce(NEW.email_folded, lower(NEW.email));
            RETURN NEW;
        END IF;
        IF NEW.username_folded IS NOT DISTINCT FROM OLD.username_folded THEN
            NEW.username_folded := lower(NEW.username COLLATE "C");
        END IF;
        IF NEW.email IS NULL THEN
            NEW.email_folded := NULL;
        ELSIF NEW.email_folded IS NOT DISTINCT FROM OLD.email_folded
                AND octet_length(NEW.email) = length(NEW.email) THEN
            NEW.email_folded := lower(NEW.email COLLATE "C");
        END IF;
        RETURN NEW;
    END $$
"""
_TRIGGER = """
    CREATE TRIGGER fold_identifiers BEFORE INSERT OR UPDATE OF username, email ON users
    FOR EACH ROW EXECUTE FUNCTION fold_identifiers()
"""
_READ = """
    SELECT id, username, email FROM users
    WHERE id > coalesce(:after, '00000000-0000-0000-0000-000000000000'::uuid)
    ORDER BY id LIMIT :batch
"""
_FILL = """
    UPDATE users SET username_folded = given.username, email_folded = given.email
    FROM unnest(:ids, :usernames, :emails) AS given (id, username, email)
    WHERE users.id = given.id
"""


def upgrade() -> None:
    """Add the columns, keep them filled whoever writes, and fill them."""
    op.add_column("users", sa.Column("username_folded", sa.String(30), nullable=True))
    op.add_column("users", sa.Column("email_folded", sa.String(), nullable=True))
    op.execute(_FUNCTION)
    op.execute(_TRIGGER)
    with unhurried():
        if not context.is_offline_mode():
            _fill()


def downgrade() -> None:
    """Do without them."""
    op.execute("DROP TRIGGER fold_identifiers ON users")
    op.execute("DROP FUNCTION fold_identifiers()")
    op.drop_column("users", "email_folded")
    op.drop_column("users", "username_folded")


def _fill() -> None:
    """Each batch is committed by itself; one that is repeated writes the same."""
    connection = op.get_bind()
    read = sa.text(_READ).bindparams(sa.bindparam("after", type_=sa.Uuid()))
    fill = sa.text(_FILL).bindparams(
        sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid())),
        sa.bindparam("usernames", type_=sa.ARRAY(sa.String())),
        sa.bindparam("emails", type_=sa.ARRAY(sa.String())),
    )
    rows = connection.execute(read, {"after": None, "batch": _BATCH}).all()
    while rows:
        given = {
            "ids": [row.id for row in rows],
            "usernames": [fold_identifier(row.username) for row in rows],
            "emails": [fold_identifier(row.email) if row.email else None for row in rows],
        }
        connection.execute(fill, given)
        rows = connection.execute(read, {"after": rows[-1].id, "batch": _BATCH}).all()
