"""Settings and deletion."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_CHECKS = {
    "can_log_in": "erase_at IS NOT NULL OR (email IS NOT NULL AND password_hash IS NOT NULL)",
    "nothing_personal_is_left": (
        "erase_at IS NULL OR (suspended_at IS NOT NULL AND num_nonnulls(email, "
        "email_verified_at, pending_email, password_hash, display_name, bio, avatar_url, "
        "home_currency) = 0)"
    ),
}


def upgrade() -> None:
    """Add what settings need, let an account be emptied, and note every name in use."""
    op.create_table(
        "used_usernames",
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("name ~ '^[a-z0-9_]{3,30}$'", name=op.f("ck_used_usernames_form")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_used_usernames")),
    )
    op.create_index(
        "ix_used_usernames_user_id_name", "used_usernames", ["user_id", "name"], unique=False
    )
    op.add_column("users", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.add_column(
        "users",
        sa.Column(
            "username_changes",
            postgresql.ARRAY(sa.DateTime(timezone=True)),
            server_default="{}",
            nullable=False,
        ),
    )
    op.add_column("users", sa.Column("erase_at", sa.DateTime(timezone=True), nullable=True))
    op.alter_column("users", "email", existing_type=sa.String(length=254), nullable=True)
    op.alter_column("users", "password_hash", existing_type=sa.String(), nullable=True)
    op.create_index(
        "ix_users_erase_at",
        "users",
        ["erase_at"],
        unique=False,
        postgresql_where=sa.text("erase_at IS NOT NULL"),
    )
    for name, condition in _CHECKS.items():
        op.create_check_constraint(op.f(f"ck_users_{name}"), "users", condition)
    op.execute(
        "INSERT INTO used_usernames (name, user_id, taken_at) "
        "SELECT lower(username), id, created_at FROM users"
    )


def downgrade() -> None:
    """Take it all back; what is left of deleted accounts goes, and their names are free."""
    op.execute("DELETE FROM users WHERE erase_at IS NOT NULL")
    for name in _CHECKS:
        op.drop_constraint(op.f(f"ck_users_{name}"), "users", type_="check")
    op.drop_index(
        "ix_users_erase_at", table_name="users", postgresql_where=sa.text("erase_at IS NOT NULL")
    )
    op.alter_column("users", "password_hash", existing_type=sa.String(), nullable=False)
    op.alter_column("users", "email", existing_type=sa.String(length=254), nullable=False)
    op.drop_column("users", "erase_at")
    op.drop_column("users", "username_changes")
    op.drop_column("users", "version")
    op.drop_index("ix_used_usernames_user_id_name", table_name="used_usernames")
    op.drop_table("used_usernames")
